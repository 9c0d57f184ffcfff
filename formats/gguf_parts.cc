#include "formats/gguf_parts.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <numeric>

#include "base/error.h"
#include "base/shown.h"

namespace qbuild::formats {
namespace {

constexpr std::string_view kNumberKey = "split.no";
constexpr std::string_view kCountKey = "split.count";
constexpr std::string_view kTensorsKey = "split.tensors.count";
constexpr std::string_view kEnding = ".gguf";
constexpr std::string_view kOf = "-of-";
constexpr std::size_t kDigits = 5;

std::optional<std::uint64_t> five_digits(std::string_view text) {
  std::uint64_t value = 0;
  if (text.size() != kDigits) return std::nullopt;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (problem != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// 1 for a file that was never split.
std::uint64_t part_count(const GgufMetadata& metadata) {
  if (find_value(metadata, kCountKey) == nullptr) return 1;
  const std::uint64_t count = require_uint(metadata, kCountKey);
  if (count > kMaxGgufParts)
    throw Error(ErrorKind::kCorrupt,
                fmt::format("it says that it is one of {} parts, of which at most {} are read",
                            count, kMaxGgufParts));
  return std::max<std::uint64_t>(count, 1);
}

void require_number(const GgufReader& reader, std::uint64_t number, std::uint64_t count) {
  const std::uint64_t said_count = part_count(reader.metadata());
  const std::uint64_t said_number = find_value(reader.metadata(), kNumberKey) == nullptr
                                        ? 0
                                        : require_uint(reader.metadata(), kNumberKey);
  if (said_count != count || said_number != number)
    throw Error(ErrorKind::kCorrupt,
                fmt::format("it says that it is part {} of {}; its name says {} of {}",
                            said_number + 1, said_count, number + 1, count));
}

}  // namespace

std::string GgufPartName::file_name() const {
  return fmt::format("{}-{:05}{}{:05}{}", stem, number, kOf, count, kEnding);
}

std::optional<GgufPartName> parse_gguf_part_name(std::string_view file_name) {
  constexpr std::size_t kTail = 1 + kDigits + kOf.size() + kDigits;
  if (!file_name.ends_with(kEnding)) return std::nullopt;
  file_name.remove_suffix(kEnding.size());
  if (file_name.size() <= kTail) return std::nullopt;
  const std::string_view tail = file_name.substr(file_name.size() - kTail);
  const auto number = five_digits(tail.substr(1, kDigits));
  const auto count = five_digits(tail.substr(1 + kDigits + kOf.size()));
  if (tail.front() != '-' || tail.substr(1 + kDigits, kOf.size()) != kOf || !number || !count ||
      *number == 0 || *number > *count)
    return std::nullopt;
  return GgufPartName{std::string(file_name.substr(0, file_name.size() - kTail)), *number, *count};
}

GgufParts GgufParts::open(FileSystem& file_system, const fs::path& path) {
  GgufParts parts;
  GgufReader first = GgufReader::open(file_system, path);
  const GgufMetadata metadata = first.metadata();
  const auto count = with_context(path.string(), [&] { return part_count(metadata); });
  std::optional<GgufPartName> name;
  if (count > 1) {
    name = parse_gguf_part_name(path.filename().string());
    if (!name || name->count != count)
      throw Error(ErrorKind::kInvalidInput,
                  fmt::format("{}: it is one of {} parts, and its name does not tell the others; "
                              "call them NAME-00001-of-{:05}.gguf and so on",
                              path.string(), count, count));
    if (name->number != 1) {
      const std::uint64_t number = std::exchange(name->number, 1);
      throw Error(ErrorKind::kInvalidInput,
                  fmt::format("{}: it is part {} of {}; give the first, {}", path.string(), number,
                              count, name->file_name()));
    }
    with_context(path.string(), [&] { require_number(first, 0, count); });
  }
  parts.add_part(std::move(first), path);
  for (std::uint64_t i = 1; i < count; ++i) {
    name->number = i + 1;
    const fs::path other = path.parent_path() / name->file_name();
    if (!file_system.stat(other))
      throw Error(ErrorKind::kNotFound,
                  fmt::format("{}: part {} of {} is missing; it lies beside the first",
                              other.string(), i + 1, count));
    GgufReader reader = GgufReader::open(file_system, other);
    with_context(other.string(), [&] { require_number(reader, i, count); });
    parts.add_part(std::move(reader), other);
  }
  parts.index_names();
  if (count > 1 && find_value(metadata, kTensorsKey) != nullptr)
    with_context(path.string(), [&] {
      const std::uint64_t said = require_uint(metadata, kTensorsKey);
      if (said != parts.tensors_.size())
        throw Error(ErrorKind::kCorrupt,
                    fmt::format("all parts together have {} tensors; {} were split",
                                parts.tensors_.size(), said));
    });
  for (const GgufPair& pair : metadata)
    if (pair.key != kNumberKey && pair.key != kCountKey && pair.key != kTensorsKey)
      parts.metadata_.push_back(pair);
  return parts;
}

void GgufParts::add_part(GgufReader reader, const fs::path& path) {
  if (tensors_.size() + reader.tensors().size() > kMaxGgufTensors)
    throw Error(ErrorKind::kExhausted,
                fmt::format("{}: with it there are more than {} tensors, which is all that is read",
                            path.string(), kMaxGgufTensors));
  for (const GgufTensor& tensor : reader.tensors()) tensors_.push_back({tensor, readers_.size()});
  readers_.push_back(std::move(reader));
  paths_.push_back(path);
}

void GgufParts::index_names() {
  by_name_.resize(tensors_.size());
  std::iota(by_name_.begin(), by_name_.end(), 0U);
  std::sort(by_name_.begin(), by_name_.end(), [&](std::uint32_t a, std::uint32_t b) {
    return tensors_[a].tensor.name < tensors_[b].tensor.name;
  });
  for (std::size_t i = 1; i < by_name_.size(); ++i) {
    const GgufPartTensor& one = tensors_[by_name_[i - 1]];
    const GgufPartTensor& other = tensors_[by_name_[i]];
    if (one.tensor.name == other.tensor.name)
      throw Error(ErrorKind::kCorrupt,
                  fmt::format("{} and {} both hold the tensor {}", paths_[one.part].string(),
                              paths_[other.part].string(), shown(one.tensor.name)));
  }
}

const GgufPartTensor* GgufParts::find(std::string_view name) const {
  const auto found = std::lower_bound(
      by_name_.begin(), by_name_.end(), name,
      [&](std::uint32_t i, std::string_view n) { return tensors_[i].tensor.name < n; });
  if (found == by_name_.end() || tensors_[*found].tensor.name != name) return nullptr;
  return &tensors_[*found];
}

void GgufParts::read(const GgufPartTensor& tensor, std::uint64_t offset, MutableBytes out) const {
  readers_[tensor.part].read(tensor.tensor, offset, out);
}

}  // namespace qbuild::formats
