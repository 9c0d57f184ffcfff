#include "rules/row_encoder.h"

#include <fmt/core.h>

#include <algorithm>
#include <cstring>

#include "base/check.h"
#include "base/error.h"
#include "kernels/codec.h"

namespace qbuild::rules {
namespace {

std::uint64_t encoded_row_bytes(DType type, std::uint64_t columns) {
  const auto bytes = row_bytes(type, columns);
  if (!bytes)
    throw Error(ErrorKind::kInvalidInput,
                fmt::format("rows of {} values are no whole blocks", columns));
  return *bytes;
}

// Of plain numbers each is looked at: weights that are none are refused.
bool are_copied(const WeightTensor& tensor, DType type) {
  const bool is_plain = dtype_info(tensor.stored).block_values == 1;
  return type == tensor.stored && (tensor.is_opaque || !is_plain);
}

}  // namespace

MatricesOfRows::MatricesOfRows(const WeightTensor& tensor, const Encoding& encoding)
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

std::uint64_t MatricesOfRows::end_of_matrix(std::uint64_t row) const {
  return std::min(row - row % rows_of_importance_ + rows_of_importance_,
                  row - row % rows_of_scale_ + rows_of_scale_);
}

std::span<const float> MatricesOfRows::importance_of(std::uint64_t row) const {
  return importance_.empty() ? importance_
                             : importance_.subspan(row / rows_of_importance_ * columns_, columns_);
}

float MatricesOfRows::scale_of(std::uint64_t row) const {
  return scales_.empty() ? 1 : scales_[row / rows_of_scale_];
}

void MatricesOfRows::divide(std::uint64_t matrices, std::uint64_t& rows_of_matrix) const {
  check(matrices > 0 && rows_ % matrices == 0, "matrices have whole rows");
  rows_of_matrix = rows_ / matrices;
}

RowEncoder::RowEncoder(const WeightTensor& tensor, const Encoding& encoding,
                       kernels::Backend backend)
    : encoding_(encoding),
      matrices_(tensor, encoding),
      backend_(backend),
      columns_(tensor.row_length()),
      row_bytes_(encoded_row_bytes(encoding.type, columns_)),
      copies_(are_copied(tensor, encoding.type)) {}

void RowEncoder::encode(std::uint64_t first_row, Bytes stored, std::span<const float> values,
                        std::vector<float>& divided, MutableBytes out) const {
  if (copies_) {
    std::memcpy(out.data(), stored.data(), out.size());
    return;
  }
  while (!values.empty()) {
    const std::uint64_t end = std::min<std::uint64_t>(matrices_.end_of_matrix(first_row),
                                                      first_row + values.size() / columns_);
    const std::uint64_t rows = end - first_row;
    std::span<const float> now = values.first(rows * columns_);
    if (const float scale = matrices_.scale_of(first_row); scale != 1) {
      divided.resize(now.size());
      std::transform(now.begin(), now.end(), divided.begin(),
                     [inverse = 1 / scale](float value) { return value * inverse; });
      now = divided;
    }
    kernels::encode_rows(backend_, encoding_.type, now, columns_, out.first(rows * row_bytes_),
                         {.importance = matrices_.importance_of(first_row),
                          .effort = encoding_.effort,
                          .first_index = first_row * columns_});
    values = values.subspan(rows * columns_);
    out = out.subspan(rows * row_bytes_);
    first_row = end;
  }
}

RowEncoders::RowEncoders(const WeightTensor& tensor, std::span<const Encoding> wanted,
                         kernels::Backend backend) {
  for (const Encoding& encoding : wanted) {
    const auto same = std::find(wanted.begin(), wanted.end(), encoding);
    const auto before = static_cast<std::size_t>(same - wanted.begin());
    if (before < indices_.size()) {
      indices_.push_back(indices_[before]);
    } else {
      indices_.push_back(all_.size());
      all_.emplace_back(tensor, encoding, backend);
    }
  }
  want_values_ =
      std::any_of(all_.begin(), all_.end(), [](const RowEncoder& one) { return !one.copies(); });
}

}  // namespace qbuild::rules
