// Encoder versions are part of keys, so a version and the bytes that it stands for change together.

#include <gtest/gtest.h>

#include <string_view>
#include <vector>

#include "base/digest.h"
#include "tests/kernels/codec_data.h"

namespace qbuild::kernels {
namespace {

// What each version of an encoder made of golden_values(), version 1 first: the SHA-256 of its
// bytes without importance at default effort, and that of its bytes in the three other ways
// together (see all_options). An entry is never edited. Where the last test below fails, either the
// change of bytes was an accident, or the version in kernels/codec.cc goes up by one and the digest
// that the test prints is appended here.
struct Digests {
  std::string_view plain, searched;
  bool operator==(const Digests&) const = default;
};
struct Golden {
  DType dtype;
  std::vector<Digests> digests;
};
const std::vector<Golden>& golden() {
  static const std::vector<Golden> kGolden{
      {DType::kF32,
       {{"7b3e427d137276760f6a305913b37644145a780cdf9ea24b7d39ecf9e4c836b2",
         "2e43a9203deb16aadd4b5905885cf8677766085af415198bcd8e86dc2702cef7"}}},
      {DType::kF16,
       {{"ba7ccf39569cdff3a375b87977e12775e1dc99d88d796a9bbfbaa3f3da7462bc",
         "f7a9df661bbfb2aa56fc84c07d1845d413eb295adda406702610c24097bcb344"}}},
      {DType::kQ4_0,
       {{"13a9e092342e1727ac6536740bafbfe5008203c8abfed58d4fe604de728e33c5",
         "a341ae57cac4bfc4a2ad62fd2c1775f007e8005d724834f34f85f22a13aa516f"}}},
      {DType::kQ5_0,
       {{"e74cae1b1928363375933e8f79f1c2403b1500ffa1eb0c683295efeecc3e727d",
         "773139190e104a9a5cd7615f4dfdc282394a7684eb326e6fa5b0d8bc27b112db"}}},
      {DType::kQ5_1,
       {{"882664ba2f5255a9162fad673ade845387c80e2121d0cfc0a12197788d23b8c0",
         "b9621866ca72033a3566ec0f81a55435404fd6a2ba56c2f32a59ca039a22f56a"}}},
      {DType::kQ8_0,
       {{"e3b14837763990bb6de81625e94357ba747f1297d8a0301963d21242da196de0",
         "fe0d41b17cb958e2c47bf3f8f32d29c685d0ace22c85d0bab7a5b39da6438198"}}},
      {DType::kQ4_K,
       {{"c91da5fc11c93cddf2be27e31d4ab376acc5b793d09a43bc28b12106c8c9763f",
         "1a39200d4aaf5a1392fa2b58fcc204323b372e7926b0760a687f622ca97b4eab"}}},
      {DType::kQ5_K,
       {{"e43666da1314fab6d0af9ed30c4d9fd340c05ac1c412efd6c1905d81b5f8d3a6",
         "c186cf7ac4cc6c82a6a25bc5247f9142e2cbf6fa9fba70871bd33c442877cc21"}}},
      {DType::kQ6_K,
       {{"e7f0d97bede428ce7af8831615b184cfe3ae671307d2f85886f781345792b486",
         "6f54bb0a195fd4e5aada258a1a38d293ee59d3f1a7c015c0eef33f5ccd445fad"}}},
      {DType::kBF16,
       {{"d3ab0b688bc7ac4a1f24fcd8d1531f84038958803650f8f58042f350d43352e4",
         "220380c099bd7f8a89125db50c3cd2ed42006948dad8e92559a12788fd446bf1"}}},
  };
  return kGolden;
}

TEST(EncodeGolden, CoversEveryEncoderInOrder) {
  const std::vector<Codec> able = encoders();
  ASSERT_EQ(golden().size(), able.size());
  for (std::size_t i = 0; i < golden().size(); ++i) {
    EXPECT_EQ(golden()[i].dtype, able[i].dtype);
  }
}

TEST(EncodeGolden, EveryVersionHasItsOwnBytes) {
  for (const Golden& entry : golden()) {
    EXPECT_EQ(find_codec(entry.dtype)->encoder_version, entry.digests.size())
        << dtype_name(entry.dtype) << ": a version without new bytes, or bytes without a version";
    for (std::size_t i = 1; i < entry.digests.size(); ++i) {
      EXPECT_FALSE(entry.digests[i] == entry.digests[i - 1]) << dtype_name(entry.dtype);
    }
  }
}

TEST(EncodeGolden, BytesAreThoseOfTheDeclaredVersion) {
  for (const Golden& entry : golden()) {
    const std::vector<float> values = golden_values(entry.dtype);
    const std::vector<float> importance = golden_importance();
    std::vector<std::byte> searched;
    for (const NamedOptions& way : all_options(importance)) {
      const auto bytes = encode(best_backend(), entry.dtype, values, way.options);
      if (way.name != "default") {
        searched.insert(searched.end(), bytes.begin(), bytes.end());
        continue;
      }
      EXPECT_EQ(sha256(bytes).hex(), entry.digests.back().plain)
          << dtype_name(entry.dtype) << " encodes differently now";
    }
    EXPECT_EQ(sha256(searched).hex(), entry.digests.back().searched)
        << dtype_name(entry.dtype) << " encodes differently now, in another way than the default";
  }
}

}  // namespace
}  // namespace qbuild::kernels
