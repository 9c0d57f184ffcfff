#include "cache/record.h"

#include <fmt/core.h>

#include <cmath>
#include <cstddef>
#include <utility>

#include "base/error.h"
#include "base/text.h"

namespace qbuild::cache {
namespace {

constexpr std::string_view kMagic = "qbuild-record ";
constexpr std::size_t kChecksumDigits = 32;
constexpr std::size_t kMembers = 10;

[[noreturn]] void corrupt(std::string message) {
  throw Error(ErrorKind::kCorrupt, "record: " + std::move(message));
}

std::string header_line(std::string_view body) {
  return fmt::format("{}{} {}\n", kMagic, kRecordVersion, xxh3_hex(as_bytes(body)));
}

void validate_inline(const Record& record) {
  for (const auto& [name, bytes] : record.inline_files) {
    if (!is_canonical_name(name))
      throw Error(ErrorKind::kInvalidInput, "record: an inline file's name is not canonical");
    if (bytes.size() > kMaxInlineBytes)
      throw Error(ErrorKind::kInvalidInput,
                  fmt::format("record: inline file \"{}\" has {} bytes, at most {} may be inline",
                              name, bytes.size(), kMaxInlineBytes));
    const FileEntry* file = record.artifact.find(name);
    if (file != nullptr && file->size_bytes != bytes.size())
      throw Error(ErrorKind::kInvalidInput,
                  fmt::format("record: inline file \"{}\" has {} bytes, its artifact says {}", name,
                              bytes.size(), file->size_bytes));
  }
  if (!std::isfinite(record.seconds) || record.seconds < 0)
    throw Error(ErrorKind::kInvalidInput, "record: the duration is no number of seconds");
}

// Text as text, so that a person can read a record; anything else as hex.
Json inline_to_json(const std::string& name, const std::string& bytes) {
  if (is_utf8(bytes)) return Json::object({{"name", Json(name)}, {"text", Json(bytes)}});
  return Json::object({{"name", Json(name)}, {"hex", Json(to_hex(bytes))}});
}

void inline_from_json(const Json& json, Record& record) {
  if (json.as_object().size() != 2) corrupt("an inline file has a member too many or too few");
  std::string bytes;
  if (const Json* text = json.find("text")) {
    bytes = text->as_string();
  } else {
    const std::string& hex = json.at("hex").as_string();
    if (!is_lower_hex(hex) || hex.size() % 2 != 0) corrupt("an inline file is not hex");
    bytes = from_hex(hex);
  }
  if (!record.inline_files.emplace(json.at("name").as_string(), std::move(bytes)).second)
    corrupt("an inline file is there twice");
}

Record from_json(const Json& json) {
  if (json.as_object().size() != kMembers) corrupt("it has a member too many or too few");
  Record record;
  const std::optional<Digest> key = Digest::from_hex(json.at("key").as_string());
  if (!key) corrupt("the key is not 64 lower-case hex digits");
  record.key = *key;
  record.key_text = json.at("key_text").as_string();
  record.rule = json.at("rule").as_string();
  record.artifact = artifact_from_json(json.at("artifact"));
  for (const Json& file : json.at("inline").as_array()) inline_from_json(file, record);
  record.started_unix_ns = json.at("started_unix_ns").as_int();
  record.seconds = json.at("seconds").as_double();
  record.peak_memory_bytes = json.at("peak_memory_bytes").as_uint();
  record.machine = json.at("machine");
  record.tool_version = json.at("tool_version").as_string();
  validate_inline(record);
  return record;
}

}  // namespace

std::string serialize(const Record& record) {
  validate_inline(record);
  Json files = Json::array();
  for (const auto& [name, bytes] : record.inline_files)
    files.push_back(inline_to_json(name, bytes));
  const Json json = Json::object({{"key", Json(record.key.hex())},
                                  {"key_text", Json(record.key_text)},
                                  {"rule", Json(record.rule)},
                                  {"artifact", to_json(record.artifact)},
                                  {"inline", std::move(files)},
                                  {"started_unix_ns", Json(record.started_unix_ns)},
                                  {"seconds", Json(record.seconds)},
                                  {"peak_memory_bytes", Json(record.peak_memory_bytes)},
                                  {"machine", record.machine},
                                  {"tool_version", Json(record.tool_version)}});
  const std::string body = json.dump() + "\n";
  return header_line(body) + body;
}

Record parse_record(std::string_view bytes) {
  if (bytes.size() > kMaxRecordBytes)
    corrupt(fmt::format("{} bytes are more than a record can have", bytes.size()));
  const std::size_t line_end = bytes.find('\n');
  if (bytes.substr(0, kMagic.size()) != kMagic || line_end == std::string_view::npos)
    corrupt("it does not begin with \"qbuild-record\"");
  const std::string_view line = bytes.substr(0, line_end + 1);
  const std::string_view body = bytes.substr(line_end + 1);
  const std::string version = fmt::format("{}{} ", kMagic, kRecordVersion);
  if (line.substr(0, version.size()) != version)
    corrupt(fmt::format("it is not of version {}", kRecordVersion));
  if (line.size() != version.size() + kChecksumDigits + 1 || line != header_line(body))
    corrupt("its checksum does not match its content");
  try {
    return from_json(Json::parse(body));
  } catch (const Error& error) {
    throw Error(ErrorKind::kCorrupt, error.message());
  }
}

}  // namespace qbuild::cache
