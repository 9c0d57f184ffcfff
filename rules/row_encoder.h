#pragma once
// Rows of a tensor in the ways that are wanted: with what goes with each of its matrices, or copied
// as they are stored. The definition of what quantizing a tensor means; rules/tensor_stream.h
// brings the rows. Any thread, for as long as tensor and encodings live.

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/bytes.h"
#include "kernels/backend.h"
#include "rules/encoding.h"
#include "rules/weight_source.h"

namespace qbuild::rules {

// What goes with the rows of each of a tensor's matrices: the importance of its columns, and the
// factor by which its values are divided.
class MatricesOfRows {
 public:
  MatricesOfRows(const WeightTensor& tensor, const Encoding& encoding);

  // Where the next matrix begins.
  [[nodiscard]] std::uint64_t end_of_matrix(std::uint64_t row) const;
  // Of the columns of that row; empty: all matter alike.
  [[nodiscard]] std::span<const float> importance_of(std::uint64_t row) const;
  [[nodiscard]] float scale_of(std::uint64_t row) const;

 private:
  void divide(std::uint64_t matrices, std::uint64_t& rows_of_matrix) const;

  std::uint64_t columns_;
  std::uint64_t rows_;
  std::uint64_t rows_of_importance_ = rows_;
  std::uint64_t rows_of_scale_ = rows_;
  std::span<const float> importance_;
  std::span<const float> scales_;
};

class RowEncoder {
 public:
  // Throws Error (kInvalidInput) if rows are no whole blocks of the type.
  RowEncoder(const WeightTensor& tensor, const Encoding& encoding, kernels::Backend backend);

  [[nodiscard]] std::uint64_t row_bytes() const { return row_bytes_; }
  // Whether it wants the stored bytes, not the values.
  [[nodiscard]] bool copies() const { return copies_; }

  // Rows from the given one.
  //   stored, values  of as many whole rows; those that it does not want may be empty
  //   divided         of any size, with any content; overwritten
  //   out             rows * row_bytes()
  // Throws what the codec throws.
  void encode(std::uint64_t first_row, Bytes stored, std::span<const float> values,
              std::vector<float>& divided, MutableBytes out) const;

 private:
  const Encoding& encoding_;
  MatricesOfRows matrices_;
  kernels::Backend backend_;
  std::uint64_t columns_;
  std::uint64_t row_bytes_;
  bool copies_;
};

// One for each of the ways that differ.
class RowEncoders {
 public:
  RowEncoders(const WeightTensor& tensor, std::span<const Encoding> wanted,
              kernels::Backend backend);

  [[nodiscard]] std::span<const RowEncoder> all() const { return all_; }
  // In all(), of the one for wanted[i].
  [[nodiscard]] std::size_t index_of(std::size_t i) const { return indices_[i]; }
  // Whether one of them does.
  [[nodiscard]] bool want_values() const { return want_values_; }

 private:
  std::vector<RowEncoder> all_;
  std::vector<std::size_t> indices_;
  bool want_values_ = false;
};

}  // namespace qbuild::rules
