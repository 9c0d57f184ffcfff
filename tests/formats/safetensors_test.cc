#include "formats/safetensors.h"

#include <gmock/gmock.h>

#include "tests/formats/support.h"

namespace qbuild::formats {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

const std::string kTwoTensors =
    R"({"__metadata__":{"format":"pt"},"b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]},)"
    R"("a":{"dtype":"BF16","shape":[1,2],"data_offsets":[0,4]}})";

SafetensorsHeader read(const std::string& bytes) {
  FakeFileSystem files;
  files.put("/m/x.safetensors", bytes);
  return read_safetensors_header(*files.open("/m/x.safetensors"), "/m/x.safetensors");
}

Error refusal(const std::string& header, std::string_view data) {
  return error_of([&] { static_cast<void>(read(safetensors_file(header, data))); });
}

TEST(Safetensors, GivesEntriesByOffsetWithPlacesInTheFile) {
  const SafetensorsHeader header = read(safetensors_file(kTwoTensors, std::string(12, 'x')));
  ASSERT_EQ(header.entries.size(), 2U);
  EXPECT_EQ(header.entries[0].name, "a");
  EXPECT_EQ(header.entries[0].dtype, DType::kBF16);
  EXPECT_THAT(header.entries[0].shape, ElementsAre(1, 2));
  EXPECT_EQ(header.entries[0].offset, 8 + kTwoTensors.size());
  EXPECT_EQ(header.entries[0].size_bytes, 4U);
  EXPECT_EQ(header.entries[1].offset, 8 + kTwoTensors.size() + 4);
  EXPECT_EQ(header.entries[1].size_bytes, 8U);
}

TEST(Safetensors, ReadsTheSpecificationsSmallestFile) {
  const std::string header = R"({"test":{"dtype":"I32","shape":[2,2],"data_offsets":[0,16]}})";
  ASSERT_EQ(header.size(), 60U);  // as the description of the format counts it
  EXPECT_EQ(read(safetensors_file(header, std::string(16, '\1'))).entries[0].dtype, DType::kI32);
}

TEST(Safetensors, AllowsPaddingScalarsAndEmptyTensors) {
  const SafetensorsHeader header = read(safetensors_file(
      R"({"s":{"dtype":"F32","shape":[],"data_offsets":[0,4]},"e":{"dtype":"F32","shape":[2,0],"data_offsets":[0,0]}}    )",
      "1234"));
  ASSERT_EQ(header.entries.size(), 2U);
  EXPECT_EQ(header.entries[0].name, "e");
  EXPECT_EQ(header.entries[0].size_bytes, 0U);
  EXPECT_TRUE(header.entries[1].shape.empty());
}

TEST(Safetensors, KeepsTheSpellingOfTypesThatNoGgufHas) {
  const SafetensorsHeader header = read(
      safetensors_file(R"({"a":{"dtype":"F8_E4M3","shape":[3],"data_offsets":[0,3]}})", "123"));
  EXPECT_FALSE(header.entries[0].dtype.has_value());
  EXPECT_EQ(header.entries[0].dtype_text, "F8_E4M3");
}

TEST(Safetensors, RefusesEveryTruncation) {
  const std::string whole = safetensors_file(kTwoTensors, std::string(12, 'x'));
  static_cast<void>(read(whole));
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const Error error = error_of([&] { static_cast<void>(read(whole.substr(0, size))); });
    EXPECT_EQ(error.kind(), ErrorKind::kCorrupt) << size;
    EXPECT_THAT(error.message(), StartsWith("/m/x.safetensors: ")) << size;
  }
}

TEST(Safetensors, RefusesBytesBehindTheLastTensor) {
  EXPECT_THAT(refusal(kTwoTensors, std::string(13, 'x')).message(),
              HasSubstr("1 bytes follow the last tensor"));
}

TEST(Safetensors, RefusesAHeaderThatClaimsMoreThanTheFile) {
  for (const std::uint64_t claim : {std::uint64_t{3}, kMaxSafetensorsHeaderBytes + 1,
                                    std::uint64_t{1} << 63U, ~std::uint64_t{0}}) {
    const Error error = error_of([&] { static_cast<void>(read(le(claim) + "{}")); });
    EXPECT_EQ(error.kind(), ErrorKind::kCorrupt) << claim;
    EXPECT_THAT(error.message(), HasSubstr("it is no safetensors file or was cut off")) << claim;
  }
}

TEST(Safetensors, RefusesTensorThatEndsPastTheFile) {
  const Error error =
      refusal(R"({"a":{"dtype":"F32","shape":[4],"data_offsets":[0,16]}})", "12345678");
  EXPECT_EQ(error.kind(), ErrorKind::kCorrupt);
  EXPECT_EQ(error.message(),
            "/m/x.safetensors: tensor a: it spans bytes 0 to 16, but the file has 8 bytes of data");
}

TEST(Safetensors, RefusesHolesAndOverlaps) {
  const std::string first =
      R"({"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[2],)";
  EXPECT_THAT(refusal(first + R"("data_offsets":[3,5]}})", "12345").message(),
              HasSubstr("there is a hole or an overlap before tensor b"));
  EXPECT_THAT(refusal(first + R"("data_offsets":[1,3]}})", "123").message(),
              HasSubstr("there is a hole or an overlap before tensor b"));
}

TEST(Safetensors, RefusesSizesThatShapeAndTypeDoNotGive) {
  EXPECT_THAT(
      refusal(R"({"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}})", "12345678").message(),
      HasSubstr("tensor a: it has 8 bytes, which is not what its shape and type need"));
}

TEST(Safetensors, RefusesShapesWhoseProductOverflows) {
  // 2^32 * 2^32 wraps to 0, which would fit an empty range.
  EXPECT_EQ(
      refusal(R"({"a":{"dtype":"U8","shape":[4294967296,4294967296],"data_offsets":[0,0]}})", "")
          .kind(),
      ErrorKind::kCorrupt);
  EXPECT_EQ(
      refusal(R"({"a":{"dtype":"F64","shape":[2305843009213693952],"data_offsets":[0,0]}})", "")
          .kind(),
      ErrorKind::kCorrupt);
}

TEST(Safetensors, RefusesWhatTheHeaderMayNotSay) {
  for (
      const std::string header : {
          R"([])",
          R"({"a":1})",
          R"({"a":{"dtype":"F32","shape":[1]}})",
          R"({"a":{"dtype":"Q4","shape":[1],"data_offsets":[0,4]}})",
          R"({"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}})",
          R"({"a":{"dtype":"F32","shape":[1.5],"data_offsets":[0,4]}})",
          R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}})",
          R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0]}})",
          R"({"a":{"dtype":"F32","shape":[1,1,1,1,1,1,1,1,1],"data_offsets":[0,4]}})",
          R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})",
          "{\"\xff\":{}}",
      }) {
    EXPECT_EQ(refusal(header, "1234").kind(), ErrorKind::kCorrupt) << header;
  }
}

TEST(Safetensors, SaysWhatToDoAboutALfsPointer) {
  const Error error = error_of([] {
    static_cast<void>(read("version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 3\n"));
  });
  EXPECT_EQ(error.kind(), ErrorKind::kInvalidInput);
  EXPECT_EQ(
      error.message(),
      "/m/x.safetensors is a Git LFS pointer, not the file itself; run \"git lfs pull\" in /m");
}

TEST(LfsPointer, IsToldByItsFirstLine) {
  EXPECT_TRUE(is_lfs_pointer("version https://git-lfs.github.com/spec/v1\n"));
  EXPECT_FALSE(is_lfs_pointer("version https://example.com"));
  EXPECT_FALSE(is_lfs_pointer(""));
}

TEST(LfsPointer, InTheWorkingFolderNamesIt) {
  const Error error = error_of([] { refuse_lfs_pointer("version https://git-lfs", "model.gguf"); });
  EXPECT_THAT(error.message(), HasSubstr("run \"git lfs pull\" in ."));
}

}  // namespace
}  // namespace qbuild::formats
