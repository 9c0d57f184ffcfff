#include "formats/gguf_writer.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <set>

#include "base/check.h"
#include "base/error.h"

namespace qbuild::formats {
namespace {

template <typename T>
void put(std::string& out, T value) {
  std::array<std::byte, sizeof(T)> bytes{};
  store_le(bytes.data(), value);
  out += as_text(bytes);
}

std::uint64_t bytes_of(const GgufTensorSpec& tensor) {
  if (tensor.name.empty() || tensor.name.size() > kMaxGgufNameBytes)
    throw Error(ErrorKind::kInvalidInput,
                fmt::format("\"{}\" is no name for a tensor: 1 to {} bytes", tensor.name,
                            kMaxGgufNameBytes));
  if (tensor.shape.empty() || tensor.shape.size() > kMaxGgufDimensions)
    throw Error(ErrorKind::kInvalidInput,
                fmt::format("tensor {} has {} dimensions; GGUF holds 1 to 4", tensor.name,
                            tensor.shape.size()));
  std::optional<std::uint64_t> bytes = row_bytes(tensor.dtype, tensor.shape[0]);
  if (!bytes)
    throw Error(ErrorKind::kInvalidInput,
                fmt::format("tensor {}: rows of {} values are no whole blocks of {}", tensor.name,
                            tensor.shape[0], dtype_name(tensor.dtype)));
  for (std::size_t i = 1; i < tensor.shape.size() && bytes; ++i)
    bytes = checked_mul(*bytes, tensor.shape[i]);
  if (!bytes || *bytes == 0)
    throw Error(ErrorKind::kInvalidInput,
                fmt::format("tensor {} has an impossible size", tensor.name));
  return *bytes;
}

constexpr std::array<std::byte, kGgufAlignment> kZeros{};

}  // namespace

GgufWriter::GgufWriter(WritableFile& file, const GgufMetadata& metadata,
                       const std::vector<GgufTensorSpec>& tensors)
    : file_(file) {
  std::string header = "GGUF";
  put(header, kGgufVersion);
  put(header, static_cast<std::int64_t>(tensors.size()));
  put(header, static_cast<std::int64_t>(metadata.size()));
  std::set<std::string_view> names;
  for (const GgufPair& pair : metadata) {
    if (!names.insert(pair.key).second)
      throw Error(ErrorKind::kInvalidInput, fmt::format("the key {} twice", pair.key));
    if (pair.key == "general.alignment" && pair.value != GgufValue::u32(kGgufAlignment))
      throw Error(
          ErrorKind::kInvalidInput,
          fmt::format("general.alignment is not {}, which is what is written", kGgufAlignment));
    append_pair(header, pair);
  }
  names.clear();
  std::uint64_t offset = 0;
  for (const GgufTensorSpec& tensor : tensors) {
    sizes_.push_back(bytes_of(tensor));
    if (!names.insert(tensor.name).second)
      throw Error(ErrorKind::kInvalidInput,
                  fmt::format("two tensors would be called {}", tensor.name));
    put(header, std::uint64_t{tensor.name.size()});
    header += tensor.name;
    put(header, static_cast<std::uint32_t>(tensor.shape.size()));
    for (const std::uint64_t extent : tensor.shape) put(header, static_cast<std::int64_t>(extent));
    put(header, static_cast<std::uint32_t>(tensor.dtype));
    put(header, offset);
    offsets_.push_back(offset);
    offset = align_up(offset + sizes_.back(), kGgufAlignment);
  }
  header.resize(align_up(header.size(), kGgufAlignment), '\0');
  for (std::uint64_t& begin : offsets_) begin += header.size();
  total_bytes_ = header.size() + offset;
  file_.append(as_bytes(header));
}

void GgufWriter::append(Bytes bytes) {
  while (!bytes.empty()) {
    check(current_ < sizes_.size(), "no more tensors are written than were declared");
    const std::size_t count = static_cast<std::size_t>(
        std::min<std::uint64_t>(bytes.size(), sizes_[current_] - written_of_current_));
    file_.append(bytes.first(count));
    written_of_current_ += count;
    bytes = bytes.subspan(count);
    if (written_of_current_ == sizes_[current_]) pad();
  }
}

void GgufWriter::pad() {
  const std::uint64_t padding = align_up(sizes_[current_], kGgufAlignment) - sizes_[current_];
  if (padding > 0) file_.append(Bytes(kZeros).first(padding));
  ++current_;
  written_of_current_ = 0;
}

void GgufWriter::finish() {
  check(current_ == sizes_.size() && written_of_current_ == 0,
        "every tensor is written completely");
}

}  // namespace qbuild::formats
