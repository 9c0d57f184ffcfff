#pragma once
// Matrix products of packed weights with activations: y[t][n] = sum over k of w[n][k] * x[t][k],
// with the defined numerics of kernels/numerics.h: the same bits on every backend, for every number
// of threads, and for a token alone or among others.

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/bytes.h"
#include "base/dtype.h"
#include "base/thread_pool.h"
#include "kernels/backend.h"

namespace qbuild::kernels {

// What a product does with its activations.
enum class ActivationMode : std::uint8_t {
  kReference,  // quantized or rounded as llama.cpp's CPU backend does for the type of the weight
  kF32,        // kept; the weights are decoded instead
};

// The form that activations take before a product.
enum class ActivationForm : std::uint8_t { kF32, kF16, kBF16, kQ8_0, kQ8_1, kQ8_K };

[[nodiscard]] ActivationForm activation_form(DType weight, ActivationMode mode);

// Whether a product takes the type (kernels/product_types.h).
[[nodiscard]] bool has_product(DType weight);

// A matrix in memory, row after row as in a file. `bytes` must outlive the view; its size is
// rows * row_bytes(dtype, columns).
struct WeightView {
  DType dtype = DType::kF32;
  std::size_t rows = 0;     // outputs
  std::size_t columns = 0;  // inputs
  Bytes bytes;
};

// Tokens are packed in groups of this many, one per lane.
inline constexpr std::size_t kLanes = 16;

// Activations, packed for products: one pack serves all weights of one form that read the same
// input.
class PackedActivations {
 public:
  // x: tokens rows of `columns` values. Q8 forms need columns in whole blocks (32, or 256 for
  // Q8_K). Not-a-number or infinite values make every product of their token (in f32) or of their
  // block not-a-number, never undefined.
  PackedActivations(Backend backend, ThreadPool& pool, ActivationForm form,
                    std::span<const float> x, std::size_t tokens, std::size_t columns);

  [[nodiscard]] ActivationForm form() const { return form_; }
  [[nodiscard]] std::size_t tokens() const { return tokens_; }
  [[nodiscard]] std::size_t columns() const { return columns_; }
  [[nodiscard]] std::size_t groups() const { return (tokens_ + kLanes - 1) / kLanes; }
  // Bytes of one group, and the group itself (layouts: kernels/matmul_tiles.h).
  [[nodiscard]] std::size_t group_bytes() const { return group_bytes_; }
  [[nodiscard]] const std::byte* group(std::size_t index) const {
    return bytes_.data() + index * group_bytes_;
  }

 private:
  ActivationForm form_;
  std::size_t tokens_;
  std::size_t columns_;
  std::size_t group_bytes_;
  std::vector<std::byte> bytes_;
};

// out: tokens rows of w.rows values. x.form() must be one that fits w (activation_form with either
// mode) and x.columns() == w.columns.
void matmul(Backend backend, ThreadPool& pool, const WeightView& w, const PackedActivations& x,
            std::span<float> out);

}  // namespace qbuild::kernels
