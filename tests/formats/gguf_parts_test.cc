#include "formats/gguf_parts.h"

#include <gmock/gmock.h>

#include "tests/formats/support.h"

namespace qbuild::formats {
namespace {

using testing::HasSubstr;

// One tensor of four F32, and the metadata of a part.
std::string part(std::string_view tensor, std::uint32_t number, std::uint32_t count,
                 std::uint32_t all_tensors) {
  return padded(gguf_start(1, 4) + gguf_u32_pair("k", number) + gguf_u32_pair("split.no", number) +
                gguf_u32_pair("split.count", count) +
                gguf_u32_pair("split.tensors.count", all_tensors) +
                gguf_tensor_info(tensor, {4}, 0, 0)) +
         std::string(16, static_cast<char>('a' + number)) + std::string(16, '\0');
}

class GgufPartsTest : public testing::Test {
 protected:
  GgufPartsTest() {
    files_.put("/m/x-00001-of-00003.gguf", part("one", 0, 3, 3));
    files_.put("/m/x-00002-of-00003.gguf", part("two", 1, 3, 3));
    files_.put("/m/x-00003-of-00003.gguf", part("three", 2, 3, 3));
  }
  GgufParts open(const std::string& name = "x-00001-of-00003.gguf") {
    return GgufParts::open(files_, "/m/" + name);
  }
  Error refusal(const std::string& name = "x-00001-of-00003.gguf") {
    return error_of([&] { static_cast<void>(open(name)); });
  }

  FakeFileSystem files_;
};

TEST(GgufPartName, SaysWhichPartItIs) {
  EXPECT_EQ(parse_gguf_part_name("a-b-00002-of-00003.gguf"), (GgufPartName{"a-b", 2, 3}));
  EXPECT_EQ((GgufPartName{"a-b", 2, 3}.file_name()), "a-b-00002-of-00003.gguf");
  for (const char* const name :
       {"a.gguf", "a-00002-of-00003", "-00002-of-00003.gguf", "a-0002-of-00003.gguf",
        "a-00004-of-00003.gguf", "a-00000-of-00003.gguf", "a-0000x-of-00003.gguf",
        "a_00002-of-00003.gguf", "a-00002-xx-00003.gguf", "", ".gguf"})
    EXPECT_EQ(parse_gguf_part_name(name), std::nullopt) << name;
}

TEST_F(GgufPartsTest, ReadsAllPartsAsOne) {
  const GgufParts parts = open();
  ASSERT_EQ(parts.paths().size(), 3u);
  EXPECT_EQ(parts.paths()[2], "/m/x-00003-of-00003.gguf");
  ASSERT_EQ(parts.metadata().size(), 1u);
  EXPECT_EQ(parts.metadata()[0].key, "k");
  ASSERT_EQ(parts.tensors().size(), 3u);
  const GgufPartTensor* const two = parts.find("two");
  ASSERT_NE(two, nullptr);
  std::string bytes(2, '\0');
  parts.read(*two, 4, std::as_writable_bytes(std::span<char>(bytes)));
  EXPECT_EQ(bytes, "bb");
  EXPECT_EQ(parts.find("four"), nullptr);
}

TEST_F(GgufPartsTest, AFileThatWasNeverSplitIsOnePart) {
  files_.put("/m/y.gguf",
             padded(gguf_start(1, 0) + gguf_tensor_info("a", {4}, 0, 0)) + std::string(32, 'x'));
  const GgufParts parts = open("y.gguf");
  EXPECT_EQ(parts.paths().size(), 1u);
  EXPECT_EQ(parts.tensors().size(), 1u);
}

TEST_F(GgufPartsTest, AnotherPartThanTheFirstNamesTheFirst) {
  const Error error = refusal("x-00002-of-00003.gguf");
  EXPECT_EQ(error.kind(), ErrorKind::kInvalidInput);
  EXPECT_EQ(error.message(),
            "/m/x-00002-of-00003.gguf: it is part 2 of 3; give the first, x-00001-of-00003.gguf");
}

TEST_F(GgufPartsTest, AMissingPartIsNamed) {
  files_.remove("/m/x-00003-of-00003.gguf");
  const Error error = refusal();
  EXPECT_EQ(error.kind(), ErrorKind::kNotFound);
  EXPECT_EQ(error.message(),
            "/m/x-00003-of-00003.gguf: part 3 of 3 is missing; it lies beside the first");
}

TEST_F(GgufPartsTest, ANameThatTellsNoOtherPartsIsRefused) {
  files_.put("/m/renamed.gguf", part("one", 0, 3, 3));
  EXPECT_EQ(refusal("renamed.gguf").message(),
            "/m/renamed.gguf: it is one of 3 parts, and its name does not tell the others; call "
            "them NAME-00001-of-00003.gguf and so on");
}

TEST_F(GgufPartsTest, PartsThatContradictEachOtherAreRefused) {
  files_.put("/m/x-00002-of-00003.gguf", part("two", 2, 3, 3));
  EXPECT_EQ(refusal().message(),
            "/m/x-00002-of-00003.gguf: it says that it is part 3 of 3; its name says 2 of 3");
  files_.put("/m/x-00002-of-00003.gguf", part("two", 1, 4, 3));
  EXPECT_THAT(refusal().message(), HasSubstr("it says that it is part 2 of 4"));
  files_.put("/m/x-00002-of-00003.gguf", part("one", 1, 3, 3));
  EXPECT_EQ(refusal().message(),
            "/m/x-00001-of-00003.gguf and /m/x-00002-of-00003.gguf both hold the tensor one");
  files_.put("/m/x-00001-of-00003.gguf", part("one", 0, 3, 4));
  files_.put("/m/x-00002-of-00003.gguf", part("two", 1, 3, 4));
  EXPECT_THAT(refusal().message(), HasSubstr("all parts together have 3 tensors; 4 were split"));
}

TEST_F(GgufPartsTest, ACountBeyondReasonIsRefusedBeforeAnythingIsOpened) {
  files_.put("/m/x-00001-of-00003.gguf", part("one", 0, 4'000'000'000u, 3));
  const Error error = refusal();
  EXPECT_EQ(error.kind(), ErrorKind::kCorrupt);
  EXPECT_THAT(error.message(), HasSubstr("one of 4000000000 parts, of which at most 4096"));
}

}  // namespace
}  // namespace qbuild::formats
