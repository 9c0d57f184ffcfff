// Encoder versions are part of keys, so a version and the bytes that it stands for change together.

#include <gtest/gtest.h>

#include <string_view>
#include <vector>

#include "base/digest.h"
#include "tests/kernels/codec_data.h"

namespace qbuild::kernels {
namespace {

// What each version of an encoder made of golden_values(): the SHA-256 of its bytes, version 1
// first. An entry is never edited. Where the last test below fails, either the change of bytes was
// an accident, or the version in kernels/codec.cc goes up by one and the digest that the test
// prints is appended here.
struct Golden {
  DType dtype;
  std::vector<std::string_view> digests;
};
const std::vector<Golden>& golden() {
  static const std::vector<Golden> kGolden{
      {DType::kF32, {"7b3e427d137276760f6a305913b37644145a780cdf9ea24b7d39ecf9e4c836b2"}},
      {DType::kF16, {"ba7ccf39569cdff3a375b87977e12775e1dc99d88d796a9bbfbaa3f3da7462bc"}},
      {DType::kQ4_0, {"13a9e092342e1727ac6536740bafbfe5008203c8abfed58d4fe604de728e33c5"}},
      {DType::kQ5_0, {"e74cae1b1928363375933e8f79f1c2403b1500ffa1eb0c683295efeecc3e727d"}},
      {DType::kQ5_1, {"882664ba2f5255a9162fad673ade845387c80e2121d0cfc0a12197788d23b8c0"}},
      {DType::kQ8_0, {"e3b14837763990bb6de81625e94357ba747f1297d8a0301963d21242da196de0"}},
      {DType::kQ4_K, {"c91da5fc11c93cddf2be27e31d4ab376acc5b793d09a43bc28b12106c8c9763f"}},
      {DType::kQ5_K, {"e43666da1314fab6d0af9ed30c4d9fd340c05ac1c412efd6c1905d81b5f8d3a6"}},
      {DType::kQ6_K, {"e7f0d97bede428ce7af8831615b184cfe3ae671307d2f85886f781345792b486"}},
      {DType::kBF16, {"d3ab0b688bc7ac4a1f24fcd8d1531f84038958803650f8f58042f350d43352e4"}},
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
      EXPECT_NE(entry.digests[i], entry.digests[i - 1]) << dtype_name(entry.dtype);
    }
  }
}

TEST(EncodeGolden, BytesAreThoseOfTheDeclaredVersion) {
  for (const Golden& entry : golden()) {
    const auto bytes = encode(best_backend(), entry.dtype, golden_values(entry.dtype));
    EXPECT_EQ(sha256(bytes).hex(), entry.digests.back())
        << dtype_name(entry.dtype) << " encodes differently now";
  }
}

}  // namespace
}  // namespace qbuild::kernels
