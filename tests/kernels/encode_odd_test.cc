// Blocks that are no bell.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <span>
#include <utility>
#include <vector>

#include "base/dtype.h"
#include "tests/kernels/codec_data.h"

namespace qbuild::kernels {
namespace {

constexpr std::size_t kBlocks = 9;  // super-blocks of a row: no multiple of what goes together
constexpr std::size_t kOdd = 3;     // the one that is no bell
constexpr const char* kZeroButForOne = "zero but for its last group";

std::vector<float> bells(std::uint64_t seed) {
  std::vector<float> values(256 * kBlocks);
  TestNumbers numbers(seed);
  for (float& value : values) value = static_cast<float>(0.02 * numbers.bell());
  // Both signs in each group of sixteen, so that no other block is odd by chance.
  for (std::size_t i = 0; i < values.size(); i += 16) {
    values[i] = std::abs(values[i]) + 0.001F;
    values[i + 1] = -std::abs(values[i + 1]) - 0.001F;
  }
  return values;
}

// Makes all of a block odd, whatever the size of its groups.
std::vector<NamedRows> odd_blocks(const std::vector<float>& values) {
  const auto changed = [&](const auto& change) {
    std::vector<float> result = values;
    for (std::size_t i = 256 * kOdd; i < 256 * (kOdd + 1); ++i) {
      result[i] = change(i % 256, values[i]);
    }
    return result;
  };
  return {
      {"one of each 32 is left", changed([](auto i, float x) { return i % 32 == 5 ? x : 0; })},
      {"positive", changed([](auto, float x) { return std::abs(x); })},
      {"negative", changed([](auto, float x) { return -std::abs(x); })},
      {"an outlier in each 32", changed([](auto i, float x) { return i % 32 == 5 ? 30.0F : x; })},
      {"of two values", changed([](auto, float x) { return x < 0 ? -0.02F : 0.02F; })},
      {kZeroButForOne, changed([](auto i, float x) { return i < 224 ? 0 : x; })},
  };
}

// Those that search at the default effort, without importance and with it.
std::vector<DType> searching(bool by_importance) {
  std::vector<DType> types{DType::kQ2_K, DType::kQ3_K,   DType::kQ4_K,  DType::kQ5_K,
                           DType::kQ6_K, DType::kIQ4_XS, DType::kIQ4_NL};
  for (const Codec& codec : encoders()) {
    if (has_grid(codec.dtype)) types.push_back(codec.dtype);
  }
  if (by_importance) {
    types.insert(types.end(), {DType::kQ4_0, DType::kQ4_1, DType::kQ5_0, DType::kQ5_1});
  }
  return types;
}

std::span<const std::byte> block_of(const std::vector<std::byte>& bytes, std::size_t block) {
  const std::size_t size = bytes.size() / kBlocks;
  return std::span(bytes).subspan(size * block, size);
}

TEST(EncodeOdd, BlocksAreSearchedAsWithTheBestEffortAndOthersAsEver) {
  const std::vector<float> bell = bells(21);
  std::vector<float> importance(bell.size());
  TestNumbers numbers(22);
  for (float& one : importance) one = static_cast<float>(0.1 + numbers.uniform());
  for (const bool by_importance : {false, true}) {
    EncodeOptions options;
    if (by_importance) options.importance = importance;
    EncodeOptions best = options;
    best.effort = Effort::kBest;
    for (const DType dtype : searching(by_importance)) {
      const auto usual = encode(best_backend(), dtype, bell, options);
      for (const NamedRows& rows : odd_blocks(bell)) {
        // The last group is a block of its own there, and a bell.
        if (dtype_info(dtype).block_values < 256 && rows.name == kZeroButForOne) continue;
        const auto bytes = encode(best_backend(), dtype, rows.values, options);
        const auto with_best = encode(best_backend(), dtype, rows.values, best);
        for (std::size_t b = 0; b < kBlocks; ++b) {
          const auto expected = block_of(b == kOdd ? with_best : usual, b);
          EXPECT_TRUE(std::ranges::equal(block_of(bytes, b), expected))
              << dtype_name(dtype) << ", " << rows.name << ", block " << b
              << (by_importance ? ", by importance" : "");
        }
      }
    }
  }
}

TEST(EncodeOdd, OfTwoExtremesTheMoreFrequentOneGetsTheLowestCode) {
  // It alone has a code of its own: the other one is clipped by a step.
  for (const auto& [dtype, top] : {std::pair(DType::kQ4_0, 8), std::pair(DType::kQ5_0, 16)}) {
    for (const float sign : {1.0F, -1.0F}) {
      std::vector<float> values(64, 0.0F);  // the second block has no tie
      values[3] = sign;
      values[9] = -sign;
      values[20] = -sign;
      values[40] = sign;
      const auto decoded = decode(best_backend(), dtype, encode(best_backend(), dtype, values));
      const float clipped = sign * static_cast<float>(top - 1) / static_cast<float>(top);
      EXPECT_EQ(decoded[3], clipped);
      EXPECT_EQ(decoded[9], -sign);
      EXPECT_EQ(decoded[20], -sign);
      EXPECT_EQ(decoded[40], sign);
      EXPECT_EQ(decoded[0], 0.0F);
    }
  }
}

TEST(EncodeOdd, OfDenormalScalesTheNearestIsTakenWhereTheLargestValueKeepsItsCode) {
  constexpr float kStep = 0x1p-24F;
  const auto decoded_steps = [](float value) {
    std::vector<float> values(32, 0.0F);
    values[7] = value * kStep;
    const auto bytes = encode(best_backend(), DType::kQ8_0, values);
    return decode(best_backend(), DType::kQ8_0, bytes)[7] / kStep;
  };
  EXPECT_EQ(decoded_steps(127 * 200.4F), 127 * 200);
  // Of 50 steps the largest value would be 51 away; of 51 it is 25.
  EXPECT_EQ(decoded_steps(127 * 50.4F), 126 * 51);
}

}  // namespace
}  // namespace qbuild::kernels
