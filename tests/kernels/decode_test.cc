// The decoders against check values of an independent implementation (docs/types/README.md).

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <iterator>
#include <limits>
#include <utility>
#include <vector>

#include "base/half.h"
#include "tests/kernels/codec_data.h"

namespace qbuild::kernels {
namespace {

constexpr std::size_t kElsewhere = 1000;  // see set_scale
struct DecoderCheck {
  DType dtype;
  std::size_t d_offset;    // of a binary16 scale, set to 0.0625
  std::size_t min_offset;  // of a binary16 minimum, set to 0.03125; 0: none
  std::uint64_t digest;    // FNV-1a-64 of the decoded floats
};

constexpr DecoderCheck kChecks[] = {
    {DType::kQ4_0, 0, 0, 0x8e00e9e8a4c2fa26U},
    {DType::kQ4_1, 0, 2, 0x62f7900511cf7ea3U},
    {DType::kQ5_0, 0, 0, 0x462bd49bbb1c578dU},
    {DType::kQ5_1, 0, 2, 0x1fe9e9b12eef7a5aU},
    {DType::kQ8_0, 0, 0, 0x56ba342226a7c672U},
    {DType::kQ2_K, 80, 82, 0xf197bd0b6c7a6e3dU},
    {DType::kQ3_K, 108, 0, 0x535c50db78e5b084U},
    {DType::kQ4_K, 0, 2, 0x5d23dc3a1210daacU},
    {DType::kQ5_K, 0, 2, 0x7ac4d27f02def14aU},
    {DType::kQ6_K, 208, 0, 0x6f2f268f06c21a16U},
    {DType::kIQ2_XXS, 0, 0, 0x94a4ad0bfa7fb308U},
    {DType::kIQ2_XS, 0, 0, 0x57cb6ff212b05e9cU},
    {DType::kIQ3_XXS, 0, 0, 0x8b06371fa27bbd6fU},
    {DType::kIQ1_S, 0, 0, 0x45461f7ed8fd25cfU},
    {DType::kIQ4_NL, 0, 0, 0x51c1c9e0001f3573U},
    {DType::kIQ3_S, 0, 0, 0x75b5e3e69cca3120U},
    {DType::kIQ2_S, 0, 0, 0x1fbdc95e76dc7870U},
    {DType::kIQ4_XS, 0, 0, 0x155c81e54ac87776U},
    {DType::kIQ1_M, kElsewhere, 0, 0xb777ad77615a2a15U},
    {DType::kTQ1_0, 52, 0, 0x97b3c6002c4d4664U},
    {DType::kTQ2_0, 64, 0, 0x11db0c408d6b916dU},
    {DType::kMXFP4, kElsewhere, 0, 0xa258c9b61262baf5U},
    {DType::kNVFP4, kElsewhere, 0, 0x0b87f78044991b12U},
    {DType::kQ1_0, 0, 0, 0xf4102f0a60668a03U},
    {DType::kQ2_0, 0, 0, 0x4330577c6f57ce43U},
};

void set_scale(const DecoderCheck& check, std::byte* block) {
  if (check.dtype == DType::kIQ1_M) {
    for (std::size_t i = 0; i < 4; ++i) {
      std::byte& high = block[49 + 2 * i];
      high = (high & std::byte{15}) | static_cast<std::byte>((0x2c00 >> 4 * i & 15) << 4);
    }
  } else if (check.dtype == DType::kMXFP4) {
    block[0] = static_cast<std::byte>(100 + (std::to_integer<int>(block[0]) & 31));
  } else if (check.dtype == DType::kNVFP4) {
    for (std::size_t i = 0; i < 4; ++i) block[i] &= std::byte{0x7f};
  } else {
    store_le<std::uint16_t>(block + check.d_offset, 0x2c00);
  }
  if (check.min_offset != 0) store_le<std::uint16_t>(block + check.min_offset, 0x2800);
}

std::vector<std::byte> check_blocks(const DecoderCheck& check) {
  const std::size_t block_bytes = dtype_info(check.dtype).block_bytes;
  std::vector<std::byte> bytes(64 * block_bytes);
  TestNumbers numbers(7);
  for (std::byte& byte : bytes) byte = static_cast<std::byte>(numbers.bits() >> 56);
  for (std::size_t at = 0; at < bytes.size(); at += block_bytes) set_scale(check, &bytes[at]);
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

TEST(DecoderChecks, AreThereForEveryTypeInBlocks) {
  std::vector<DType> checked;
  for (const DecoderCheck& check : kChecks) checked.push_back(check.dtype);
  std::vector<DType> in_blocks;
  for (const Codec& codec : all_codecs()) {
    if (dtype_info(codec.dtype).block_values > 1) in_blocks.push_back(codec.dtype);
  }
  EXPECT_EQ(checked, in_blocks);
}

TEST_P(Decode, GivesTheFirstValuesOfTheSpecification) {
  const std::vector<std::pair<DType, std::vector<float>>> wanted{
      {DType::kQ4_K, {2.125F, 8.5F, 43.5625F, 2.125F}},
      {DType::kQ6_K, {81.25F, 175.0F, 162.5F, -31.25F}},
      {DType::kQ3_K, {1.0F, -2.0F, -1.0F, 1.5F}},
      {DType::kIQ4_XS, {-15.5625F, 2.4375F, 4.6875F, -6.5625F}},
      {DType::kIQ3_S, {-3.4375F, -0.6875F, -2.0625F, 10.3125F}},
      {DType::kIQ2_XS, {4.4921875F, -1.4375F, 4.4921875F, -4.4921875F}},
      {DType::kNVFP4, {66.0F, -264.0F, 264.0F, 66.0F}},
      {DType::kQ1_0, {-0.0625F, 0.0625F, 0.0625F, -0.0625F}},
      {DType::kQ2_0, {0.0625F, 0.0F, 0.0625F, 0.125F}},
  };
  for (const auto& [dtype, first] : wanted) {
    const auto* const check =
        std::find_if(std::begin(kChecks), std::end(kChecks),
                     [type = dtype](const DecoderCheck& c) { return c.dtype == type; });
    std::vector<float> values = decode(GetParam(), dtype, check_blocks(*check));
    values.resize(first.size());
    EXPECT_EQ(values, first) << dtype_name(dtype);
  }
}

TEST_P(Decode, ReadsScalesOfEightBitsAsTheirFormatsDo) {
  // Code 2 is 1 in E2M1, so its value is the scale.
  std::vector<std::byte> mxfp4(17, std::byte{0x22});
  const auto e8m0 = [&](int e) {
    mxfp4[0] = static_cast<std::byte>(e);
    return decode(GetParam(), DType::kMXFP4, mxfp4).front();
  };
  EXPECT_EQ(e8m0(127), 1.0F);
  EXPECT_EQ(e8m0(0), 0x1p-127F);  // denormal
  EXPECT_EQ(e8m0(1), 0x1p-126F);
  EXPECT_EQ(e8m0(254), 0x1p127F);
  EXPECT_EQ(e8m0(255), std::numeric_limits<float>::infinity());
  std::vector<std::byte> nvfp4(36, std::byte{0x22});
  const auto ue4m3 = [&](int bits) {
    nvfp4[0] = static_cast<std::byte>(bits);
    return decode(GetParam(), DType::kNVFP4, nvfp4).front();
  };
  EXPECT_EQ(ue4m3(0), 0.0F);
  EXPECT_EQ(ue4m3(1), 0x1p-9F);  // denormal
  EXPECT_EQ(ue4m3(7), 7 * 0x1p-9F);
  EXPECT_EQ(ue4m3(8), 0x1p-6F);
  EXPECT_EQ(ue4m3(0x38), 1.0F);
  EXPECT_EQ(ue4m3(0x7e), 448.0F);
  EXPECT_EQ(ue4m3(0x7f), 0.0F);  // E4M3's not-a-number
  EXPECT_EQ(ue4m3(0x80), 0.0F);
  EXPECT_EQ(ue4m3(0xfe), 448.0F);
  EXPECT_EQ(ue4m3(0xff), 480.0F);
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
