#include "kernels/codec.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "base/error.h"
#include "tests/kernels/codec_data.h"

namespace qbuild::kernels {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

template <typename Body>
std::string message_of(ErrorKind kind, const Body& body) {
  try {
    body();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), kind);
    return error.message();
  }
  return "nothing was thrown";
}

std::string encode_message(DType dtype, const std::vector<float>& values) {
  return message_of(ErrorKind::kInvalidInput,
                    [&] { static_cast<void>(encode(best_backend(), dtype, values)); });
}

TEST(Codec, ListsTheTypesInTheOrderOfTheirIds) {
  std::string names;
  for (const Codec& codec : all_codecs()) {
    names += std::string(dtype_name(codec.dtype)) + " ";
    EXPECT_EQ(find_codec(codec.dtype), &codec);
    EXPECT_EQ(codec.can_encode(), codec.largest > 0) << dtype_name(codec.dtype);
  }
  EXPECT_EQ(names,
            "F32 F16 Q4_0 Q4_1 Q5_0 Q5_1 Q8_0 Q2_K Q3_K Q4_K Q5_K Q6_K IQ2_XXS IQ2_XS IQ3_XXS "
            "IQ1_S IQ4_NL IQ3_S IQ2_S IQ4_XS IQ1_M BF16 TQ1_0 TQ2_0 MXFP4 NVFP4 Q1_0 Q2_0 ");
  EXPECT_EQ(find_codec(DType::kI8), nullptr);
}

TEST(Codec, NamesTheFirstValueThatIsNotFinite) {
  // Several pieces long, so that the index is that of the whole and not of the piece.
  std::vector<float> values(10240, 0.5F);
  values[9001] = std::nanf("");
  values[9100] = kInfinity;
  EXPECT_EQ(encode_message(DType::kQ4_K, values), "cannot encode Q4_K: value 9001 is NaN");
  values[37] = -kInfinity;
  EXPECT_EQ(encode_message(DType::kQ8_0, values), "cannot encode Q8_0: value 37 is infinite");
  EXPECT_EQ(encode_message(DType::kF32, values), "cannot encode F32: value 37 is infinite");
}

TEST(Codec, FindsABadValueAtEveryPlaceOnEveryBackend) {
  for (const Backend backend : all_backends()) {
    if (!backend_obstacle(backend).empty()) continue;
    for (std::size_t i = 0; i < 768; i += 13) {
      std::vector<float> values(768, 0.5F);
      values[i] = i % 2 == 0 ? std::nanf("") : -kInfinity;
      EXPECT_EQ(message_of(ErrorKind::kInvalidInput,
                           [&] { static_cast<void>(encode(backend, DType::kQ6_K, values)); }),
                "cannot encode Q6_K: value " + std::to_string(i) +
                    (i % 2 == 0 ? " is NaN" : " is infinite"));
    }
  }
}

TEST(Codec, RefusesAValueThatNoScaleReachesAndTakesTheLargestThatOneDoes) {
  for (const Codec& codec : encoders()) {
    // There is no float beyond the largest of these.
    if (codec.dtype == DType::kF32 || codec.dtype == DType::kMXFP4) continue;
    std::vector<float> values(256, codec.largest);
    for (std::size_t i = 1; i < values.size(); i += 2) values[i] = -codec.largest;
    for (const Effort effort : {Effort::kDefault, Effort::kBest}) {
      const auto decoded = decode(best_backend(), codec.dtype,
                                  encode(best_backend(), codec.dtype, values, {.effort = effort}));
      // Q3_K has one level more on one side; small grids lack the vectors of equal magnitudes.
      const double tolerance = codec.dtype == DType::kQ3_K ? 0.17
                               : has_grid(codec.dtype)     ? 0.55
                                                           : 0.13;
      EXPECT_NEAR(decoded[3] / codec.largest, -1, tolerance) << dtype_name(codec.dtype);
      EXPECT_NEAR(decoded[4] / codec.largest, 1, tolerance) << dtype_name(codec.dtype);
    }
    values[4] = std::nextafter(-codec.largest, -kInfinity);
    EXPECT_NE(encode_message(codec.dtype, values).find("value 4 is "), std::string::npos)
        << dtype_name(codec.dtype);
  }
  std::vector<float> values(32, 0.0F);
  values[5] = 1e6F;
  EXPECT_EQ(
      encode_message(DType::kQ4_0, values),
      "cannot encode Q4_0: value 5 is 1000000, beyond the type's largest magnitude 524032; keep "
      "this tensor in BF16 or F32");
}

TEST(Codec, RefusesRowsThatAreNoMultipleOfTheBlock) {
  const std::vector<float> values(288, 0.5F);
  std::vector<std::byte> out(1000);
  const auto encode_rows_of = [&](std::size_t per_row) {
    return message_of(ErrorKind::kInvalidInput,
                      [&] { encode_rows(best_backend(), DType::kQ4_K, values, per_row, out); });
  };
  EXPECT_EQ(encode_rows_of(288),
            "cannot encode Q4_K: rows of 288 values are no positive multiple of its block of 256");
  EXPECT_EQ(encode_rows_of(0),
            "cannot encode Q4_K: rows of 0 values are no positive multiple of its block of 256");
  EXPECT_EQ(encode_rows_of(256),
            "cannot encode Q4_K: 288 values are no whole number of rows of 256");
}

TEST(Codec, RefusesBuffersOfAnyOtherSize) {
  const std::vector<float> values(256, 0.5F);
  for (const std::size_t size : {std::size_t{0}, std::size_t{271}, std::size_t{273}}) {
    std::vector<std::byte> out(size);
    EXPECT_EQ(message_of(ErrorKind::kInvalidInput,
                         [&] { encode_rows(best_backend(), DType::kQ8_0, values, 256, out); }),
              "cannot encode Q8_0: 256 values are 272 bytes, not " + std::to_string(size));
    std::vector<float> floats(256);
    EXPECT_EQ(message_of(ErrorKind::kInvalidInput,
                         [&] { decode_rows(best_backend(), DType::kQ8_0, out, floats); }),
              "cannot decode Q8_0: 256 values are 272 bytes, not " + std::to_string(size));
  }
  std::vector<std::byte> bytes(34);
  std::vector<float> floats(31);
  EXPECT_EQ(message_of(ErrorKind::kInvalidInput,
                       [&] { decode_rows(best_backend(), DType::kQ8_0, bytes, floats); }),
            "cannot decode Q8_0: 31 values are no multiple of its block of 32");
}

TEST(Codec, RefusesImportanceThatIsNoNumberOrNegative) {
  const std::vector<float> values(1024, 0.5F);
  std::vector<float> importance(256, 1.0F);
  const auto message = [&](DType dtype) {
    return message_of(ErrorKind::kInvalidInput, [&] {
      static_cast<void>(encode(best_backend(), dtype, values, {.importance = importance}));
    });
  };
  importance[200] = std::nanf("");
  EXPECT_EQ(message(DType::kQ4_K),
            "cannot encode Q4_K: the importance of column 200 is NaN; it must be a number and not "
            "negative");
  importance[100] = -0.5F;
  EXPECT_EQ(message(DType::kQ8_0),
            "cannot encode Q8_0: the importance of column 100 is -0.5; it must be a number and not "
            "negative");
  importance[7] = kInfinity;
  EXPECT_EQ(message(DType::kF32),
            "cannot encode F32: the importance of column 7 is inf; it must be a number and not "
            "negative");
}

TEST(Codec, RefusesImportanceOfAnyOtherNumberOfColumns) {
  const std::vector<float> values(512, 0.5F);
  const std::vector<float> importance(512, 1.0F);
  std::vector<std::byte> out(288);
  EXPECT_EQ(message_of(ErrorKind::kInvalidInput,
                       [&] {
                         encode_rows(best_backend(), DType::kQ4_K, values, 256, out,
                                     {.importance = importance});
                       }),
            "cannot encode Q4_K: importance of 512 columns for rows of 256");
}

TEST(Codec, DecodesBlocksOfExactlyTheirSize) {
  for (const Codec& codec : all_codecs()) {
    const DTypeInfo& info = dtype_info(codec.dtype);
    std::vector<float> floats(2 * std::size_t{info.block_values});
    for (const std::size_t off : {std::size_t{1}, std::size_t{info.block_bytes}}) {
      for (const std::size_t size : {2 * info.block_bytes - off, 2 * info.block_bytes + off}) {
        // A buffer of that size and no more, so that a sanitizer sees the byte beyond it.
        const std::vector<std::byte> bytes(size);
        EXPECT_EQ(message_of(ErrorKind::kInvalidInput,
                             [&] { decode_rows(best_backend(), codec.dtype, bytes, floats); }),
                  "cannot decode " + std::string(info.name) + ": " + std::to_string(floats.size()) +
                      " values are " + std::to_string(2 * info.block_bytes) + " bytes, not " +
                      std::to_string(size));
      }
    }
    const std::vector<std::byte> bytes(2 * std::size_t{info.block_bytes});
    decode_rows(best_backend(), codec.dtype, bytes, floats);
  }
}

TEST(Codec, SaysWhichTypesItCanOnlyDecode) {
  for (const Codec& codec : all_codecs()) {
    if (codec.can_encode()) continue;
    const std::vector<float> floats(256);
    std::vector<std::byte> bytes(row_bytes(codec.dtype, 256).value());
    const std::string name(dtype_name(codec.dtype));
    EXPECT_EQ(message_of(ErrorKind::kUnsupported,
                         [&] { encode_rows(best_backend(), codec.dtype, floats, 256, bytes); }),
              "cannot encode " + name + ": this type can only be decoded");
  }
}

TEST(Codec, SaysWhichTypesItCannotHandle) {
  std::vector<std::byte> bytes(64);
  std::vector<float> floats(64);
  const auto message = [](const auto& body) { return message_of(ErrorKind::kUnsupported, body); };
  EXPECT_EQ(message([&] { encode_rows(best_backend(), DType::kI8, floats, 64, bytes); }),
            "cannot encode I8: there is no codec for this type");
  EXPECT_EQ(message([&] { decode_rows(best_backend(), DType::kI8, bytes, floats); }),
            "cannot decode I8: there is no codec for this type");
  EXPECT_EQ(message([&] { to_f32(best_backend(), DType::kQ8_0, bytes, floats); }),
            "cannot read Q8_0 as plain values: F32, F16 and BF16 can be");
}

TEST(Codec, TakesNothingAndGivesNothing) {
  for (const Codec& codec : all_codecs()) {
    if (codec.can_encode()) encode_rows(best_backend(), codec.dtype, {}, 256, {});
    decode_rows(best_backend(), codec.dtype, {}, {});
  }
}

TEST(Codec, BytesOfARowDoNotDependOnTheRowsAroundIt) {
  // Three rows of an odd number of super-blocks, at once, one by one, and from an odd address.
  constexpr std::size_t kRow = 768;
  std::vector<float> values(3 * kRow);
  TestNumbers numbers(3);
  for (float& value : values) value = static_cast<float>(numbers.bell());
  for (const Codec& codec : encoders()) {
    const std::size_t bytes = row_bytes(codec.dtype, kRow).value();
    std::vector<std::byte> together(3 * bytes);
    encode_rows(best_backend(), codec.dtype, values, kRow, together);
    std::vector<std::byte> shifted(3 * bytes + 1);
    const std::span<std::byte> apart = std::span(shifted).subspan(1);
    for (const std::size_t row : {std::size_t{2}, std::size_t{0}, std::size_t{1}}) {
      encode_rows(best_backend(), codec.dtype, std::span(values).subspan(row * kRow, kRow), kRow,
                  apart.subspan(row * bytes, bytes));
    }
    EXPECT_TRUE(std::equal(together.begin(), together.end(), apart.begin(), apart.end()))
        << dtype_name(codec.dtype);
    std::vector<float> decoded(values.size());
    decode_rows(best_backend(), codec.dtype, apart, decoded);
    EXPECT_EQ(decoded, decode(best_backend(), codec.dtype, together)) << dtype_name(codec.dtype);
  }
}

TEST(Codec, BytesOfARowWithImportanceDoNotDependOnTheRowsAroundIt) {
  // Rows that begin anywhere in the pieces and groups that encoders work in.
  constexpr std::size_t kRow = 768;
  constexpr std::size_t kRows = 17;
  std::vector<float> values(kRows * kRow);
  std::vector<float> importance(kRow);
  TestNumbers numbers(4);
  for (float& value : values) value = static_cast<float>(numbers.bell());
  for (float& one : importance) one = static_cast<float>(numbers.uniform());
  for (const Codec& codec : encoders()) {
    for (const Effort effort : {Effort::kDefault, Effort::kBest}) {
      const EncodeOptions options{.importance = importance, .effort = effort};
      const auto together = encode(best_backend(), codec.dtype, values, options);
      std::vector<std::byte> apart;
      for (std::size_t row = 0; row < kRows; ++row) {
        const auto one = encode(best_backend(), codec.dtype,
                                std::span(values).subspan(row * kRow, kRow), options);
        apart.insert(apart.end(), one.begin(), one.end());
      }
      EXPECT_EQ(together, apart) << dtype_name(codec.dtype);
    }
  }
}

TEST(Codec, OnlyRatiosOfImportanceCount) {
  std::vector<float> values(1024);
  std::vector<float> importance(512);
  TestNumbers numbers(7);
  for (float& value : values) value = static_cast<float>(numbers.bell());
  for (float& one : importance) one = static_cast<float>(numbers.uniform());
  // As far as floats reach in powers of two.
  const auto scaled_by = [&](int exponent) {
    std::vector<float> scaled = importance;
    for (float& one : scaled) one = std::ldexp(one, exponent);
    return scaled;
  };
  for (const Codec& codec : encoders()) {
    const auto expected = encode(best_backend(), codec.dtype, values, {.importance = scaled_by(0)});
    EXPECT_EQ(encode(best_backend(), codec.dtype, values, {.importance = scaled_by(127)}), expected)
        << dtype_name(codec.dtype);
    EXPECT_EQ(encode(best_backend(), codec.dtype, values, {.importance = scaled_by(-100)}),
              expected)
        << dtype_name(codec.dtype);
  }
}

TEST(Codec, ImportanceOfZerosIsNone) {
  std::vector<float> values(1024);
  TestNumbers numbers(9);
  for (float& value : values) value = static_cast<float>(numbers.bell());
  const std::vector<float> zeros(512, 0.0F);
  for (const Codec& codec : encoders()) {
    for (const Effort effort : {Effort::kDefault, Effort::kBest}) {
      EXPECT_EQ(
          encode(best_backend(), codec.dtype, values, {.importance = zeros, .effort = effort}),
          encode(best_backend(), codec.dtype, values, {.effort = effort}))
          << dtype_name(codec.dtype);
    }
  }
}

}  // namespace
}  // namespace qbuild::kernels
