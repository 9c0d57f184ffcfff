#include "formats/safetensors.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>

#include "base/bytes.h"
#include "base/error.h"
#include "base/json.h"
#include "base/shown.h"

namespace qbuild::formats {
namespace {

struct TypeName {
  std::string_view text;
  std::uint32_t bytes;
  std::optional<DType> dtype;
};
constexpr std::array<TypeName, 14> kTypes{{{"BOOL", 1, std::nullopt},
                                           {"U8", 1, std::nullopt},
                                           {"I8", 1, DType::kI8},
                                           {"F8_E5M2", 1, std::nullopt},
                                           {"F8_E4M3", 1, std::nullopt},
                                           {"I16", 2, DType::kI16},
                                           {"U16", 2, std::nullopt},
                                           {"F16", 2, DType::kF16},
                                           {"BF16", 2, DType::kBF16},
                                           {"I32", 4, DType::kI32},
                                           {"U32", 4, std::nullopt},
                                           {"F32", 4, DType::kF32},
                                           {"I64", 8, DType::kI64},
                                           {"F64", 8, DType::kF64}}};

[[noreturn]] void corrupt(const std::string& what) {
  throw Error(ErrorKind::kCorrupt, what);
}

// What a header says of one tensor, and where that lies in a file.
class EntryReader {
 public:
  EntryReader(std::uint64_t data_begin, std::uint64_t data_bytes)
      : data_begin_(data_begin), data_bytes_(data_bytes) {}

  [[nodiscard]] SafetensorsEntry read(const std::string& tensor, const Json& json) const {
    SafetensorsEntry entry;
    entry.name = tensor;
    entry.dtype_text = json.at("dtype").as_string();
    const auto* const type = std::find_if(kTypes.begin(), kTypes.end(), [&](const TypeName& known) {
      return known.text == entry.dtype_text;
    });
    if (type == kTypes.end())
      corrupt(fmt::format("it has the unknown type \"{}\"", shown(entry.dtype_text)));
    entry.dtype = type->dtype;
    const std::optional<std::uint64_t> needed = read_shape(json.at("shape"), type->bytes, entry);
    read_range(json.at("data_offsets"), needed, entry);
    return entry;
  }

 private:
  // The bytes that the shape needs; nothing if they cannot be counted.
  static std::optional<std::uint64_t> read_shape(const Json& json, std::uint64_t value_bytes,
                                                 SafetensorsEntry& entry) {
    const auto& shape = json.as_array();
    if (shape.size() > kMaxSafetensorsDimensions)
      corrupt(fmt::format("it has {} dimensions, more than {}", shape.size(),
                          kMaxSafetensorsDimensions));
    std::optional<std::uint64_t> bytes = value_bytes;
    for (const Json& extent : shape) {
      entry.shape.push_back(with_context("shape", [&] { return extent.as_uint(); }));
      if (bytes) bytes = checked_mul(*bytes, entry.shape.back());
    }
    return bytes;
  }

  void read_range(const Json& json, std::optional<std::uint64_t> needed,
                  SafetensorsEntry& entry) const {
    const auto& offsets = json.as_array();
    if (offsets.size() != 2) corrupt("it has no pair of offsets");
    const auto offset = [&](std::size_t i) {
      return with_context("data_offsets", [&] { return offsets[i].as_uint(); });
    };
    const std::uint64_t begin = offset(0);
    const std::uint64_t end = offset(1);
    if (begin > end || end > data_bytes_)
      corrupt(fmt::format("it spans bytes {} to {}, but the file has {} bytes of data", begin, end,
                          data_bytes_));
    if (!needed || *needed != end - begin)
      corrupt(
          fmt::format("it has {} bytes, which is not what its shape and type need", end - begin));
    entry.offset = data_begin_ + begin;
    entry.size_bytes = end - begin;
  }

  std::uint64_t data_begin_;
  std::uint64_t data_bytes_;
};

void check_tiling(const std::vector<SafetensorsEntry>& entries, std::uint64_t data_begin,
                  std::uint64_t file_bytes) {
  std::uint64_t at = data_begin;
  for (const SafetensorsEntry& entry : entries) {
    if (entry.offset != at)
      corrupt(
          fmt::format("there is a hole or an overlap before tensor {}: it begins at byte {} of "
                      "the data instead of {}",
                      shown(entry.name), entry.offset - data_begin, at - data_begin));
    at += entry.size_bytes;
  }
  if (at != file_bytes) corrupt(fmt::format("{} bytes follow the last tensor", file_bytes - at));
}

// The header's values; its text is gone when it returns.
Json read_values(const ReadableFile& file, std::uint64_t header_bytes) {
  std::string text(header_bytes, '\0');
  read_exactly(file, 8, std::as_writable_bytes(std::span(text)));
  return with_context("header", [&] { return Json::parse(text, kMaxSafetensorsMemoryBytes); });
}

std::vector<SafetensorsEntry> read_entries(const Json& values, const EntryReader& reader) {
  std::vector<SafetensorsEntry> entries;
  const auto& members =
      with_context("header", [&]() -> const Json::Object& { return values.as_object(); });
  for (const auto& [tensor, value] : members) {
    if (tensor == "__metadata__") continue;
    try {
      entries.push_back(reader.read(tensor, value));
    } catch (Error& error) {
      error.add_context("tensor " + shown(tensor));
      throw;
    }
  }
  std::stable_sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) {
    return a.offset != b.offset ? a.offset < b.offset : a.size_bytes < b.size_bytes;
  });
  return entries;
}

}  // namespace

bool is_lfs_pointer(std::string_view beginning) {
  return beginning.starts_with("version https://git-lfs");
}

void refuse_lfs_pointer(std::string_view beginning, const fs::path& path) {
  if (!is_lfs_pointer(beginning)) return;
  throw Error(
      ErrorKind::kInvalidInput,
      fmt::format("{} is a Git LFS pointer, not the file itself; run \"git lfs pull\" in {}",
                  path.string(), path.parent_path().empty() ? "." : path.parent_path().string()));
}

SafetensorsHeader read_safetensors_header(const ReadableFile& file, const std::string& name) {
  const std::uint64_t file_bytes = file.stat().size_bytes;
  std::array<std::byte, 32> beginning{};
  const std::size_t got = file.read_at(0, beginning);
  refuse_lfs_pointer(as_text(Bytes(beginning).first(got)), name);
  return with_context(name, [&] {
    if (got < 8 || file_bytes < 8)
      corrupt(fmt::format("it has {} bytes, too few for a safetensors file", got));
    const auto header_bytes = load_le<std::uint64_t>(beginning.data());
    if (header_bytes > file_bytes - 8)
      corrupt(
          fmt::format("its header claims {} bytes, the file has {}; it is no safetensors file or "
                      "was cut off",
                      header_bytes, file_bytes));
    if (header_bytes > kMaxSafetensorsHeaderBytes)
      throw Error(ErrorKind::kExhausted, fmt::format("its header has {} bytes; at most {} are read",
                                                     header_bytes, kMaxSafetensorsHeaderBytes));
    const std::uint64_t data_begin = 8 + header_bytes;
    SafetensorsHeader header;
    try {
      header.entries = read_entries(read_values(file, header_bytes),
                                    EntryReader(data_begin, file_bytes - data_begin));
    } catch (const Error& error) {
      // Whatever else is wrong with it, it is not the header that its writer made.
      if (error.kind() != ErrorKind::kInvalidInput) throw;
      corrupt(error.message());
    }
    check_tiling(header.entries, data_begin, file_bytes);
    return header;
  });
}

}  // namespace qbuild::formats
