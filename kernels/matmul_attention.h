#pragma once
// Causal attention of new tokens over a cache of keys and values, by the defined numerics. Query
// head h reads key/value head h / (heads / kv_heads).

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/thread_pool.h"
#include "kernels/backend.h"

namespace qbuild::kernels {

struct AttentionShape {
  std::size_t heads = 0;
  std::size_t kv_heads = 0;  // divides heads
  std::size_t head_dim = 0;
  float scale = 0;  // usually 1/sqrt(head_dim)
};

// queries: `tokens` rows of heads*head_dim values, at positions first_position, first_position+1,
// ... keys, values: rows of kv_heads*head_dim, one per position from 0; at least first_position +
// tokens. out: like queries. A token sees the positions up to its own.
void attention(Backend backend, ThreadPool& pool, const AttentionShape& shape,
               std::span<const float> queries, std::size_t tokens, std::size_t first_position,
               std::span<const float> keys, std::span<const float> values, std::span<float> out);

}  // namespace qbuild::kernels
