#include "base/dtype.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>

namespace qbuild {
namespace {

TEST(DType, EveryTypeIsFoundByNameAndById) {
  std::uint32_t previous_id = 0;
  for (const DTypeInfo& info : all_dtypes()) {
    const auto id = static_cast<std::uint32_t>(info.dtype);
    EXPECT_EQ(dtype_from_name(info.name), info.dtype);
    EXPECT_EQ(dtype_from_gguf_id(id), info.dtype);
    EXPECT_EQ(dtype_name(info.dtype), info.name);
    EXPECT_TRUE(id > previous_id || id == 0) << "the table is in the order of ids";
    previous_id = id;
  }
  EXPECT_EQ(all_dtypes().size(), 33U);
}

TEST(DType, RefusesNamesAndIdsThatAreNone) {
  EXPECT_EQ(dtype_from_name("Q4_K_M"), std::nullopt);  // a recipe, not a type
  EXPECT_EQ(dtype_from_name("q4_k"), std::nullopt);
  EXPECT_EQ(dtype_from_name(""), std::nullopt);
  for (const std::uint32_t removed : {4U, 5U, 31U, 32U, 33U, 36U, 37U, 38U}) {
    EXPECT_EQ(dtype_from_gguf_id(removed), std::nullopt) << removed;
  }
  for (const std::uint32_t of_activations : {9U, 15U}) {  // Q8_1 and Q8_K are never in a file
    EXPECT_EQ(dtype_from_gguf_id(of_activations), std::nullopt) << of_activations;
  }
  EXPECT_EQ(dtype_from_gguf_id(std::numeric_limits<std::uint32_t>::max()), std::nullopt);
}

TEST(DType, CountsBytesOfRowsInWholeBlocks) {
  EXPECT_EQ(row_bytes(DType::kF32, 3), 12U);
  EXPECT_EQ(row_bytes(DType::kQ8_0, 64), 68U);
  EXPECT_EQ(row_bytes(DType::kQ4_K, 512), 288U);
  EXPECT_EQ(row_bytes(DType::kQ6_K, 256), 210U);
  EXPECT_EQ(row_bytes(DType::kMXFP4, 64), 34U);
  EXPECT_EQ(row_bytes(DType::kNVFP4, 64), 36U);
  EXPECT_EQ(row_bytes(DType::kQ1_0, 256), 36U);
  EXPECT_EQ(row_bytes(DType::kQ2_0, 256), 72U);
  EXPECT_EQ(row_bytes(DType::kIQ1_S, 512), 100U);
  EXPECT_EQ(row_bytes(DType::kQ4_K, 0), 0U);
}

TEST(DType, HasNoBytesForRowsThatEndInsideABlockOrOverflow) {
  EXPECT_EQ(row_bytes(DType::kQ4_K, 288), std::nullopt);
  EXPECT_EQ(row_bytes(DType::kQ8_0, 31), std::nullopt);
  EXPECT_EQ(row_bytes(DType::kF64, std::numeric_limits<std::uint64_t>::max()), std::nullopt);
}

}  // namespace
}  // namespace qbuild
