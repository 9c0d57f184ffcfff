#pragma once
// Numbers and backends for the tests of the compute kernels.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/dtype.h"
#include "kernels/backend.h"
#include "kernels/matmul.h"

namespace qbuild::kernels {

// Values of a bell around 0, the same on every machine.
[[nodiscard]] std::vector<float> bell_values(std::size_t count, std::uint64_t seed);

// The same bits; two not-a-numbers count as equal whatever their payload.
[[nodiscard]] bool same_bits(std::span<const float> a, std::span<const float> b);

// A weight with its bytes.
struct OwnedWeight {
  DType dtype;
  std::size_t rows;
  std::size_t columns;
  std::vector<std::byte> bytes;
  [[nodiscard]] WeightView view() const { return {dtype, rows, columns, bytes}; }
};
[[nodiscard]] OwnedWeight make_weight(DType dtype, std::size_t rows, std::size_t columns,
                                      std::uint64_t seed);

[[nodiscard]] std::vector<DType> product_dtypes();

// Backends beside the scalar one, for value-parameterized tests.
[[nodiscard]] std::vector<Backend> vector_backends();
[[nodiscard]] std::string backend_label(Backend backend);

}  // namespace qbuild::kernels
