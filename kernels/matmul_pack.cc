// Packing activations into groups of sixteen tokens.

#include <algorithm>
#include <cstring>

#include "base/check.h"
#include "base/half.h"
#include "kernels/math_table.h"
#include "kernels/matmul.h"
#include "kernels/matmul_tiles.h"

namespace qbuild::kernels {
namespace {

struct Group {
  const MathTable& math;
  const float* x;  // the group's first token
  std::size_t tokens;
  std::size_t columns;
};

void pack_f32(const Group& group, ActivationForm form, std::byte* to) {
  std::vector<float> lanes(group.columns * kLanes);
  for (std::size_t t = 0; t < group.tokens; ++t) {
    const float* row = group.x + t * group.columns;
    for (std::size_t k = 0; k < group.columns; ++k) lanes[k * kLanes + t] = row[k];
  }
  if (form == ActivationForm::kF16) group.math.round_f16(lanes.data(), lanes.size());
  if (form == ActivationForm::kBF16) group.math.round_bf16(lanes.data(), lanes.size());
  std::memcpy(to, lanes.data(), lanes.size() * sizeof(float));
}

void pack_32(const Group& group, ActivationForm form, std::byte* to) {
  for (std::size_t b = 0; b < group.columns / 32; ++b) {
    LaneBlock32 block{};
    for (std::size_t t = 0; t < group.tokens; ++t) {
      TokenBlock token;
      group.math.quantize_32(group.x + t * group.columns + 32 * b, &token);
      for (std::size_t i = 0; i < 8; ++i) std::memcpy(block.q[i][t], token.q + 4 * i, 4);
      std::int32_t sum = 0;
      for (std::size_t i = 0; i < 32; ++i) sum += token.q[i];
      block.sum[t] = sum;
      block.scale[t] = f16_to_f32(f32_to_f16(token.scale));
      if (form == ActivationForm::kQ8_1) {
        block.scaled_sum[t] = f16_to_f32(f32_to_f16(token.scale * static_cast<float>(sum)));
      }
    }
    std::memcpy(to + b * sizeof block, &block, sizeof block);
  }
}

void pack_256(const Group& group, std::byte* to) {
  for (std::size_t b = 0; b < group.columns / 256; ++b) {
    LaneBlock256 block{};
    for (std::size_t t = 0; t < group.tokens; ++t) {
      TokenBlock token;
      group.math.quantize_256(group.x + t * group.columns + 256 * b, &token);
      for (std::size_t i = 0; i < 64; ++i) std::memcpy(block.q[i][t], token.q + 4 * i, 4);
      for (std::size_t i = 0; i < 16; ++i) {
        int sum = 0;
        for (std::size_t j = 0; j < 16; ++j) sum += token.q[16 * i + j];
        block.sums[i / 2][t][i % 2] = static_cast<std::int16_t>(sum);
      }
      block.scale[t] = token.scale;
    }
    std::memcpy(to + b * sizeof block, &block, sizeof block);
  }
}

std::size_t bytes_of_group(ActivationForm form, std::size_t columns) {
  switch (form) {
    case ActivationForm::kQ8_0:
    case ActivationForm::kQ8_1:
      check(columns % 32 == 0, "activations: blocks of 32");
      return columns / 32 * sizeof(LaneBlock32);
    case ActivationForm::kQ8_K:
      check(columns % 256 == 0, "activations: blocks of 256");
      return columns / 256 * sizeof(LaneBlock256);
    default:
      return columns * kLanes * sizeof(float);
  }
}

}  // namespace

PackedActivations::PackedActivations(Backend backend, ThreadPool& pool, ActivationForm form,
                                     std::span<const float> x, std::size_t tokens,
                                     std::size_t columns)
    : form_(form),
      tokens_(tokens),
      columns_(columns),
      group_bytes_(bytes_of_group(form, columns)),
      bytes_(groups() * group_bytes_) {
  check(x.size() == tokens * columns, "activations: tokens times columns");
  const MathTable& math = math_table(backend);
  pool.parallel_for(groups(), 1, [&](std::size_t begin, std::size_t end) {
    for (std::size_t g = begin; g < end; ++g) {
      const Group group{math, x.data() + g * kLanes * columns,
                        std::min(kLanes, tokens - g * kLanes), columns};
      std::byte* to = bytes_.data() + g * group_bytes_;
      if (form == ActivationForm::kQ8_0 || form == ActivationForm::kQ8_1) {
        pack_32(group, form, to);
      } else if (form == ActivationForm::kQ8_K) {
        pack_256(group, to);
      } else {
        pack_f32(group, form, to);
      }
    }
  });
}

}  // namespace qbuild::kernels
