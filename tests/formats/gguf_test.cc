#include "formats/gguf.h"

#include <gmock/gmock.h>

#include "tests/formats/support.h"

namespace qbuild::formats {
namespace {

const GgufMetadata kMetadata = {{"n", GgufValue::u32(7)},
                                {"f", GgufValue::f32(0.5F)},
                                {"s", GgufValue::text("x")},
                                {"t", GgufValue::strings({"a", "b"})},
                                {"i", {GgufType::kI32, {}, std::int64_t{-1}}}};

TEST(GgufValues, AreFoundByKey) {
  EXPECT_EQ(require_uint(kMetadata, "n"), 7U);
  EXPECT_EQ(require_float(kMetadata, "f"), 0.5);
  EXPECT_EQ(require_text(kMetadata, "s"), "x");
  EXPECT_EQ(require_texts(kMetadata, "t"), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(find_value(kMetadata, "nothing"), nullptr);
}

TEST(GgufValues, NameTheKeyThatIsMissing) {
  const Error error =
      error_of([] { static_cast<void>(require_uint(kMetadata, "llama.block_count")); });
  EXPECT_EQ(error.kind(), ErrorKind::kInvalidInput);
  EXPECT_EQ(error.message(), "the key llama.block_count is missing");
}

TEST(GgufValues, NameTheKindThatIsWrong) {
  EXPECT_EQ(error_of([] { static_cast<void>(require_uint(kMetadata, "s")); }).message(),
            "the key s should be a number from 0, but is string");
  EXPECT_EQ(error_of([] { static_cast<void>(require_uint(kMetadata, "i")); }).message(),
            "the key i should be a number from 0, but is i32");
  EXPECT_EQ(error_of([] { static_cast<void>(require_float(kMetadata, "n")); }).message(),
            "the key n should be a floating-point number, but is u32");
  EXPECT_EQ(error_of([] { static_cast<void>(require_text(kMetadata, "t")); }).message(),
            "the key t should be a string, but is array");
  EXPECT_EQ(error_of([] { static_cast<void>(require_texts(kMetadata, "s")); }).message(),
            "the key s should be an array of strings, but is string");
}

TEST(GgufValues, HaveTheWidthOfTheirTypeOnDisk) {
  const auto bytes_of = [](GgufValue value) {
    std::string bytes;
    append_pair(bytes, {"k", std::move(value)});
    return bytes.substr(gguf_string("k").size());
  };
  EXPECT_EQ(bytes_of({GgufType::kU8, {}, std::uint64_t{200}}), le(std::uint32_t{0}) + "\xc8");
  EXPECT_EQ(bytes_of({GgufType::kI16, {}, std::int64_t{-2}}), le(std::uint32_t{3}) + "\xfe\xff");
  EXPECT_EQ(bytes_of(GgufValue::boolean(true)), le(std::uint32_t{7}) + "\x01");
  EXPECT_EQ(bytes_of(GgufValue::f32(1)), le(std::uint32_t{6}) + le(1.0F));
  EXPECT_EQ(bytes_of({GgufType::kF64, {}, 1.0}), le(std::uint32_t{12}) + le(1.0));
  EXPECT_EQ(bytes_of(GgufValue::i32s({1, -1})),
            le(std::uint32_t{9}) + le(std::uint32_t{5}) + le(std::uint64_t{2}) + le(1) + le(-1));
  EXPECT_EQ(bytes_of(GgufValue::strings({"", "ab"})), le(std::uint32_t{9}) + le(std::uint32_t{8}) +
                                                          le(std::uint64_t{2}) + gguf_string("") +
                                                          gguf_string("ab"));
}

TEST(GgufTensorValues, CountAllDimensions) {
  EXPECT_EQ((GgufTensor{.name = "", .shape = {3, 4, 5}}).values(), 60U);
}

}  // namespace
}  // namespace qbuild::formats
