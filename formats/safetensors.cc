#include "formats/safetensors.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>

#include "base/bytes.h"
#include "base/error.h"
#include "base/json.h"

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

[[noreturn]] void corrupt(const std::string& name, const std::string& what) {
  throw Error(ErrorKind::kCorrupt, fmt::format("{}: {}", name, what));
}

SafetensorsEntry read_entry(const std::string& file, const std::string& tensor, const Json& json,
                            std::uint64_t data_begin, std::uint64_t data_bytes) {
  SafetensorsEntry entry;
  entry.name = tensor;
  entry.dtype_text = json.at("dtype").as_string();
  const auto* const type = std::find_if(kTypes.begin(), kTypes.end(), [&](const TypeName& known) {
    return known.text == entry.dtype_text;
  });
  if (type == kTypes.end())
    corrupt(file, fmt::format("tensor {} has the unknown type \"{}\"", tensor, entry.dtype_text));
  entry.dtype = type->dtype;
  const auto& shape = json.at("shape").as_array();
  if (shape.size() > kMaxSafetensorsDimensions)
    corrupt(file, fmt::format("tensor {} has {} dimensions", tensor, shape.size()));
  std::optional<std::uint64_t> bytes = type->bytes;
  for (const Json& extent : shape) {
    entry.shape.push_back(extent.as_uint());
    if (bytes) bytes = checked_mul(*bytes, entry.shape.back());
  }
  const auto& offsets = json.at("data_offsets").as_array();
  if (offsets.size() != 2) corrupt(file, fmt::format("tensor {} has no pair of offsets", tensor));
  const std::uint64_t begin = offsets[0].as_uint();
  const std::uint64_t end = offsets[1].as_uint();
  if (begin > end || end > data_bytes)
    corrupt(file, fmt::format("tensor {} spans bytes {} to {}, but the file has {} bytes of data",
                              tensor, begin, end, data_bytes));
  if (!bytes || *bytes != end - begin)
    corrupt(file, fmt::format("tensor {} has {} bytes, which is not what its shape and type need",
                              tensor, end - begin));
  entry.offset = data_begin + begin;
  entry.size_bytes = end - begin;
  return entry;
}

void check_tiling(const std::string& file, const std::vector<SafetensorsEntry>& entries,
                  std::uint64_t data_begin, std::uint64_t file_bytes) {
  std::uint64_t at = data_begin;
  for (const SafetensorsEntry& entry : entries) {
    if (entry.offset != at)
      corrupt(file, fmt::format("there is a hole or an overlap before tensor {}", entry.name));
    at += entry.size_bytes;
  }
  if (at != file_bytes)
    corrupt(file, fmt::format("{} bytes follow the last tensor", file_bytes - at));
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
  if (got < 8)
    corrupt(name, fmt::format("it has {} bytes, too few for a safetensors file", file_bytes));
  const auto header_bytes = load_le<std::uint64_t>(beginning.data());
  if (header_bytes > kMaxSafetensorsHeaderBytes || header_bytes > file_bytes - 8)
    corrupt(
        name,
        fmt::format(
            "its header claims {} bytes, the file has {}; it is no safetensors file or was cut off",
            header_bytes, file_bytes));
  std::string text(header_bytes, '\0');
  read_exactly(file, 8, std::as_writable_bytes(std::span(text)));
  const std::uint64_t data_begin = 8 + header_bytes;
  SafetensorsHeader header;
  try {
    const Json json = Json::parse(text);
    for (const auto& [tensor, value] : json.as_object())
      if (tensor != "__metadata__")
        header.entries.push_back(
            read_entry(name, tensor, value, data_begin, file_bytes - data_begin));
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::kCorrupt) throw;
    corrupt(name, "header: " + error.message());
  }
  std::stable_sort(header.entries.begin(), header.entries.end(), [](const auto& a, const auto& b) {
    return a.offset != b.offset ? a.offset < b.offset : a.size_bytes < b.size_bytes;
  });
  check_tiling(name, header.entries, data_begin, file_bytes);
  return header;
}

}  // namespace qbuild::formats
