#include "formats/gguf_reader.h"

#include <gmock/gmock.h>

#include "tests/formats/support.h"

namespace qbuild::formats {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

GgufReader open(const std::string& bytes) {
  static FakeFileSystem files;  // readers read from it as long as they live
  files.put("/m/x.gguf", bytes);
  return GgufReader::open(files, "/m/x.gguf");
}

Error refusal(const std::string& bytes) {
  Error error = error_of([&] { static_cast<void>(open(bytes)); });
  EXPECT_THAT(error.message(), StartsWith("/m/x.gguf"));
  return error;
}

// Two tensors: "a" of four F32, "b" of one block of Q4_0.
std::string two_tensors() {
  return padded(gguf_start(2, 2) + gguf_u32_pair("k", 5) + gguf_string("t") + le(std::uint32_t{9}) +
                le(std::uint32_t{8}) + le(std::uint64_t{2}) + gguf_string("x") +
                gguf_string("\xff\x01") + gguf_tensor_info("a", {2, 2}, 0, 0) +
                gguf_tensor_info("b", {32}, 2, 32)) +
         padded(std::string(16, 'a')) + std::string(18, 'b');
}

std::string one_tensor(const std::string& info) {
  return padded(gguf_start(1, 0) + info) + std::string(64, 'x');
}

TEST(GgufReader, ReadsKeysAndTensors) {
  const GgufReader reader = open(two_tensors());
  EXPECT_EQ(require_uint(reader.metadata(), "k"), 5U);
  // Texts of tokens may be any bytes.
  EXPECT_THAT(require_texts(reader.metadata(), "t"), ElementsAre("x", "\xff\x01"));
  ASSERT_EQ(reader.tensors().size(), 2U);
  EXPECT_THAT(reader.tensors()[0].shape, ElementsAre(2, 2));
  const GgufTensor* b = reader.find("b");
  ASSERT_NE(b, nullptr);
  EXPECT_EQ(b->dtype, DType::kQ4_0);
  std::string bytes(4, '\0');
  reader.read(*b, 14, std::as_writable_bytes(std::span<char>(bytes)));
  EXPECT_EQ(bytes, "bbbb");
  EXPECT_EQ(reader.find("c"), nullptr);
}

TEST(GgufReader, RefusesEveryTruncation) {
  const std::string whole = two_tensors();
  static_cast<void>(open(whole));
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_EQ(refusal(whole.substr(0, size)).kind(), ErrorKind::kCorrupt) << size;
  }
}

TEST(GgufReader, ReadsVersionTwoAndRefusesOthers) {
  EXPECT_TRUE(open(gguf_start(0, 0, 2)).tensors().empty());
  for (const std::uint32_t version : {1U, 4U, 0x03000000U}) {
    EXPECT_EQ(refusal(gguf_start(0, 0, version)).kind(), ErrorKind::kUnsupported) << version;
  }
  EXPECT_THAT(refusal(gguf_start(0, 0, 1)).message(),
              HasSubstr("it has GGUF version 1; 2 and 3 are read"));
  EXPECT_THAT(refusal(gguf_start(0, 0, 0x03000000U)).message(), HasSubstr("big-endian"));
}

TEST(GgufReader, RefusesOtherFiles) {
  EXPECT_THAT(refusal("PK\x03\x04 something else entirely").message(),
              HasSubstr("it is no GGUF file"));
  EXPECT_EQ(refusal("").kind(), ErrorKind::kCorrupt);
}

TEST(GgufReader, SaysWhatToDoAboutALfsPointer) {
  const Error error = refusal("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n");
  EXPECT_EQ(error.kind(), ErrorKind::kInvalidInput);
  EXPECT_EQ(error.message(),
            "/m/x.gguf is a Git LFS pointer, not the file itself; run \"git lfs pull\" in /m");
}

TEST(GgufReader, RefusesCountsBeyondTheirBounds) {
  for (const std::int64_t count :
       {std::int64_t{-1}, std::int64_t{1} << 40U, std::int64_t{-1} << 62U}) {
    EXPECT_EQ(refusal(gguf_start(count, 0)).kind(), ErrorKind::kCorrupt) << count;
    EXPECT_EQ(refusal(gguf_start(0, count)).kind(), ErrorKind::kCorrupt) << count;
  }
}

TEST(GgufReader, RefusesLengthsBeyondTheFileBeforeItAllocates) {
  const std::string huge = le(std::uint64_t{1} << 60U);
  EXPECT_EQ(refusal(gguf_start(0, 1) + huge).kind(), ErrorKind::kCorrupt);
  EXPECT_EQ(refusal(gguf_start(0, 1) + gguf_string("k") + le(std::uint32_t{8}) + huge).kind(),
            ErrorKind::kCorrupt);
  for (std::uint32_t element = 0; element <= 12; ++element) {
    const std::string array = gguf_string("k") + le(std::uint32_t{9}) + le(element) + huge;
    EXPECT_EQ(refusal(gguf_start(0, 1) + array).kind(), ErrorKind::kCorrupt) << element;
  }
}

TEST(GgufReader, RefusesBadKeys) {
  EXPECT_THAT(refusal(gguf_start(0, 2) + gguf_u32_pair("k", 1) + gguf_u32_pair("k", 1)).message(),
              HasSubstr("the key k twice"));
  EXPECT_THAT(refusal(gguf_start(0, 1) + gguf_u32_pair("", 1)).message(),
              HasSubstr("an empty key"));
  EXPECT_THAT(refusal(gguf_start(0, 1) + gguf_u32_pair(std::string(65536, 'k'), 1)).message(),
              HasSubstr("a string of 65536 bytes"));
}

TEST(GgufReader, RefusesUnknownValueTypesAndArraysOfArrays) {
  EXPECT_THAT(
      refusal(gguf_start(0, 1) + gguf_string("k") + le(std::uint32_t{13}) + le(std::uint64_t{0}))
          .message(),
      HasSubstr("an unknown value type 13"));
  EXPECT_THAT(refusal(gguf_start(0, 1) + gguf_string("k") + le(std::uint32_t{9}) +
                      le(std::uint32_t{9}) + le(std::uint64_t{0}))
                  .message(),
              HasSubstr("an array of arrays"));
}

TEST(GgufReader, ReadsEveryKindOfValueInItsWidth) {
  std::string bytes = gguf_start(0, 12);
  const auto pair = [&](const std::string& key, std::uint32_t type, const std::string& value) {
    bytes += gguf_string(key) + le(type) + value;
  };
  pair("u8", 0, "\xff");
  pair("i8", 1, "\xff");
  pair("u16", 2, "\xff\xff");
  pair("i16", 3, "\xff\xff");
  pair("u32", 4, le(~std::uint32_t{0}));
  pair("i32", 5, le(std::int32_t{-1}));
  pair("f32", 6, le(1.5F));
  pair("bool", 7, "\x02");
  pair("string", 8, gguf_string("s"));
  pair("u64", 10, le(~std::uint64_t{0}));
  pair("i64", 11, le(std::int64_t{-1}));
  pair("f64", 12, le(0.1));
  const GgufReader reader = open(bytes);
  const GgufMetadata& read = reader.metadata();
  EXPECT_EQ(require_uint(read, "u8"), 255U);
  EXPECT_EQ(require_uint(read, "u16"), 65535U);
  EXPECT_EQ(require_uint(read, "u32"), 0xffffffffU);
  EXPECT_EQ(require_uint(read, "u64"), ~std::uint64_t{0});
  EXPECT_EQ(require_uint(read, "bool"), 1U);
  for (const std::string_view key : {"i8", "i16", "i32", "i64"}) {
    EXPECT_EQ(std::get<std::int64_t>(find_value(read, key)->value), -1) << key;
  }
  EXPECT_EQ(require_float(read, "f32"), 1.5);
  EXPECT_EQ(require_float(read, "f64"), 0.1);
  EXPECT_EQ(require_text(read, "string"), "s");
}

TEST(GgufReader, RefusesBadTensorInfos) {
  const auto message = [](const std::string& info) { return refusal(one_tensor(info)).message(); };
  EXPECT_THAT(message(gguf_tensor_info("a", {}, 0, 0)), HasSubstr("tensor a with 0 dimensions"));
  EXPECT_THAT(message(gguf_tensor_info("a", {1, 1, 1, 1, 1}, 0, 0)),
              HasSubstr("tensor a with 5 dimensions"));
  EXPECT_THAT(message(gguf_tensor_info("a", {-1}, 0, 0)),
              HasSubstr("tensor a with a dimension of -1"));
  EXPECT_THAT(message(gguf_tensor_info("a", {31}, 2, 0)),
              HasSubstr("rows of 31 values, no whole blocks"));
  EXPECT_THAT(message(gguf_tensor_info("a", {32, std::int64_t{1} << 61U, 8}, 0, 0)),
              HasSubstr("tensor a larger than the file"));
  EXPECT_THAT(message(gguf_tensor_info(std::string(64, 'n'), {1}, 0, 0)),
              HasSubstr("a string of 64 bytes"));
  EXPECT_THAT(message(gguf_tensor_info("a", {1}, 0, 32)),
              HasSubstr("tensor a begins at byte 32 of the data instead of 0"));
}

TEST(GgufReader, NamesATensorTypeThatItDoesNotRead) {
  const Error error = refusal(one_tensor(gguf_tensor_info("a", {256}, 43, 0)));
  EXPECT_EQ(error.kind(), ErrorKind::kUnsupported);
  EXPECT_EQ(error.message(), "/m/x.gguf: tensor a has type 43, which qbuild does not read");
  EXPECT_EQ(refusal(one_tensor(gguf_tensor_info("a", {32}, 4, 0))).kind(), ErrorKind::kUnsupported);
}

TEST(GgufReader, RefusesTensorThatEndsPastTheFile) {
  const std::string bytes =
      padded(gguf_start(1, 0) + gguf_tensor_info("a", {8}, 0, 0)) + std::string(31, 'x');
  EXPECT_EQ(refusal(bytes).message(), "/m/x.gguf: tensor a ends past the file, which has " +
                                          std::to_string(bytes.size()) + " bytes; it was cut off");
}

TEST(GgufReader, RefusesTwoTensorsOfOneNameAndOverlaps) {
  const std::string a = gguf_tensor_info("a", {1}, 0, 0);
  const auto file = [&](const std::string& second) {
    return padded(gguf_start(2, 0) + a + second) + std::string(64, 'x');
  };
  EXPECT_THAT(refusal(file(gguf_tensor_info("a", {1}, 0, 32))).message(),
              HasSubstr("there are two tensors a"));
  EXPECT_THAT(refusal(file(gguf_tensor_info("b", {1}, 0, 0))).message(),
              HasSubstr("tensor b begins at byte 0 of the data instead of 32"));
}

TEST(GgufReader, KeepsTheAlignmentOfTheFile) {
  const auto file = [](std::uint32_t alignment, std::uint64_t second) {
    return padded(gguf_start(2, 1) + gguf_u32_pair("general.alignment", alignment) +
                      gguf_tensor_info("a", {1}, 0, 0) + gguf_tensor_info("b", {1}, 0, second),
                  64) +
           padded("aaaa", 64) + "bbbb";
  };
  const GgufReader reader = open(file(64, 64));
  std::string bytes(4, '\0');
  reader.read(reader.tensors()[1], 0, std::as_writable_bytes(std::span<char>(bytes)));
  EXPECT_EQ(bytes, "bbbb");
  for (const std::uint32_t alignment : {0U, 33U}) {
    EXPECT_THAT(refusal(file(alignment, 64)).message(),
                HasSubstr("general.alignment is no u32 power of two"));
  }
}

}  // namespace
}  // namespace qbuild::formats
