// Every backend gives the bytes and the floats of the scalar definition.

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <vector>

#include "tests/kernels/codec_data.h"

namespace qbuild::kernels {
namespace {

class CodecBackends : public testing::TestWithParam<Backend> {
 protected:
  void SetUp() override {
    if (const std::string obstacle = backend_obstacle(GetParam()); !obstacle.empty()) {
      GTEST_SKIP() << obstacle;
    }
  }

  void expect_same(DType dtype, const std::vector<float>& values, const std::string& what) {
    // As many columns as there are whole rows of; rows of less than a super-block have one.
    const std::vector<float> golden = golden_importance();
    const std::size_t columns = values.size() % golden.size() == 0 ? golden.size() : values.size();
    std::vector<float> importance(columns);
    for (std::size_t i = 0; i < columns; ++i) importance[i] = golden[i % golden.size()];
    for (const NamedOptions& way : all_options(importance)) {
      const auto expected = encode(Backend::kScalar, dtype, values, way.options);
      const auto bytes = encode(GetParam(), dtype, values, way.options);
      ASSERT_EQ(bytes, expected) << dtype_name(dtype) << ", " << what << ", " << way.name;
      expect_same_floats(dtype, bytes, what);
    }
  }
  void expect_same_floats(DType dtype, const std::vector<std::byte>& bytes,
                          const std::string& what) {
    const auto expected = decode(Backend::kScalar, dtype, bytes);
    const auto decoded = decode(GetParam(), dtype, bytes);
    ASSERT_EQ(std::memcmp(decoded.data(), expected.data(), 4 * expected.size()), 0)
        << dtype_name(dtype) << ", " << what;
  }
};

TEST_P(CodecBackends, AgreeOnOrdinaryRowsOfAnyNumberOfBlocks) {
  for (const Codec& codec : encoders()) {
    TestNumbers numbers(21);
    const std::size_t block = dtype_info(codec.dtype).block_values;
    // Encoders take up to sixteen at once, or one.
    for (const std::size_t blocks : {1U, 2U, 3U, 8U, 15U, 16U, 17U, 33U}) {
      if (has_grid(codec.dtype) && blocks > 3) continue;
      std::vector<float> values(blocks * block);
      for (float& value : values) value = static_cast<float>(0.02 * numbers.bell());
      expect_same(codec.dtype, values, std::to_string(blocks) + " blocks");
    }
  }
}

TEST_P(CodecBackends, AgreeOnHostileRows) {
  for (const Codec& codec : encoders()) {
    for (const NamedRows& rows : hostile_rows(codec.dtype)) {
      expect_same(codec.dtype, rows.values, rows.name);
    }
  }
}

TEST_P(CodecBackends, AgreeOnRowsOfWildlyDifferentSizes) {
  for (const Codec& codec : encoders()) {
    TestNumbers numbers(22);
    std::vector<float> values(4096);
    for (float& value : values) {
      const auto exponent = static_cast<int>(numbers.bits() % 40) - 30;
      value = static_cast<float>(std::ldexp(numbers.bell(), exponent));
      value = std::min(std::max(value, -codec.largest), codec.largest);
    }
    expect_same(codec.dtype, values, "sizes from 2^-30 to 2^9");
  }
}

TEST_P(CodecBackends, AgreeOnValuesHalfWayBetweenCodes) {
  for (const Codec& codec : encoders()) {
    TestNumbers numbers(23);
    std::vector<float> values(2048);
    for (float& value : values) value = static_cast<float>(numbers.bits() % 65) / 4 - 8;
    expect_same(codec.dtype, values, "quarters");
  }
}

TEST_P(CodecBackends, DecodeArbitraryBytesAlike) {
  for (const Codec& codec : all_codecs()) {
    TestNumbers numbers(24);
    std::vector<std::byte> bytes(std::size_t{21} * dtype_info(codec.dtype).block_bytes);
    for (std::byte& byte : bytes) byte = static_cast<std::byte>(numbers.bits() >> 56);
    // Not-a-number may differ in its payload.
    const auto decoded = decode(Backend::kScalar, codec.dtype, bytes);
    const auto other = decode(GetParam(), codec.dtype, bytes);
    for (std::size_t i = 0; i < decoded.size(); ++i) {
      const bool both_nan = std::isnan(decoded[i]) && std::isnan(other[i]);
      ASSERT_TRUE(both_nan || std::bit_cast<std::uint32_t>(decoded[i]) ==
                                  std::bit_cast<std::uint32_t>(other[i]))
          << dtype_name(codec.dtype) << ", value " << i;
    }
  }
}

std::string backend_of(const testing::TestParamInfo<Backend>& info) {
  return std::string(backend_name(info.param));
}
INSTANTIATE_TEST_SUITE_P(Fast, CodecBackends, testing::Values(Backend::kAvx2, Backend::kAvx512),
                         backend_of);

}  // namespace
}  // namespace qbuild::kernels
