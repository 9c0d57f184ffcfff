#include "tests/kernels/compute_data.h"

#include <bit>

#include "kernels/codec.h"
#include "kernels/product_types.h"
#include "tests/kernels/codec_data.h"

namespace qbuild::kernels {

std::vector<float> bell_values(std::size_t count, std::uint64_t seed) {
  TestNumbers numbers(seed);
  std::vector<float> values(count);
  for (float& value : values) value = static_cast<float>(numbers.bell());
  return values;
}

bool same_bits(std::span<const float> a, std::span<const float> b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const bool both_nan = a[i] != a[i] && b[i] != b[i];
    if (!both_nan && std::bit_cast<std::uint32_t>(a[i]) != std::bit_cast<std::uint32_t>(b[i])) {
      return false;
    }
  }
  return true;
}

OwnedWeight make_weight(DType dtype, std::size_t rows, std::size_t columns, std::uint64_t seed) {
  const std::vector<float> values = bell_values(rows * columns, seed);
  OwnedWeight weight{dtype, rows, columns,
                     std::vector<std::byte>(*row_bytes(dtype, columns) * rows)};
  encode_rows(Backend::kScalar, dtype, values, columns, weight.bytes);
  return weight;
}

std::vector<DType> product_dtypes() {
  std::vector<DType> dtypes;
  for (const ProductType& type : kProductTypes) dtypes.push_back(type.weight);
  return dtypes;
}

std::vector<Backend> vector_backends() {
  return {Backend::kAvx2, Backend::kAvx512};
}

std::string backend_label(Backend backend) {
  return std::string(backend_name(backend));
}

}  // namespace qbuild::kernels
