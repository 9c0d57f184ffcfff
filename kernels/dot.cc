#include "kernels/dot.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "base/check.h"
#include "base/half.h"
#include "kernels/codec.h"
#include "kernels/math_table.h"
#include "kernels/matmul_attention.h"
#include "kernels/matmul_tiles.h"
#include "kernels/product_types.h"

namespace qbuild::kernels {
namespace {

float through_f16(float x) {
  return f16_to_f32(f32_to_f16(x));
}

std::vector<DotBlock32> quantize_32(const MathTable& math, std::span<const float> x) {
  std::vector<DotBlock32> blocks(x.size() / 32);
  for (std::size_t b = 0; b < blocks.size(); ++b) {
    TokenBlock token;
    math.quantize_32(x.data() + 32 * b, &token);
    std::memcpy(blocks[b].q, token.q, 32);
    int sum = 0;
    for (std::size_t i = 0; i < 32; ++i) sum += token.q[i];
    blocks[b].scale = through_f16(token.scale);
    blocks[b].scaled_sum = through_f16(token.scale * static_cast<float>(sum));
  }
  return blocks;
}

std::vector<DotBlock256> quantize_256(const MathTable& math, std::span<const float> x) {
  std::vector<DotBlock256> blocks(x.size() / 256);
  for (std::size_t b = 0; b < blocks.size(); ++b) {
    TokenBlock token;
    math.quantize_256(x.data() + 256 * b, &token);
    std::memcpy(blocks[b].q, token.q, 256);
    for (std::size_t s = 0; s < 16; ++s) {
      blocks[b].sums[s] = 0;
      for (std::size_t i = 0; i < 16; ++i) blocks[b].sums[s] += token.q[16 * s + i];
    }
    blocks[b].scale = token.scale;
  }
  return blocks;
}

void each_row(ThreadPool& pool, const WeightView& w,
              const std::function<void(std::size_t, std::size_t)>& body) {
  // Below this many weights a woken thread costs more than it saves.
  constexpr std::size_t kWorthThreads = 1U << 20;
  if (w.rows * w.columns < kWorthThreads) {
    body(0, w.rows);
  } else {
    pool.parallel_for(w.rows, 16, body);
  }
}

}  // namespace

void matvec(Backend backend, ThreadPool& pool, const WeightView& w, std::span<const float> x,
            std::span<float> out) {
  check(x.size() == w.columns && out.size() == w.rows, "product: shapes fit");
  const auto bytes = row_bytes(w.dtype, w.columns);
  check(bytes && w.bytes.size() == *bytes * w.rows, "product: the weight has its bytes");
  const MathTable& math = math_table(backend);
  const ActivationForm form = activation_form(w.dtype, ActivationMode::kReference);
  if (form <= ActivationForm::kBF16) {
    std::vector<float> rounded(x.begin(), x.end());
    if (form == ActivationForm::kF16) math.round_f16(rounded.data(), rounded.size());
    if (form == ActivationForm::kBF16) math.round_bf16(rounded.data(), rounded.size());
    each_row(pool, w, [&](std::size_t begin, std::size_t end) {
      std::vector<float> row(w.columns);
      for (std::size_t r = begin; r < end; ++r) {
        decode_rows(backend, w.dtype, w.bytes.subspan(r * *bytes, *bytes), row);
        out[r] = math.dot_f32(row.data(), rounded.data(), w.columns);
      }
    });
    return;
  }
  const bool small = form != ActivationForm::kQ8_K;
  const std::vector<DotBlock32> x32 = small ? quantize_32(math, x) : std::vector<DotBlock32>{};
  const std::vector<DotBlock256> x256 = small ? std::vector<DotBlock256>{} : quantize_256(math, x);
  const std::size_t blocks = small ? x32.size() : x256.size();
  const void* activations = small ? static_cast<const void*>(x32.data()) : x256.data();
  each_row(pool, w, [&](std::size_t begin, std::size_t end) {
    std::vector<float> row(blocks * (small ? sizeof(WideBlock32) : sizeof(WideBlock256)) /
                           sizeof(float));
    for (std::size_t r = begin; r < end; ++r) {
      const std::byte* from = w.bytes.data() + r * *bytes;
      math.unpack(w.dtype, reinterpret_cast<const std::uint8_t*>(from), blocks, row.data());
      out[r] = math.dot_packed(find_product_type(w.dtype)->kind, row.data(), activations, blocks);
    }
  });
}

void attend_one(Backend backend, const AttentionShape& shape, std::span<const float> query,
                std::size_t positions, std::span<const float> keys, std::span<const float> values,
                std::span<float> out) {
  const MathTable& math = math_table(backend);
  const std::size_t dim = shape.head_dim;
  const std::size_t kv_row = shape.kv_heads * dim;
  check(query.size() == shape.heads * dim && out.size() == query.size(), "attention: one row");
  check(keys.size() >= positions * kv_row && values.size() >= positions * kv_row,
        "attention: all positions");
  std::vector<float> scores(positions);
  std::fill(out.begin(), out.end(), 0.0F);
  for (std::size_t head = 0; head < shape.heads; ++head) {
    const std::size_t offset = head / (shape.heads / shape.kv_heads) * dim;
    for (std::size_t p = 0; p < positions; ++p) {
      scores[p] = shape.scale *
                  math.dot_f32(query.data() + head * dim, keys.data() + p * kv_row + offset, dim);
    }
    math.softmax(scores.data(), positions);
    for (std::size_t p = 0; p < positions; ++p) {
      math.add_scaled(values.data() + p * kv_row + offset, scores[p], out.data() + head * dim, dim);
    }
  }
}

}  // namespace qbuild::kernels
