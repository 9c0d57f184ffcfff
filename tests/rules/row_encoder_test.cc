#include "rules/row_encoder.h"

#include <gmock/gmock.h>

#include <cstring>
#include <string>

#include "kernels/codec.h"
#include "tests/rules/support.h"

namespace qbuild::rules {
namespace {

using ::testing::HasSubstr;

// Four rows of 32 values, as two matrices.
WeightTensor two_matrices(DType stored) {
  return {.name = "blk.0.ffn_up_exps.weight",
          .stored_name = "up",
          .shape = {32, 2, 2},
          .stored = stored,
          .size_bytes = *row_bytes(stored, 128)};
}

std::vector<float> ramp() {
  std::vector<float> values(128);
  for (std::size_t i = 0; i < values.size(); ++i)
    values[i] = static_cast<float>(i % 7) - 3 + static_cast<float>(i) / 16;
  return values;
}

std::vector<std::byte> encode(const RowEncoder& encoder, std::span<const float> values) {
  std::vector<std::byte> out(values.size() / 32 * encoder.row_bytes());
  std::vector<float> divided;
  encoder.encode(0, std::as_bytes(values), values, divided, out);
  return out;
}

TEST(RowEncoder, DividesEachMatrixByItsFactor) {
  const WeightTensor tensor = two_matrices(DType::kF32);
  const Encoding encoding{
      .type = DType::kF32,
      .is_scaled = true,
      .scales = std::make_shared<const std::vector<float>>(std::vector<float>{1, 4})};
  const std::vector<float> values = ramp();
  const auto bytes = encode(RowEncoder(tensor, encoding, kernels::Backend::kScalar), values);
  std::vector<float> got(values.size());
  ASSERT_EQ(bytes.size(), got.size() * sizeof(float));
  std::memcpy(got.data(), bytes.data(), bytes.size());
  for (std::size_t i = 0; i < values.size(); ++i)
    EXPECT_EQ(got[i], i < 64 ? values[i] : values[i] / 4) << i;
}

TEST(RowEncoder, CopiesBlocksOfTheSameType) {
  const WeightTensor tensor = two_matrices(DType::kQ8_0);
  const Encoding encoding{.type = DType::kQ8_0};
  const RowEncoder encoder(tensor, encoding, kernels::Backend::kScalar);
  EXPECT_TRUE(encoder.copies());
  const std::string stored(2 * encoder.row_bytes(), 'x');
  std::vector<std::byte> out(stored.size());
  std::vector<float> divided;
  encoder.encode(1, as_bytes(stored), {}, divided, out);
  EXPECT_EQ(as_text(out), stored);
}

TEST(RowEncoder, RefusesRowsThatAreNoWholeBlocks) {
  const WeightTensor tensor = two_matrices(DType::kF32);
  const Encoding encoding{.type = DType::kQ4_K};
  const Error error = error_of([&] { RowEncoder(tensor, encoding, kernels::Backend::kScalar); });
  EXPECT_THAT(error.message(), HasSubstr("32 values are no whole blocks"));
}

TEST(RowEncoders, EqualWishesShareOne) {
  const WeightTensor tensor = two_matrices(DType::kQ8_0);
  const std::vector<Encoding> wanted{
      {.type = DType::kQ8_0}, {.type = DType::kQ4_0}, {.type = DType::kQ8_0}};
  const RowEncoders encoders(tensor, wanted, kernels::Backend::kScalar);
  EXPECT_EQ(encoders.all().size(), 2u);
  EXPECT_EQ(encoders.index_of(0), encoders.index_of(2));
  EXPECT_NE(encoders.index_of(0), encoders.index_of(1));
  EXPECT_TRUE(encoders.want_values());
  EXPECT_FALSE(
      RowEncoders(tensor, std::span(wanted).first(1), kernels::Backend::kScalar).want_values());
}

}  // namespace
}  // namespace qbuild::rules
