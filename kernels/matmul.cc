#include "kernels/matmul.h"

#include <algorithm>

#include "base/check.h"
#include "kernels/codec.h"
#include "kernels/math_table.h"
#include "kernels/matmul_tiles.h"
#include "kernels/product_types.h"

namespace qbuild::kernels {
namespace {

// Weights that are unpacked at a time: they stay in the first-level cache beside a group of
// activations.
constexpr std::size_t kScratchBytes = 32 * 1024;
constexpr std::size_t kMaxRowsAtOnce = 48;
// Outputs per thread come in multiples of this, so that tiles are whole.
constexpr std::size_t kRowGrain = 12;

std::size_t rows_at_once(std::size_t bytes_per_row) {
  const std::size_t fitting = kScratchBytes / bytes_per_row / kRowGrain * kRowGrain;
  return std::clamp(fitting, kRowGrain, kMaxRowsAtOnce);
}

bool is_float_form(ActivationForm form) {
  return form <= ActivationForm::kBF16;
}

class Product {
 public:
  Product(Backend backend, const WeightView& w, const PackedActivations& x, std::span<float> out)
      : backend_(backend),
        math_(math_table(backend)),
        w_(w),
        x_(x),
        out_(out),
        row_bytes_(w.bytes.size() / std::max<std::size_t>(w.rows, 1)) {}

  void run(std::size_t begin, std::size_t end) const {
    if (is_float_form(x_.form())) {
      run_f32(begin, end);
    } else {
      run_packed(begin, end);
    }
  }

 private:
  void run_f32(std::size_t begin, std::size_t end) const {
    const std::size_t step = rows_at_once(w_.columns * sizeof(float));
    std::vector<float> weights(step * w_.columns);
    std::vector<float> tile(step * kLanes);
    for (std::size_t row = begin; row < end; row += step) {
      const std::size_t rows = std::min(step, end - row);
      decode_rows(backend_, w_.dtype, w_.bytes.subspan(row * row_bytes_, rows * row_bytes_),
                  std::span(weights).first(rows * w_.columns));
      for (std::size_t g = 0; g < x_.groups(); ++g) {
        math_.multiply_f32({.weights = weights.data(),
                            .row_stride = static_cast<std::ptrdiff_t>(w_.columns),
                            .column_stride = 1,
                            .outputs = rows,
                            .activations = reinterpret_cast<const float*>(x_.group(g)),
                            .columns = w_.columns,
                            .out = tile.data()});
        scatter(g, row, rows, tile);
      }
    }
  }

  void run_packed(std::size_t begin, std::size_t end) const {
    const bool small = x_.form() != ActivationForm::kQ8_K;
    const std::size_t blocks = w_.columns / (small ? 32 : 256);
    const std::size_t wide_row_bytes =
        blocks * (small ? sizeof(WideBlock32) : sizeof(WideBlock256));
    const std::size_t step = rows_at_once(wide_row_bytes);
    // Of the larger block type: both need the alignment of a float only.
    std::vector<float> weights(step * wide_row_bytes / sizeof(float));
    std::vector<float> tile(step * kLanes);
    for (std::size_t row = begin; row < end; row += step) {
      const std::size_t rows = std::min(step, end - row);
      for (std::size_t r = 0; r < rows; ++r) {
        const std::byte* from = w_.bytes.data() + (row + r) * row_bytes_;
        math_.unpack(w_.dtype, reinterpret_cast<const std::uint8_t*>(from), blocks,
                     weights.data() + r * wide_row_bytes / sizeof(float));
      }
      for (std::size_t g = 0; g < x_.groups(); ++g) {
        math_.multiply_packed({.kind = find_product_type(w_.dtype)->kind,
                               .weights = weights.data(),
                               .outputs = rows,
                               .activations = x_.group(g),
                               .blocks = blocks,
                               .out = tile.data()});
        scatter(g, row, rows, tile);
      }
    }
  }

  void scatter(std::size_t group, std::size_t row, std::size_t rows,
               const std::vector<float>& tile) const {
    const std::size_t first = group * kLanes;
    const std::size_t tokens = std::min(kLanes, x_.tokens() - first);
    for (std::size_t t = 0; t < tokens; ++t) {
      float* to = out_.data() + (first + t) * w_.rows + row;
      for (std::size_t r = 0; r < rows; ++r) to[r] = tile[r * kLanes + t];
    }
  }

  Backend backend_;
  const MathTable& math_;
  const WeightView& w_;
  const PackedActivations& x_;
  std::span<float> out_;
  std::size_t row_bytes_;
};

}  // namespace

bool has_product(DType weight) {
  return find_product_type(weight) != nullptr;
}

ActivationForm activation_form(DType weight, ActivationMode mode) {
  const ProductType* const type = find_product_type(weight);
  check(type != nullptr, "a type that products take");
  return mode == ActivationMode::kF32 ? ActivationForm::kF32 : type->form;
}

void matmul(Backend backend, ThreadPool& pool, const WeightView& w, const PackedActivations& x,
            std::span<float> out) {
  check(x.columns() == w.columns && out.size() == x.tokens() * w.rows, "product: shapes fit");
  check(x.form() == ActivationForm::kF32 ||
            x.form() == activation_form(w.dtype, ActivationMode::kReference),
        "product: the activations have the weight's form");
  const auto bytes = row_bytes(w.dtype, w.columns);
  check(bytes && w.bytes.size() == *bytes * w.rows, "product: the weight has its bytes");
  const Product product(backend, w, x, out);
  // Small products are not worth waking threads for; nothing in the result depends on who computes
  // it.
  constexpr std::size_t kWorthThreads = 1U << 18;
  if (w.rows * w.columns * x.groups() < kWorthThreads) {
    product.run(0, w.rows);
    return;
  }
  pool.parallel_for(w.rows, kRowGrain,
                    [&](std::size_t begin, std::size_t end) { product.run(begin, end); });
}

}  // namespace qbuild::kernels
