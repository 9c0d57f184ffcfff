#include "rules/tensor_stream.h"

#include <fmt/core.h>

#include <algorithm>
#include <cstring>
#include <optional>

#include "base/check.h"
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

std::uint64_t stored_row_bytes(const WeightTensor& tensor) {
  const auto bytes = row_bytes(tensor.stored, tensor.row_length());
  if (!bytes)
    throw Error(ErrorKind::kInvalidInput,
                fmt::format("rows of {} values are no whole blocks", tensor.row_length()));
  return *bytes;
}

// Which columns' importance goes with which rows.
class ImportanceOfRows {
 public:
  ImportanceOfRows(const WeightTensor& tensor, const Encoding& encoding)
      : columns_(tensor.row_length()), rows_(tensor.values() / tensor.row_length()) {
    if (encoding.importance.columns == nullptr) return;
    numbers_ = *encoding.importance.columns;
    const std::uint64_t matrices = numbers_.size() / columns_;
    check(matrices > 0 && numbers_.size() % columns_ == 0 && rows_ % matrices == 0,
          "each of a tensor's matrices has its importance");
    rows_of_matrix_ = rows_ / matrices;
  }

  [[nodiscard]] std::uint64_t end_of_matrix(std::uint64_t row) const {
    return numbers_.empty() ? rows_ : (row / rows_of_matrix_ + 1) * rows_of_matrix_;
  }
  [[nodiscard]] std::span<const float> of_row(std::uint64_t row) const {
    return numbers_.empty() ? numbers_
                            : numbers_.subspan(row / rows_of_matrix_ * columns_, columns_);
  }

 private:
  std::uint64_t columns_;
  std::uint64_t rows_;
  std::uint64_t rows_of_matrix_ = 1;
  std::span<const float> numbers_;
};

}  // namespace

TensorStream::TensorStream(const WeightSource& source, kernels::Backend backend, ThreadPool& pool)
    : source_(source), backend_(backend), pool_(pool), buffers_(std::make_shared<BufferPool>()) {}

TensorStream::~TensorStream() = default;

std::string TensorStream::convert(
    std::size_t tensor_index, std::span<const Encoding> wanted,
    const std::function<void(std::size_t wanted, const EncodedPiece& piece)>& emit) {
  const WeightTensor& tensor = source_.tensors()[tensor_index];
  return with_context(fmt::format("tensor {} ({})", tensor.name, tensor.stored_name), [&] {
    checksum_ = Xxh3();
    const std::uint64_t values = tensor.values();
    if (tensor.shape.empty() || values == 0)
      throw Error(ErrorKind::kCorrupt, "its shape holds no values");
    const std::uint64_t rows = values / tensor.row_length();
    const std::uint64_t unit = std::max<std::uint64_t>(tensor.permuted_head_dim, 1);
    if (rows % unit != 0)
      throw Error(ErrorKind::kInvalidInput,
                  fmt::format("{} rows are no whole heads of {}", rows, unit));
    const std::uint64_t units_per_slab =
        std::max<std::uint64_t>(kSlabValues / (tensor.row_length() * unit), 1);
    const auto slab_at = [&](std::uint64_t row) -> Slab {
      return {row, std::min(units_per_slab * unit, rows - row)};
    };
    start_reading(tensor_index, slab_at(0));
    for (std::uint64_t row = 0; row < rows;) {
      const Slab slab = slab_at(row);
      row += slab.rows;
      reading_.finish();
      stored_.swap(arrived_);
      bytes_read_ += stored_.size();
      if (row < rows) start_reading(tensor_index, slab_at(row));
      if (wanted.empty()) continue;
      decode(tensor, slab);
      std::vector<EncodedPiece> pieces(wanted.size());
      for (std::size_t i = 0; i < wanted.size(); ++i) {
        const auto same =
            std::find(wanted.begin(), wanted.begin() + static_cast<std::ptrdiff_t>(i), wanted[i]);
        const auto before = static_cast<std::size_t>(same - wanted.begin());
        pieces[i] = before < i ? pieces[before] : encode(tensor, slab, wanted[i]);
        emit(i, pieces[i]);
      }
    }
    return checksum_.hex();
  });
}

void TensorStream::start_reading(std::size_t tensor_index, const Slab& slab) {
  const std::uint64_t row = stored_row_bytes(source_.tensors()[tensor_index]);
  arrived_.resize(slab.rows * row);
  reading_.run([this, tensor_index, offset = slab.first_row * row] {
    source_.read(tensor_index, offset, arrived_);
    checksum_.update(arrived_);
  });
}

// From stored_ into values_, both in the GGUF's order.
void TensorStream::decode(const WeightTensor& tensor, const Slab& slab) {
  const std::uint64_t row_length = tensor.row_length();
  const std::uint64_t row = stored_row_bytes(tensor);
  if (tensor.permuted_head_dim > 0) {
    ordered_.resize(stored_.size());
    order_rows(stored_, row, slab.rows, tensor.permuted_head_dim, ordered_);
    stored_.swap(ordered_);
  }
  if (tensor.is_opaque) return;
  values_.resize(slab.rows * row_length);
  pool_.parallel_for(slab.rows, 1, [&](std::size_t begin, std::size_t end) {
    kernels::decode_rows(
        backend_, tensor.stored, Bytes(stored_).subspan(begin * row, (end - begin) * row),
        std::span(values_).subspan(begin * row_length, (end - begin) * row_length));
  });
}

EncodedPiece TensorStream::encode(const WeightTensor& tensor, const Slab& slab,
                                  const Encoding& encoding) {
  const std::uint64_t row_length = tensor.row_length();
  const auto row = row_bytes(encoding.type, row_length);
  if (!row)
    throw Error(ErrorKind::kInvalidInput,
                fmt::format("rows of {} values are no whole blocks", row_length));
  const auto buffer = buffers_->take();
  buffer->resize(slab.rows * *row);
  // Of plain numbers each is looked at: weights that are none are refused.
  const bool is_plain = dtype_info(tensor.stored).block_values == 1;
  if (encoding.type == tensor.stored && (tensor.is_opaque || !is_plain)) {
    std::memcpy(buffer->data(), stored_.data(), buffer->size());
    return buffer;
  }
  const ImportanceOfRows importance(tensor, encoding);
  pool_.parallel_for(slab.rows, 1, [&](std::size_t begin, std::size_t end) {
    while (begin < end) {
      const std::uint64_t first = slab.first_row + begin;
      const std::size_t until =
          std::min<std::uint64_t>(end, importance.end_of_matrix(first) - slab.first_row);
      kernels::encode_rows(
          backend_, encoding.type,
          std::span(values_).subspan(begin * row_length, (until - begin) * row_length), row_length,
          MutableBytes(*buffer).subspan(begin * *row, (until - begin) * *row),
          {.importance = importance.of_row(first),
           .effort = encoding.effort,
           .first_index = first * row_length});
      begin = until;
    }
  });
  return buffer;
}

}  // namespace qbuild::rules
