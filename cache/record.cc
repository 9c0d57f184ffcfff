#include "cache/record.h"

#include <fmt/core.h>

#include <cmath>
#include <cstddef>
#include <utility>

#include "base/error.h"
#include "base/shown.h"
#include "base/text.h"

namespace qbuild::cache {
namespace {

constexpr std::string_view kMagic = "qbuild-record ";
constexpr std::size_t kChecksumDigits = 32;
constexpr std::size_t kMembers = 10;
constexpr std::size_t kMembersWithPieces = kMembers + 2;

[[noreturn]] void corrupt(const std::string& message) {
  throw Error(ErrorKind::kCorrupt, message);
}
[[noreturn]] void refuse(const std::string& message) {
  throw Error(ErrorKind::kInvalidInput, message);
}

std::string header_line(std::string_view body) {
  return fmt::format("{}{} {}\n", kMagic, kRecordVersion, xxh3_hex(as_bytes(body)));
}

void validate_inline(const Record& record) {
  if (record.inline_files.size() > kMaxArtifactFiles)
    refuse(fmt::format("{} inline files, at most {} may be inline", record.inline_files.size(),
                       kMaxArtifactFiles));
  for (const auto& [name, bytes] : record.inline_files) {
    if (!is_canonical_name(name))
      refuse(fmt::format("inline file \"{}\" has no canonical name", shown(name)));
    if (bytes.size() > kMaxInlineBytes)
      refuse(fmt::format("inline file \"{}\" has {} bytes, at most {} may be inline", shown(name),
                         bytes.size(), kMaxInlineBytes));
    const FileEntry* file = record.artifact.find(name);
    if (file != nullptr && file->size_bytes != bytes.size())
      refuse(fmt::format("inline file \"{}\" has {} bytes, its artifact says {}", shown(name),
                         bytes.size(), file->size_bytes));
  }
  if (!std::isfinite(record.seconds) || record.seconds < 0)
    refuse("the duration is no number of seconds");
}

void validate_pieces(const Record& record) {
  if (record.piece_scope.empty() && record.pieces.empty()) return;
  if (!is_piece_scope(record.piece_scope))
    refuse("the scope of its pieces is no lower-case hex digest");
  if (record.pieces.empty()) refuse("it has a scope for pieces and no pieces");
  check_pieces(record.pieces, record.artifact);
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

// What `read` makes of a member; errors say which.
template <typename Read>
auto member(const Json& json, std::string_view key, Read read) {
  const Json& value = json.at(key);
  return with_context(key, [&] { return read(value); });
}
std::string text_of(const Json& json, std::string_view key) {
  return member(json, key, [](const Json& value) { return value.as_string(); });
}

Record from_json(const Json& json) {
  const std::size_t members = json.as_object().size();
  if (members != kMembers && members != kMembersWithPieces)
    corrupt("it has a member too many or too few");
  Record record;
  const std::optional<Digest> key = Digest::from_hex(text_of(json, "key"));
  if (!key) corrupt("the key is not 64 lower-case hex digits");
  record.key = *key;
  record.key_text = text_of(json, "key_text");
  record.rule = text_of(json, "rule");
  record.artifact = artifact_from_json(json.at("artifact"));
  member(json, "inline", [&](const Json& files) {
    for (const Json& file : files.as_array()) inline_from_json(file, record);
  });
  record.started_unix_ns =
      member(json, "started_unix_ns", [](const Json& value) { return value.as_int(); });
  record.seconds = member(json, "seconds", [](const Json& value) { return value.as_double(); });
  record.peak_memory_bytes =
      member(json, "peak_memory_bytes", [](const Json& value) { return value.as_uint(); });
  record.machine = json.at("machine");
  record.tool_version = text_of(json, "tool_version");
  if (members == kMembersWithPieces) {
    if (json.find("piece_scope") == nullptr || json.find("pieces") == nullptr)
      corrupt("it has a member too many or too few");
    record.piece_scope = text_of(json, "piece_scope");
    record.pieces = pieces_from_json(json.at("pieces"));
    if (record.piece_scope.empty()) corrupt("it has pieces without a scope");
    validate_pieces(record);
  }
  validate_inline(record);
  return record;
}

}  // namespace

std::string serialize(const Record& record) {
  with_context("record", [&] {
    validate_inline(record);
    validate_pieces(record);
  });
  Json files = Json::array();
  for (const auto& [name, bytes] : record.inline_files)
    files.push_back(inline_to_json(name, bytes));
  Json json = Json::object({{"key", Json(record.key.hex())},
                            {"key_text", Json(record.key_text)},
                            {"rule", Json(record.rule)},
                            {"artifact", to_json(record.artifact)},
                            {"inline", std::move(files)},
                            {"started_unix_ns", Json(record.started_unix_ns)},
                            {"seconds", Json(record.seconds)},
                            {"peak_memory_bytes", Json(record.peak_memory_bytes)},
                            {"machine", record.machine},
                            {"tool_version", Json(record.tool_version)}});
  if (!record.pieces.empty()) {
    json["piece_scope"] = Json(record.piece_scope);
    json["pieces"] = to_json(record.pieces);
  }
  const std::string body = json.dump() + "\n";
  return header_line(body) + body;
}

Record parse_record(std::string_view bytes) {
  return with_context("record", [&] {
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
      corrupt(error.message());
    }
  });
}

}  // namespace qbuild::cache
