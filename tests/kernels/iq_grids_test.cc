// The grids against the digests that were published with them (docs/types/grids.md).

#include "kernels/iq_grids.h"

#include <fmt/core.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <iterator>
#include <string>

#include "base/digest.h"

namespace qbuild::kernels {
namespace {

// The first sixteen hexadecimal digits of the SHA-256 of all codes, written one after the other.
template <std::size_t kCount>
std::string digest_of(const Grid<kCount>& grid, int digits) {
  std::string text;
  for (const std::uint16_t code : grid.codes) text += fmt::format("{:0{}x}", code, digits);
  return sha256(text).hex().substr(0, 16);
}

TEST(IqGrids, HaveTheirPublishedDigests) {
  EXPECT_EQ(digest_of(kGrid2Bit256, 4), "db0f418409a42bb1");
  EXPECT_EQ(digest_of(kGrid2Bit512, 4), "38da8249db0d3112");
  EXPECT_EQ(digest_of(kGrid2Bit1024, 4), "282009308611a1d3");
  EXPECT_EQ(digest_of(kGrid1Bit2048, 4), "03112c530e46c48a");
  EXPECT_EQ(digest_of(kGrid3Bit256, 3), "c0cecf70b51e98c7");
  EXPECT_EQ(digest_of(kGrid3Bit512, 3), "0a593afacbc6a9f1");
}

template <std::size_t kCount>
bool ascends(const Grid<kCount>& grid) {
  return std::adjacent_find(std::begin(grid.codes), std::end(grid.codes), std::greater_equal<>()) ==
         std::end(grid.codes);
}

TEST(IqGrids, Ascend) {
  EXPECT_TRUE(ascends(kGrid2Bit256) && ascends(kGrid2Bit512) && ascends(kGrid2Bit1024));
  EXPECT_TRUE(ascends(kGrid1Bit2048) && ascends(kGrid3Bit256) && ascends(kGrid3Bit512));
}

// Encoders choose among digits 0 to 2: no code of two bits may have a 3.
TEST(IqGrids, OfTwoBitsHaveNoFourthDigit) {
  const auto has_three = [](std::uint16_t code) { return (code & code >> 1 & 0x5555) != 0; };
  for (const std::uint16_t code : kGrid2Bit256.codes) EXPECT_FALSE(has_three(code));
  for (const std::uint16_t code : kGrid2Bit512.codes) EXPECT_FALSE(has_three(code));
  for (const std::uint16_t code : kGrid2Bit1024.codes) EXPECT_FALSE(has_three(code));
  for (const std::uint16_t code : kGrid1Bit2048.codes) EXPECT_FALSE(has_three(code));
}

}  // namespace
}  // namespace qbuild::kernels
