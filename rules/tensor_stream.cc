#include "rules/tensor_stream.h"

#include <fmt/core.h>

#include <algorithm>
#include <cstring>

#include "base/error.h"
#include "kernels/codec.h"
#include "models/tensor_names.h"

namespace qbuild::rules {
namespace {

// Values in one slab: 16 MB as floats, which stays in the second-level caches of a few cores per
// part and keeps system calls rare.
constexpr std::uint64_t kSlabValues = 4u << 20;

// Copies source rows into the order that the GGUF has, within whole heads.
void order_rows(Bytes stored, std::uint64_t row_bytes, std::uint64_t rows, std::uint64_t head_dim,
                MutableBytes ordered) {
  for (std::uint64_t row = 0; row < rows; ++row)
    std::memcpy(ordered.data() + row * row_bytes,
                stored.data() + models::checkpoint_row(row, head_dim) * row_bytes, row_bytes);
}

}  // namespace

TensorStream::TensorStream(const formats::Checkpoint& checkpoint, Encoding encoding,
                           ThreadPool& pool)
    : checkpoint_(checkpoint), encoding_(encoding), pool_(pool) {}

void TensorStream::convert(const StreamedTensor& tensor,
                           const std::function<void(Bytes encoded)>& emit) {
  with_context(fmt::format("tensor {} ({})", tensor.name, tensor.source->name), [&] {
    if (tensor.shape.empty() || tensor.values() == 0)
      throw Error(ErrorKind::kCorrupt, "its shape holds no values");
    const std::uint64_t rows = tensor.values() / tensor.row_length();
    const std::uint64_t head = std::max<std::uint64_t>(1, tensor.permuted_head_dim);
    if (rows % head != 0)
      throw Error(ErrorKind::kInvalidInput,
                  fmt::format("{} rows are no whole heads of {}", rows, head));
    const std::uint64_t heads_per_slab =
        std::max<std::uint64_t>(1, kSlabValues / (tensor.row_length() * head));
    const std::uint64_t slab_rows = heads_per_slab * head;
    for (std::uint64_t row = 0; row < rows; row += slab_rows)
      convert_slab(tensor, row, std::min(slab_rows, rows - row), emit);
  });
}

void TensorStream::convert_slab(const StreamedTensor& tensor, std::uint64_t first_row,
                                std::uint64_t rows, const std::function<void(Bytes)>& emit) {
  const std::uint64_t row_length = tensor.row_length();
  const auto stored_row = row_bytes(tensor.source->dtype, row_length);
  const auto encoded_row = row_bytes(tensor.type, row_length);
  if (!stored_row || !encoded_row)
    throw Error(ErrorKind::kInvalidInput,
                fmt::format("rows of {} values are no whole blocks", row_length));
  stored_.resize(rows * *stored_row);
  checkpoint_.read(*tensor.source, first_row * *stored_row, stored_);
  if (tensor.permuted_head_dim > 0) {
    ordered_.resize(stored_.size());
    order_rows(stored_, *stored_row, rows, tensor.permuted_head_dim, ordered_);
    stored_.swap(ordered_);
  }
  values_.resize(rows * row_length);
  turn_ = 1 - turn_;
  std::vector<std::byte>& encoded = encoded_[turn_];
  encoded.resize(rows * *encoded_row);
  pool_.parallel_for(rows, 1, [&](std::size_t begin, std::size_t end) {
    const auto values = std::span(values_).subspan(begin * row_length, (end - begin) * row_length);
    kernels::to_f32(encoding_.backend, tensor.source->dtype,
                    Bytes(stored_).subspan(begin * *stored_row, (end - begin) * *stored_row),
                    values);
    kernels::encode_rows(
        encoding_.backend, tensor.type, values, row_length,
        MutableBytes(encoded).subspan(begin * *encoded_row, (end - begin) * *encoded_row),
        {.effort = encoding_.effort, .first_index = (first_row + begin) * row_length});
  });
  emit(encoded);
}

}  // namespace qbuild::rules
