#include "kernels/matmul_attention.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/kernels/compute_data.h"

namespace qbuild::kernels {
namespace {

constexpr AttentionShape kShape{6, 2, 24, 0.2F};

struct Case {
  std::size_t tokens;
  std::size_t first;
  std::vector<float> queries, keys, values;
};

Case make_case(std::size_t tokens, std::size_t first) {
  const std::size_t kv = (tokens + first) * kShape.kv_heads * kShape.head_dim;
  return {tokens, first, bell_values(tokens * kShape.heads * kShape.head_dim, 1),
          bell_values(kv, 2), bell_values(kv, 3)};
}

std::vector<float> attend(Backend backend, unsigned threads, const Case& c) {
  ThreadPool pool(threads);
  std::vector<float> out(c.queries.size());
  attention(backend, pool, kShape, c.queries, c.tokens, c.first, c.keys, c.values, out);
  return out;
}

TEST(Attention, MatchesAPlainComputation) {
  const Case c = make_case(21, 9);
  const std::vector<float> got = attend(best_backend(), 1, c);
  const std::size_t row = kShape.heads * kShape.head_dim;
  const std::size_t kv_row = kShape.kv_heads * kShape.head_dim;
  for (std::size_t t = 0; t < c.tokens; ++t) {
    for (std::size_t h = 0; h < kShape.heads; ++h) {
      const std::size_t kv = h / 3 * kShape.head_dim;
      std::vector<double> weights;
      double total = 0;
      for (std::size_t p = 0; p <= c.first + t; ++p) {
        double score = 0;
        for (std::size_t d = 0; d < kShape.head_dim; ++d) {
          score += static_cast<double>(c.queries[t * row + h * kShape.head_dim + d]) *
                   static_cast<double>(c.keys[p * kv_row + kv + d]);
        }
        weights.push_back(std::exp(score * 0.2));
        total += weights.back();
      }
      for (std::size_t d = 0; d < kShape.head_dim; ++d) {
        double want = 0;
        for (std::size_t p = 0; p < weights.size(); ++p) {
          want += weights[p] / total * static_cast<double>(c.values[p * kv_row + kv + d]);
        }
        EXPECT_NEAR(static_cast<double>(got[t * row + h * kShape.head_dim + d]), want, 2e-6);
      }
    }
  }
}

TEST(Attention, GivesTheSameBitsOnEveryBackend) {
  const Case c = make_case(300, 11);
  const std::vector<float> want = attend(Backend::kScalar, 1, c);
  for (const Backend backend : vector_backends()) {
    if (!backend_obstacle(backend).empty()) continue;
    EXPECT_TRUE(same_bits(want, attend(backend, 1, c))) << backend_name(backend);
  }
}

TEST(Attention, OfATokenAloneEqualsThatInABatchAndOnAnyThreads) {
  const Case c = make_case(50, 3);
  const std::vector<float> all = attend(best_backend(), 1, c);
  EXPECT_TRUE(same_bits(all, attend(best_backend(), 3, c)));
  const std::size_t row = kShape.heads * kShape.head_dim;
  for (const std::size_t t : {0U, 15U, 31U, 49U}) {
    Case one = c;
    one.tokens = 1;
    one.first = c.first + t;
    one.queries.assign(c.queries.begin() + static_cast<std::ptrdiff_t>(t * row),
                       c.queries.begin() + static_cast<std::ptrdiff_t>((t + 1) * row));
    EXPECT_TRUE(same_bits(attend(best_backend(), 1, one), std::span(all).subspan(t * row, row)))
        << t;
  }
}

}  // namespace
}  // namespace qbuild::kernels
