#include "cli/inspect_text.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>

#include "base/error.h"
#include "base/json.h"
#include "base/shown.h"
#include "cache/record.h"
#include "cli/table.h"
#include "formats/gguf_reader.h"
#include "formats/imatrix.h"
#include "formats/safetensors.h"
#include "rules/display.h"

namespace qbuild::cli {
namespace {

// Elements of an array that are shown; a vocabulary is not for reading.
constexpr std::size_t kElementsShown = 8;

template <typename... Bodies>
struct Overloaded : Bodies... {
  using Bodies::operator()...;
};
template <typename... Bodies>
Overloaded(Bodies...) -> Overloaded<Bodies...>;

template <typename T>
Json array_json(const std::vector<T>& values) {
  Json first = Json::array();
  for (std::size_t i = 0; i < std::min(values.size(), kElementsShown); ++i)
    first.push_back(values[i]);
  return Json::object({{"count", values.size()}, {"first", std::move(first)}});
}

Json value_json(const formats::GgufValue& value) {
  if (value.type == formats::GgufType::kBool)
    return Json(std::get<std::uint64_t>(value.value) != 0);
  return std::visit(
      Overloaded{[](std::uint64_t v) { return Json(v); }, [](std::int64_t v) { return Json(v); },
                 [](double v) { return Json(v); }, [](const std::string& v) { return Json(v); },
                 [](const auto& v) { return array_json(v); }},
      value.value);
}

Json shape_json(const std::vector<std::uint64_t>& shape) {
  Json list = Json::array();
  for (const std::uint64_t extent : shape) list.push_back(extent);
  return list;
}

std::string shape_text(const std::vector<std::uint64_t>& shape) {
  std::string text;
  for (const std::uint64_t extent : shape)
    text += (text.empty() ? "" : " x ") + std::to_string(extent);
  return text.empty() ? "scalar" : text;
}

std::string gguf_text(const formats::GgufReader& reader, bool json) {
  Json metadata = Json::object();
  for (const formats::GgufPair& pair : reader.metadata())
    metadata[pair.key] = value_json(pair.value);
  if (json) {
    Json tensors = Json::array();
    for (const formats::GgufTensor& tensor : reader.tensors())
      tensors.push_back(Json::object({{"name", tensor.name},
                                      {"type", dtype_name(tensor.dtype)},
                                      {"shape", shape_json(tensor.shape)},
                                      {"offset", tensor.offset},
                                      {"size", tensor.size_bytes}}));
    return Json::object({{"kind", "gguf"},
                         {"size", reader.file_bytes()},
                         {"metadata", std::move(metadata)},
                         {"tensors", std::move(tensors)}})
        .dump_pretty();
  }
  Table keys({"key", "type", "value"});
  for (const formats::GgufPair& pair : reader.metadata())
    keys.add({pair.key, std::string(formats::gguf_type_name(pair.value.type)),
              metadata.at(pair.key).dump()});
  Table tensors({"tensor", "type", ">shape", ">size"});
  for (const formats::GgufTensor& tensor : reader.tensors())
    tensors.add({tensor.name, std::string(dtype_name(tensor.dtype)), shape_text(tensor.shape),
                 rules::display_bytes(tensor.size_bytes)});
  return fmt::format("GGUF, {}, {} tensors\n\n{}\n{}", rules::display_bytes(reader.file_bytes()),
                     reader.tensors().size(), keys.text(), tensors.text());
}

// Of one entry: what a column matters in the mean, at most, and how many matter next to nothing.
struct ImportanceSums {
  double mean = 0;
  double largest = 0;
  double idle_share = 0;
};

ImportanceSums sums_of(const std::vector<float>& values) {
  constexpr double kIdle = 1e-5;  // llama.cpp's
  ImportanceSums sums;
  for (const float value : values) {
    sums.mean += double{value} / static_cast<double>(values.size());
    sums.largest = std::max(sums.largest, double{value});
    if (double{value} <= kIdle) sums.idle_share += 1.0 / static_cast<double>(values.size());
  }
  return sums;
}

std::string imatrix_text(FileSystem& files, const fs::path& path, bool json) {
  const auto imatrix = formats::Imatrix::open(files, path);
  Json list = Json::array();
  Table table({"tensor", ">columns", ">matrices", ">unseen", ">mean", ">largest", ">idle"});
  for (const formats::ImatrixEntry& entry : imatrix.entries()) {
    const std::uint64_t columns = entry.values / entry.matrices;
    const ImportanceSums sums = sums_of(imatrix.read(entry));
    list.push_back(Json::object({{"name", entry.name},
                                 {"columns", columns},
                                 {"matrices", entry.matrices},
                                 {"unseen", entry.unseen},
                                 {"mean", sums.mean},
                                 {"largest", sums.largest},
                                 {"idle_share", sums.idle_share}}));
    table.add({shown(entry.name), std::to_string(columns), std::to_string(entry.matrices),
               std::to_string(entry.unseen), fmt::format("{:.4g}", sums.mean),
               fmt::format("{:.4g}", sums.largest),
               fmt::format("{:.1f} %", 100 * sums.idle_share)});
  }
  if (json)
    return Json::object({{"kind", "imatrix"},
                         {"dataset", imatrix.dataset()},
                         {"chunks", imatrix.chunks()},
                         {"entries", std::move(list)}})
        .dump_pretty();
  std::string title = fmt::format("importance matrix, {} entries", imatrix.entries().size());
  if (imatrix.chunks() > 0) title += fmt::format(", {} chunks", imatrix.chunks());
  if (!imatrix.dataset().empty()) title += " of " + shown(imatrix.dataset());
  return fmt::format("{}\n\n{}", title, table.text());
}

std::string safetensors_text(const ReadableFile& file, const fs::path& path, bool json) {
  const auto header = formats::read_safetensors_header(file, path.string());
  Json list = Json::array();
  Table table({"tensor", "type", ">shape", ">size"});
  for (const formats::SafetensorsEntry& entry : header.entries) {
    list.push_back(Json::object({{"name", entry.name},
                                 {"type", entry.dtype_text},
                                 {"shape", shape_json(entry.shape)},
                                 {"offset", entry.offset},
                                 {"size", entry.size_bytes}}));
    table.add({entry.name, entry.dtype_text, shape_text(entry.shape),
               rules::display_bytes(entry.size_bytes)});
  }
  if (json)
    return Json::object({{"kind", "safetensors"}, {"tensors", std::move(list)}}).dump_pretty();
  return fmt::format("safetensors, {} tensors\n\n{}", header.entries.size(), table.text());
}

// How many other files may copy, by file.
Json pieces_json(const cache::Record& record) {
  Json counts = Json::object();
  for (const auto& [name, pieces] : record.pieces) counts[name] = pieces.size();
  return counts;
}

std::string record_text(std::string_view bytes, bool json) {
  const cache::Record record = cache::parse_record(bytes);
  Json inline_files = Json::object();
  for (const auto& [name, content] : record.inline_files) inline_files[name] = content;
  const Json value = Json::object({{"kind", "record"},
                                   {"rule", record.rule},
                                   {"key", record.key.hex()},
                                   {"artifact", cache::to_json(record.artifact)},
                                   {"inline", std::move(inline_files)},
                                   {"seconds", record.seconds},
                                   {"peak_memory_bytes", record.peak_memory_bytes},
                                   {"machine", record.machine},
                                   {"tool_version", record.tool_version},
                                   {"pieces", pieces_json(record)},
                                   {"key_text", record.key_text}});
  if (json) return value.dump_pretty();
  std::string text = fmt::format("record of {}, made by {} in {}\n\nkey {}\n{}\n", record.rule,
                                 record.tool_version, rules::display_seconds(record.seconds),
                                 record.key.hex(), record.key_text);
  for (const cache::FileEntry& file : record.artifact.files)
    text += fmt::format("\nfile {} {} {}\n", file.name, rules::display_bytes(file.size_bytes),
                        file.sha256.hex());
  for (const auto& [name, pieces] : record.pieces)
    text += fmt::format("\npieces of {}: {}, which another file may copy\n", name, pieces.size());
  for (const auto& [name, content] : record.inline_files)
    text += fmt::format("\n--- {}\n{}\n", name, content);
  return text;
}

}  // namespace

std::string inspect_text(FileSystem& files, const fs::path& path, bool json) {
  const auto file = files.open(path);
  if (formats::is_gguf(*file)) {
    const auto reader = formats::GgufReader::open(files, path);
    return formats::is_imatrix(reader.metadata()) ? imatrix_text(files, path, json)
                                                  : gguf_text(reader, json);
  }
  std::array<std::byte, 14> beginning{};
  const std::size_t got = file->read_at(0, beginning);
  const std::string_view text = as_text(Bytes(beginning).first(got));
  if (text.starts_with("qbuild-record "))
    return with_context(path.string(), [&] {
      return record_text(read_file(files, path, cache::kMaxRecordBytes), json);
    });
  if (path.extension() == ".safetensors" || (got > 9 && text[8] == '{'))
    return safetensors_text(*file, path, json);
  // An older importance matrix has no sign of its own; its name says it.
  if (path.extension() == ".dat" || path.extension() == ".imatrix")
    return imatrix_text(files, path, json);
  throw Error(ErrorKind::kUnsupported,
              fmt::format("{} is no GGUF, safetensors or record file, and no importance matrix "
                          "(.dat, .imatrix); these can be inspected",
                          path.string()));
}

}  // namespace qbuild::cli
