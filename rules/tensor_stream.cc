#include "rules/tensor_stream.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
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

// Of rows whose values are divided before they are encoded: what stays in a first-level cache.
std::size_t rows_at_once(std::uint64_t row_length) {
  constexpr std::uint64_t kValues = 4096;
  return std::max<std::uint64_t>(1, kValues / row_length);
}

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

// What goes with the rows of each of a tensor's matrices: the importance of its columns, and the
// factor by which its values are divided.
class MatricesOfRows {
 public:
  MatricesOfRows(const WeightTensor& tensor, const Encoding& encoding)
      : columns_(tensor.row_length()), rows_(tensor.values() / tensor.row_length()) {
    if (encoding.importance.columns != nullptr) {
      importance_ = *encoding.importance.columns;
      check(importance_.size() % columns_ == 0, "importance is of whole rows");
      divide(importance_.size() / columns_, rows_of_importance_);
    }
    if (encoding.is_scaled) {
      check(encoding.scales != nullptr, "factors are known before anything is divided by them");
      scales_ = *encoding.scales;
      divide(scales_.size(), rows_of_scale_);
    }
  }

  // Where the next matrix begins.
  [[nodiscard]] std::uint64_t end_of_matrix(std::uint64_t row) const {
    return std::min(row - row % rows_of_importance_ + rows_of_importance_,
                    row - row % rows_of_scale_ + rows_of_scale_);
  }
  [[nodiscard]] std::span<const float> importance_of(std::uint64_t row) const {
    return importance_.empty()
               ? importance_
               : importance_.subspan(row / rows_of_importance_ * columns_, columns_);
  }
  [[nodiscard]] float scale_of(std::uint64_t row) const {
    return scales_.empty() ? 1 : scales_[row / rows_of_scale_];
  }

 private:
  void divide(std::uint64_t matrices, std::uint64_t& rows_of_matrix) const {
    check(matrices > 0 && rows_ % matrices == 0, "matrices have whole rows");
    rows_of_matrix = rows_ / matrices;
  }

  std::uint64_t columns_;
  std::uint64_t rows_;
  std::uint64_t rows_of_importance_ = rows_;
  std::uint64_t rows_of_scale_ = rows_;
  std::span<const float> importance_;
  std::span<const float> scales_;
};

// Not-a-number counts as nothing: whoever encodes it says where it is.
float largest_of(std::span<const float> values) {
  float largest = 0;
  for (const float value : values) largest = std::max(largest, std::abs(value));
  return largest;
}

}  // namespace

TensorStream::TensorStream(const WeightSource& source, kernels::Backend backend, ThreadPool& pool)
    : source_(source), backend_(backend), pool_(pool), buffers_(std::make_shared<BufferPool>()) {}

TensorStream::~TensorStream() = default;

std::string TensorStream::convert(
    std::size_t tensor_index, std::span<const Encoding> wanted,
    const std::function<void(std::size_t wanted, const EncodedPiece& piece)>& emit) {
  const WeightTensor& tensor = source_.tensors()[tensor_index];
  return read(tensor_index, [&](const Slab& slab) {
    if (wanted.empty()) return;
    decode(tensor, slab);
    std::vector<EncodedPiece> pieces(wanted.size());
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      const auto same =
          std::find(wanted.begin(), wanted.begin() + static_cast<std::ptrdiff_t>(i), wanted[i]);
      const auto before = static_cast<std::size_t>(same - wanted.begin());
      pieces[i] = before < i ? pieces[before] : encode(tensor, slab, wanted[i]);
      emit(i, pieces[i]);
    }
  });
}

TensorStream::Survey TensorStream::survey(std::size_t tensor_index, std::uint64_t matrices) {
  const WeightTensor& tensor = source_.tensors()[tensor_index];
  std::vector<float> largest(matrices, 0.0F);
  std::vector<float> of_row;
  const auto take = [&](const Slab& slab) {
    decode(tensor, slab);
    of_row.resize(slab.rows);
    pool_.parallel_for(slab.rows, 1, [&](std::size_t begin, std::size_t end) {
      for (std::size_t row = begin; row < end; ++row)
        of_row[row] =
            largest_of(std::span(values_).subspan(row * tensor.row_length(), tensor.row_length()));
    });
    const std::uint64_t rows_of_matrix = tensor.values() / tensor.row_length() / matrices;
    for (std::uint64_t row = 0; row < slab.rows; ++row) {
      float& here = largest[(slab.first_row + row) / rows_of_matrix];
      here = std::max(here, of_row[row]);
    }
  };
  std::string checksum = read(tensor_index, take);
  return {std::move(checksum), std::move(largest)};
}

std::string TensorStream::read(std::size_t tensor_index,
                               const std::function<void(const Slab& slab)>& take) {
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
      take(slab);
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
  const MatricesOfRows matrices(tensor, encoding);
  pool_.parallel_for(slab.rows, 1, [&](std::size_t begin, std::size_t end) {
    std::vector<float> divided;
    while (begin < end) {
      const std::uint64_t first = slab.first_row + begin;
      const float scale = matrices.scale_of(first);
      std::size_t until =
          std::min<std::uint64_t>(end, matrices.end_of_matrix(first) - slab.first_row);
      if (scale != 1) until = std::min(until, begin + rows_at_once(row_length));
      std::span<const float> values =
          std::span(values_).subspan(begin * row_length, (until - begin) * row_length);
      if (scale != 1) {
        divided.resize(values.size());
        std::transform(values.begin(), values.end(), divided.begin(),
                       [inverse = 1 / scale](float value) { return value * inverse; });
        values = divided;
      }
      kernels::encode_rows(backend_, encoding.type, values, row_length,
                           MutableBytes(*buffer).subspan(begin * *row, (until - begin) * *row),
                           {.importance = matrices.importance_of(first),
                            .effort = encoding.effort,
                            .first_index = first * row_length});
      begin = until;
    }
  });
  return buffer;
}

}  // namespace qbuild::rules
