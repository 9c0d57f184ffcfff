#include "kernels/matmul_attention.h"

#include <algorithm>
#include <array>
#include <vector>

#include "base/check.h"
#include "kernels/math_table.h"
#include "kernels/matmul.h"
#include "kernels/matmul_tiles.h"

namespace qbuild::kernels {
namespace {

struct Inputs {
  const MathTable& math;
  const AttentionShape& shape;
  std::size_t tokens;
  std::size_t first_position;
  const float* queries;
  const float* keys;
  const float* values;
  float* out;
};

// Reused from group to group by one thread.
struct Scratch {
  std::vector<float> queries;  // [dim][lane]
  std::vector<float> scores;   // [position][lane]
  std::vector<float> sums;     // [dim][lane]
};

// One head of one group of sixteen queries, which lie in lanes.
void attend_group(const Inputs& in, std::size_t head, std::size_t group, Scratch& scratch) {
  const std::size_t dim = in.shape.head_dim;
  const std::size_t row = in.shape.heads * dim;
  const std::size_t kv_row = in.shape.kv_heads * dim;
  const std::size_t kv_offset = head / (in.shape.heads / in.shape.kv_heads) * dim;
  const std::size_t first = group * kLanes;
  const std::size_t count = std::min(kLanes, in.tokens - first);
  // No query of the group sees further than its last one.
  const std::size_t positions = in.first_position + first + count;

  std::array<float, kLanes> limit;
  std::fill(scratch.queries.begin(), scratch.queries.end(), 0.0F);
  for (std::size_t l = 0; l < kLanes; ++l) {
    const std::size_t token = std::min(l, count - 1);
    limit[l] = static_cast<float>(in.first_position + first + token + 1);
    if (l >= count) continue;
    const float* query = in.queries + (first + l) * row + head * dim;
    for (std::size_t d = 0; d < dim; ++d) scratch.queries[d * kLanes + l] = query[d];
  }
  in.math.multiply_f32({.weights = in.keys + kv_offset,
                        .row_stride = static_cast<std::ptrdiff_t>(kv_row),
                        .column_stride = 1,
                        .outputs = positions,
                        .activations = scratch.queries.data(),
                        .columns = dim,
                        .out = scratch.scores.data()});
  in.math.softmax_lanes(scratch.scores.data(), positions, in.shape.scale, limit.data());
  in.math.multiply_f32({.weights = in.values + kv_offset,
                        .row_stride = 1,
                        .column_stride = static_cast<std::ptrdiff_t>(kv_row),
                        .outputs = dim,
                        .activations = scratch.scores.data(),
                        .columns = positions,
                        .out = scratch.sums.data()});
  for (std::size_t l = 0; l < count; ++l) {
    float* out = in.out + (first + l) * row + head * dim;
    for (std::size_t d = 0; d < dim; ++d) out[d] = scratch.sums[d * kLanes + l];
  }
}

}  // namespace

void attention(Backend backend, ThreadPool& pool, const AttentionShape& shape,
               std::span<const float> queries, std::size_t tokens, std::size_t first_position,
               std::span<const float> keys, std::span<const float> values, std::span<float> out) {
  const std::size_t last = first_position + tokens;
  const std::size_t kv_row = shape.kv_heads * shape.head_dim;
  check(shape.kv_heads > 0 && shape.heads % shape.kv_heads == 0, "attention: heads share evenly");
  check(queries.size() == tokens * shape.heads * shape.head_dim && out.size() == queries.size(),
        "attention: one row per token");
  check(keys.size() >= last * kv_row && values.size() >= last * kv_row, "attention: all positions");
  // Positions are compared as floats, which are exact up to here.
  check(last <= (1U << 24), "attention: at most 2^24 positions");
  const Inputs in{math_table(backend), shape,       tokens,        first_position,
                  queries.data(),      keys.data(), values.data(), out.data()};
  const std::size_t groups = (tokens + kLanes - 1) / kLanes;
  pool.parallel_for(shape.heads, 1, [&](std::size_t begin, std::size_t end) {
    Scratch scratch{std::vector<float>(shape.head_dim * kLanes), std::vector<float>(last * kLanes),
                    std::vector<float>(shape.head_dim * kLanes)};
    for (std::size_t head = begin; head < end; ++head) {
      for (std::size_t group = 0; group < groups; ++group) attend_group(in, head, group, scratch);
    }
  });
}

}  // namespace qbuild::kernels
