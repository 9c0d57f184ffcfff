// Every backend's kernels against the scalar ones, which are the definition: the same bits.

#include "kernels/math_table.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "tests/kernels/compute_data.h"

namespace qbuild::kernels {
namespace {

// Ordinary values, then what breaks careless code; of odd length.
std::vector<float> hostile_values() {
  std::vector<float> values = bell_values(300, 11);
  for (float x = 1e-45F; x < 1e38F; x *= 17) {
    values.push_back(x);
    values.push_back(-x);
  }
  for (const float x :
       {0.0F, -0.0F, 1e-40F, 65504.0F, 65520.0F, 88.5F, 88.73F, -87.3F, -87.4F, -103.9F, 3.4e38F,
        -3.4e38F, INFINITY, -INFINITY, std::numeric_limits<float>::quiet_NaN()}) {
    values.push_back(x);
  }
  values.resize(values.size() / 16 * 16 + 5, 0.5F);
  return values;
}

class MathTables : public testing::TestWithParam<Backend> {
 protected:
  void SetUp() override {
    if (const std::string obstacle = backend_obstacle(GetParam()); !obstacle.empty()) {
      GTEST_SKIP() << backend_name(GetParam()) << ": " << obstacle;
    }
  }
  const MathTable& scalar = math_table_scalar();
  const MathTable& vector() { return math_table(GetParam()); }
};

TEST_P(MathTables, ElementwiseFunctionsGiveTheSameBits) {
  const std::vector<float> x = hostile_values();
  const std::vector<float> y = bell_values(x.size(), 5);
  for (const std::size_t count :
       {std::size_t{0}, std::size_t{1}, std::size_t{15}, std::size_t{16}, x.size()}) {
    const auto expect_same = [&](auto&& op) {
      std::vector<float> a = x;
      std::vector<float> b = x;
      op(scalar, a.data());
      op(vector(), b.data());
      EXPECT_TRUE(same_bits(a, b)) << count;
    };
    expect_same([&](const MathTable& t, float* v) { t.exponential(v, count); });
    expect_same([&](const MathTable& t, float* v) { t.silu_multiply(y.data(), v, count); });
    expect_same([&](const MathTable& t, float* v) { t.add(y.data(), v, count); });
    expect_same([&](const MathTable& t, float* v) { t.round_f16(v, count); });
    expect_same([&](const MathTable& t, float* v) { t.round_bf16(v, count); });
  }
}

TEST_P(MathTables, RowFunctionsGiveTheSameBitsForEveryLength) {
  for (std::size_t count = 1; count < 70; ++count) {
    const std::vector<float> x = bell_values(count, count);
    const std::vector<float> w = bell_values(count, count + 1);
    std::vector<float> a(count);
    std::vector<float> b(count);
    scalar.rms_norm(x.data(), w.data(), count, 1e-5F, a.data());
    vector().rms_norm(x.data(), w.data(), count, 1e-5F, b.data());
    EXPECT_TRUE(same_bits(a, b)) << "norm " << count;
    a = b = x;
    scalar.softmax(a.data(), count);
    vector().softmax(b.data(), count);
    EXPECT_TRUE(same_bits(a, b)) << "softmax " << count;
    std::vector<float> low_a = x;
    std::vector<float> low_b = x;
    a = b = w;
    const std::vector<float> cos = bell_values(count, 3);
    const std::vector<float> sin = bell_values(count, 4);
    scalar.rotate(cos.data(), sin.data(), count, low_a.data(), a.data());
    vector().rotate(cos.data(), sin.data(), count, low_b.data(), b.data());
    EXPECT_TRUE(same_bits(a, b) && same_bits(low_a, low_b)) << "rotate " << count;
  }
}

TEST_P(MathTables, SoftmaxOfNotANumberIsNotANumberEverywhere) {
  std::vector<float> row = bell_values(40, 1);
  row[17] = std::numeric_limits<float>::quiet_NaN();
  vector().softmax(row.data(), row.size());
  for (const float x : row) EXPECT_TRUE(std::isnan(x));
}

TEST_P(MathTables, SoftmaxDownLanesGivesTheBitsOfTheRow) {
  constexpr std::size_t kRows = 37;
  const std::vector<float> scores = bell_values(kRows * 16, 8);
  std::array<float, 16> limit;
  for (std::size_t l = 0; l < 16; ++l) limit[l] = static_cast<float>(2 * l + 5);
  std::vector<float> lanes = scores;
  vector().softmax_lanes(lanes.data(), kRows, 0.25F, limit.data());
  for (std::size_t l = 0; l < 16; ++l) {
    std::vector<float> row;
    for (std::size_t j = 0; j < 2 * l + 5; ++j) row.push_back(scores[16 * j + l] * 0.25F);
    scalar.softmax(row.data(), row.size());
    row.resize(kRows, 0.0F);
    std::vector<float> lane;
    for (std::size_t j = 0; j < kRows; ++j) lane.push_back(lanes[16 * j + l]);
    EXPECT_TRUE(same_bits(row, lane)) << l;
  }
}

TEST_P(MathTables, QuantizedActivationsHaveTheSameBits) {
  std::vector<std::vector<float>> blocks;
  for (std::uint64_t seed = 0; seed < 50; ++seed) blocks.push_back(bell_values(256, seed));
  blocks.emplace_back(256, 0.0F);
  blocks.emplace_back(256, 1e-41F);
  blocks.emplace_back(256, -3e38F);
  blocks.push_back(blocks[0]);
  blocks.back()[5] = 5.0F;  // both extremes alike: the first one decides
  blocks.back()[9] = -5.0F;
  for (const std::vector<float>& block : blocks) {
    TokenBlock a{};
    TokenBlock b{};
    scalar.quantize_32(block.data(), &a);
    vector().quantize_32(block.data(), &b);
    // NOLINTNEXTLINE(bugprone-suspicious-memory-comparison): the bytes are what is promised
    EXPECT_EQ(std::memcmp(&a, &b, sizeof a), 0);
    scalar.quantize_256(block.data(), &a);
    vector().quantize_256(block.data(), &b);
    // NOLINTNEXTLINE(bugprone-suspicious-memory-comparison): the bytes are what is promised
    EXPECT_EQ(std::memcmp(&a, &b, sizeof a), 0);
  }
}

INSTANTIATE_TEST_SUITE_P(Backends, MathTables, testing::ValuesIn(vector_backends()),
                         [](const auto& test) { return backend_label(test.param); });

TEST(QuantizedActivations, FollowTheReferenceOnAWorkedBlock) {
  std::vector<float> x(256, 0.0F);
  x[0] = 1.0F;
  x[1] = -2.0F;
  x[2] = 0.5F;
  TokenBlock block{};
  math_table_scalar().quantize_32(x.data(), &block);
  EXPECT_EQ(block.scale, 2.0F / 127.0F);
  EXPECT_EQ(block.q[0], 64);  // 63.5, to even
  EXPECT_EQ(block.q[1], -127);
  EXPECT_EQ(block.q[2], 32);  // 31.75
  math_table_scalar().quantize_256(x.data(), &block);
  EXPECT_EQ(block.scale, 1.0F / (-127.0F / -2.0F));
  EXPECT_EQ(block.q[0], 64);
  EXPECT_EQ(block.q[1], -127);
  EXPECT_EQ(block.q[2], 32);
  x[3] = 2.0F;  // the opposite extreme; the first of equals is x[1]
  math_table_scalar().quantize_256(x.data(), &block);
  EXPECT_EQ(block.q[1], -127);
  EXPECT_EQ(block.q[3], 127);
}

TEST(QuantizedActivations, ScaleOfABlockWithNotANumberIsNotANumber) {
  std::vector<float> x(256, 1.0F);
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), INFINITY, -INFINITY}) {
    x[20] = bad;
    TokenBlock block{};
    math_table_scalar().quantize_32(x.data(), &block);
    EXPECT_TRUE(std::isnan(block.scale));
    math_table_scalar().quantize_256(x.data(), &block);
    EXPECT_TRUE(std::isnan(block.scale));
  }
}

}  // namespace
}  // namespace qbuild::kernels
