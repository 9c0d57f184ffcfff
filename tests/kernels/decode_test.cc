// The decoders against check values of an independent implementation (gguf.md 8.1).

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <vector>

#include "base/half.h"
#include "tests/kernels/codec_data.h"

namespace qbuild::kernels {
namespace {

struct DecoderCheck {
  DType dtype;
  std::size_t d_offset;    // of a binary16 scale, set to 0.0625
  std::size_t min_offset;  // of a binary16 minimum, set to 0.03125; 0: none
  std::uint64_t digest;    // FNV-1a-64 of the decoded floats
};

constexpr DecoderCheck kChecks[] = {
    {DType::kQ4_0, 0, 0, 0x8e00e9e8a4c2fa26U},   {DType::kQ5_0, 0, 0, 0x462bd49bbb1c578dU},
    {DType::kQ5_1, 0, 2, 0x1fe9e9b12eef7a5aU},   {DType::kQ8_0, 0, 0, 0x56ba342226a7c672U},
    {DType::kQ4_K, 0, 2, 0x5d23dc3a1210daacU},   {DType::kQ5_K, 0, 2, 0x7ac4d27f02def14aU},
    {DType::kQ6_K, 208, 0, 0x6f2f268f06c21a16U},
};

std::vector<std::byte> check_blocks(const DecoderCheck& check) {
  const std::size_t block_bytes = dtype_info(check.dtype).block_bytes;
  std::vector<std::byte> bytes(64 * block_bytes);
  TestNumbers numbers(7);
  for (std::byte& byte : bytes) byte = static_cast<std::byte>(numbers.bits() >> 56);
  for (std::size_t at = 0; at < bytes.size(); at += block_bytes) {
    store_le<std::uint16_t>(&bytes[at + check.d_offset], 0x2c00);
    if (check.min_offset != 0) store_le<std::uint16_t>(&bytes[at + check.min_offset], 0x2800);
  }
  return bytes;
}

std::uint64_t digest_of(const std::vector<float>& values) {
  std::uint64_t hash = 1469598103934665603U;
  for (const float value : values) {
    const auto bits = std::bit_cast<std::uint32_t>(value == 0 ? 0.0F : value);
    for (unsigned shift = 0; shift < 32; shift += 8) {
      hash = (hash ^ (bits >> shift & 255U)) * 1099511628211U;
    }
  }
  return hash;
}

class Decode : public testing::TestWithParam<Backend> {
 protected:
  void SetUp() override {
    if (const std::string obstacle = backend_obstacle(GetParam()); !obstacle.empty()) {
      GTEST_SKIP() << obstacle;
    }
  }
};

TEST_P(Decode, GivesTheValuesOfAnIndependentDecoder) {
  for (const DecoderCheck& check : kChecks) {
    const std::vector<float> values = decode(GetParam(), check.dtype, check_blocks(check));
    EXPECT_EQ(digest_of(values), check.digest) << dtype_name(check.dtype);
  }
}

TEST_P(Decode, GivesTheFirstValuesOfTheSpecification) {
  const std::vector<float> q4_k = decode(GetParam(), DType::kQ4_K, check_blocks(kChecks[4]));
  EXPECT_EQ(std::vector(q4_k.begin(), q4_k.begin() + 4),
            (std::vector{2.125F, 8.5F, 43.5625F, 2.125F}));
  const std::vector<float> q6_k = decode(GetParam(), DType::kQ6_K, check_blocks(kChecks[6]));
  EXPECT_EQ(std::vector(q6_k.begin(), q6_k.begin() + 4),
            (std::vector{81.25F, 175.0F, 162.5F, -31.25F}));
}

TEST_P(Decode, ReadsEveryHalfFloatAsTheScalarDefinitionDoes) {
  // Every pattern, and a tail that fills no register.
  constexpr std::size_t kPatterns = 65536;
  std::vector<std::byte> bytes(2 * (kPatterns + 3));
  for (std::size_t i = 0; i < kPatterns + 3; ++i) {
    store_le(&bytes[2 * i], static_cast<std::uint16_t>(i));
  }
  std::vector<float> f16(kPatterns + 3);
  std::vector<float> bf16(kPatterns + 3);
  to_f32(GetParam(), DType::kF16, bytes, f16);
  to_f32(GetParam(), DType::kBF16, bytes, bf16);
  for (std::size_t i = 0; i < f16.size(); ++i) {
    const auto bits = static_cast<std::uint16_t>(i);
    ASSERT_EQ(std::bit_cast<std::uint32_t>(f16[i]), std::bit_cast<std::uint32_t>(f16_to_f32(bits)))
        << i;
    ASSERT_EQ(std::bit_cast<std::uint32_t>(bf16[i]),
              std::bit_cast<std::uint32_t>(bf16_to_f32(bits)))
        << i;
  }
}

TEST_P(Decode, PassesAnInfiniteScaleOn) {
  std::vector<std::byte> block(34, std::byte{1});
  store_le<std::uint16_t>(block.data(), 0x7c00);
  const std::vector<float> values = decode(GetParam(), DType::kQ8_0, block);
  EXPECT_EQ(values.front(), std::numeric_limits<float>::infinity());
  store_le<std::uint16_t>(block.data(), 0x7e00);
  EXPECT_TRUE(std::isnan(decode(GetParam(), DType::kQ8_0, block).front()));
}

std::string backend_of(const testing::TestParamInfo<Backend>& info) {
  return std::string(backend_name(info.param));
}
INSTANTIATE_TEST_SUITE_P(Backends, Decode,
                         testing::Values(Backend::kScalar, Backend::kAvx2, Backend::kAvx512),
                         backend_of);

}  // namespace
}  // namespace qbuild::kernels
