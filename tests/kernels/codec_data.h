#pragma once
// Data for the codecs' tests, the same on every machine.

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numbers>
#include <span>
#include <string>
#include <vector>

#include "base/dtype.h"
#include "kernels/backend.h"
#include "kernels/codec.h"

namespace qbuild::kernels {

// splitmix64 and the double that is usually made of it (docs/types/encoders.md).
class TestNumbers {
 public:
  explicit TestNumbers(std::uint64_t seed) : state_(seed) {}

  std::uint64_t bits() {
    state_ += 0x9E3779B97F4A7C15U;
    std::uint64_t z = state_;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9U;
    z = (z ^ z >> 27) * 0x94D049BB133111EBU;
    return z ^ z >> 31;
  }
  double uniform() { return (static_cast<double>(bits() >> 11) + 0.5) / 0x1p53; }
  double gaussian() {
    const double radius = std::sqrt(-2 * std::log(uniform()));
    return radius * std::cos(2 * std::numbers::pi * uniform());
  }
  double laplace() {
    const double v = uniform() - 0.5;
    return (v < 0 ? 1 : -1) * std::log(1 - 2 * std::abs(v)) / std::numbers::sqrt2;
  }
  // Bell-shaped without a function of the C library, whose last bit may differ between machines.
  double bell() { return uniform() + uniform() + uniform() + uniform() - 2; }

 private:
  std::uint64_t state_;
};

// The codecs that can encode, in the order of their ids.
std::vector<Codec> encoders();

// The types with grids, IQ1 to IQ3. Their encoders take one block at a time, slowly.
bool has_grid(DType dtype);

struct NamedRows {
  std::string name;
  std::vector<float> values;  // a multiple of 256
};

// Rows that encoders stumble over; all are within dtype's limit.
std::vector<NamedRows> hostile_rows(DType dtype);

// 96 rows of 512 values for the golden bytes: ordinary ones, then hostile_rows.
std::vector<float> golden_values(DType dtype);

// Importance of 256 columns: of all sizes, none in two columns and in one whole sub-block.
std::vector<float> golden_importance();

// Every way to encode: with and without importance, with the default effort and the best.
struct NamedOptions {
  std::string name;
  EncodeOptions options;
};
std::vector<NamedOptions> all_options(std::span<const float> importance);

// One row of all the values, or rows as long as `options.importance` if there is any.
std::vector<std::byte> encode(Backend backend, DType dtype, std::span<const float> values,
                              const EncodeOptions& options = {});
std::vector<float> decode(Backend backend, DType dtype, std::span<const std::byte> bytes);

}  // namespace qbuild::kernels
