// Quantizes a row and decodes it again: how to call kernels/codec.h. docs/types/README.md and that
// header quote this file.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdio>
#include <exception>
#include <span>
#include <vector>

#include "base/dtype.h"
#include "base/error.h"
#include "kernels/backend.h"
#include "kernels/codec.h"

namespace {

using qbuild::DType;
using qbuild::Error;
using qbuild::row_bytes;
using qbuild::kernels::best_backend;
using qbuild::kernels::decode_rows;
using qbuild::kernels::Effort;
using qbuild::kernels::encode_rows;

// Something that is neither even nor random; a row of a weight would stand here.
std::vector<float> some_row(std::size_t values) {
  std::vector<float> row(values);
  for (std::size_t i = 0; i < values; ++i) {
    const auto centered = static_cast<float>(i * i * 7 % 101) - 50;
    row[i] = centered * centered * centered / 125000;
  }
  return row;
}

// The root of the mean square error relative to that of the values.
double relative_error(std::span<const float> row, std::span<const float> decoded) {
  double error = 0;
  double energy = 0;
  for (std::size_t i = 0; i < row.size(); ++i) {
    const auto x = static_cast<double>(row[i]);
    const double e = static_cast<double>(decoded[i]) - x;
    error += e * e;
    energy += x * x;
  }
  return std::sqrt(error / energy);
}

void quantize() {
  const std::vector<float> row = some_row(1024);

  std::vector<std::byte> bytes(row_bytes(DType::kQ4_K, row.size()).value());
  encode_rows(best_backend(), DType::kQ4_K, row, row.size(), bytes);

  std::vector<float> decoded(row.size());
  decode_rows(best_backend(), DType::kQ4_K, bytes, decoded);
  std::printf("%zu values in %zu bytes, relative error %.4f\n", row.size(), bytes.size(),
              relative_error(row, decoded));

  // The first 256 columns matter ten times as much as the others.
  std::vector<float> importance(row.size(), 1.0F);
  std::fill(importance.begin(), importance.begin() + 256, 10.0F);
  encode_rows(best_backend(), DType::kQ4_K, row, row.size(), bytes,
              {.importance = importance, .effort = Effort::kBest});
  decode_rows(best_backend(), DType::kQ4_K, bytes, decoded);
  std::printf("with importance and the best effort, relative error %.4f\n",
              relative_error(row, decoded));

  std::vector<float> broken = row;
  broken[3] = std::nanf("");
  try {
    encode_rows(best_backend(), DType::kQ4_K, broken, broken.size(), bytes);
  } catch (const Error& error) {
    std::printf("%s\n", error.message().c_str());
  }
}

}  // namespace

int main() {
  try {
    quantize();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "quantize_row: %s\n", error.what());
    return 1;
  }
  return 0;
}
