#include "formats/imatrix.h"

#include <gmock/gmock.h>

#include <limits>

#include "tests/formats/broken_file.h"
#include "tests/formats/imatrix_files.h"

namespace qbuild::formats {
namespace {

using Kind = ErrorKind;
using ::testing::ElementsAre;

const std::vector<ImatrixSpec> kTwo{
    {.name = "blk.0.ffn_up.weight", .counts = {4}, .sums = {4, 8, 0}},
    {.name = "blk.0.ffn_up_exps.weight", .counts = {2, 0, 8}, .sums = {2, 4, 7, 7, 8, 24}}};

Imatrix opened(FakeFileSystem& files, const std::string& bytes) {
  files.put("/m/x.imatrix", bytes);
  return Imatrix::open(files, "/m/x.imatrix");
}

TEST(Imatrix, OfAGgufIsTheMeanOfEachColumn) {
  FakeFileSystem files;
  const Imatrix imatrix = opened(files, imatrix_gguf(kTwo));
  ASSERT_EQ(imatrix.entries().size(), 2u);
  EXPECT_EQ(imatrix.dataset(), "train.txt");
  EXPECT_EQ(imatrix.chunks(), 12u);
  const ImatrixEntry& entry = *imatrix.find("blk.0.ffn_up.weight");
  EXPECT_EQ(entry.values, 3u);
  EXPECT_EQ(entry.matrices, 1u);
  EXPECT_THAT(imatrix.read(entry), ElementsAre(1, 2, 0));
  EXPECT_EQ(imatrix.find("blk.0.ffn_up"), nullptr);
}

TEST(Imatrix, AnExpertThatSawNothingGetsTheMeanOfTheOthers) {
  FakeFileSystem files;
  const Imatrix imatrix = opened(files, imatrix_gguf(kTwo));
  const ImatrixEntry& entry = *imatrix.find("blk.0.ffn_up_exps.weight");
  EXPECT_EQ(entry.matrices, 3u);
  EXPECT_EQ(entry.unseen, 1u);
  EXPECT_THAT(imatrix.read(entry), ElementsAre(1, 2, 1, 2.5, 1, 3));
}

TEST(Imatrix, WhereNothingWasSeenNothingMatters) {
  FakeFileSystem files;
  const Imatrix imatrix = opened(files, imatrix_gguf({{"a", {0, 0}, {1, 2}}}));
  EXPECT_EQ(imatrix.entries()[0].unseen, 2u);
  EXPECT_THAT(imatrix.read(imatrix.entries()[0]), ElementsAre(0, 0));
}

TEST(Imatrix, MatricesThatWereCountedAsOneHaveOneCount) {
  FakeFileSystem files;
  const Imatrix imatrix = opened(files, imatrix_gguf({{"a", {2}, {2, 4, 6, 8}}}));
  EXPECT_THAT(imatrix.read(imatrix.entries()[0]), ElementsAre(1, 2, 3, 4));
}

TEST(Imatrix, CountsAreWholeNumbers) {
  FakeFileSystem files;
  const Imatrix imatrix = opened(files, imatrix_gguf({{"a", {1.75f}, {2, 4}}}));
  EXPECT_THAT(imatrix.read(imatrix.entries()[0]), ElementsAre(1, 2));
}

TEST(Imatrix, OfTheOlderFormatSaysTheSame) {
  FakeFileSystem files;
  const Imatrix imatrix = opened(files, imatrix_dat(kTwo));
  EXPECT_EQ(imatrix.dataset(), "train.txt");
  EXPECT_EQ(imatrix.chunks(), 12u);
  EXPECT_THAT(imatrix.read(*imatrix.find("blk.0.ffn_up.weight")), ElementsAre(1, 2, 0));
  EXPECT_THAT(imatrix.read(*imatrix.find("blk.0.ffn_up_exps.weight")),
              ElementsAre(1, 2, 3.5, 3.5, 4, 12));
}

TEST(Imatrix, TheOldestFilesEndBehindTheirEntries) {
  FakeFileSystem files;
  EXPECT_EQ(opened(files, imatrix_dat(kTwo, "")).chunks(), 0u);
  const Imatrix imatrix = opened(files, imatrix_dat(kTwo, le(std::int32_t{7})));
  EXPECT_EQ(imatrix.chunks(), 7u);
  EXPECT_EQ(imatrix.dataset(), "");
}

TEST(Imatrix, ANumberThatIsNoneIsNamed) {
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
  FakeFileSystem files;
  const Imatrix imatrix = opened(files, imatrix_gguf({{"a", {1}, {1, -1}}, {"b", {1}, {kNan, 1}}}));
  const Error negative = error_of([&] { (void)imatrix.read(*imatrix.find("a")); });
  EXPECT_EQ(negative.message(), "/m/x.imatrix: a: -1 at 1 is no importance");
  EXPECT_EQ(negative.kind(), Kind::kInvalidInput);
  const Error nothing = error_of([&] { (void)imatrix.read(*imatrix.find("b")); });
  EXPECT_EQ(nothing.message(), "/m/x.imatrix: b: nan at 0 is no importance");
}

TEST(Imatrix, OneThatWasCutOffWhileItWasReadSaysSo) {
  FakeFileSystem files;
  const std::string bytes = imatrix_gguf(kTwo);
  const Imatrix imatrix = opened(files, bytes);
  const auto file = files.create("/m/x.imatrix", CreateMode::kTruncate);
  const Error error = error_of([&] { (void)imatrix.read(imatrix.entries()[1]); });
  EXPECT_EQ(error.message(), "/m/x.imatrix: it was cut off since it was opened");
  EXPECT_EQ(error.kind(), Kind::kCorrupt);
}

class BrokenImatrix : public BrokenFileTest {};

TEST_P(BrokenImatrix, IsRefused) {
  expect_refusal("/m/x", [](FileSystem& files) { return Imatrix::open(files, "/m/x"); });
}

const std::string kDat = imatrix_dat(kTwo);
std::string i32(std::int32_t value) {
  return le(value);
}

INSTANTIATE_TEST_SUITE_P(
    Gguf, BrokenImatrix,
    testing::Values(
        BrokenFile{"AModel", imatrix_of_tensors({}, imatrix_keys("model")), Kind::kInvalidInput,
                   "/m/x: it is no importance matrix: its general.type is \"model\""},
        BrokenFile{"WithoutAKind", imatrix_of_tensors({}, "", 0), Kind::kInvalidInput,
                   "/m/x: it is no importance matrix: its general.type is not given"},
        BrokenFile{"WithoutChunks",
                   imatrix_of_tensors({}, gguf_text_pair("general.type", "imatrix"), 1),
                   Kind::kInvalidInput, "/m/x: the key imatrix.chunk_count is missing"},
        BrokenFile{"SumsWithoutCounts", imatrix_of_tensors({{"a.in_sum2", {2}, floats({1, 2})}}),
                   Kind::kCorrupt, "/m/x: a.in_sum2 stands without a.counts"},
        BrokenFile{"CountsWithoutSums", imatrix_of_tensors({{"a.counts", {1}, floats({1})}}),
                   Kind::kCorrupt, "/m/x: a.counts stands without a.in_sum2"},
        BrokenFile{"OfAnotherType",
                   imatrix_of_tensors({{"a.counts", {1}, floats({1})},
                                       {"a.in_sum2", {2}, std::string(4, 'x'), 1}}),
                   Kind::kInvalidInput, "/m/x: a.in_sum2 is F16; it must be F32"},
        BrokenFile{"CountsThatDoNotDivide",
                   imatrix_of_tensors({{"a.counts", {2}, floats({1, 1})},
                                       {"a.in_sum2", {3}, floats({1, 2, 3})}}),
                   Kind::kCorrupt, "/m/x: a has 3 values and 2 counts"},
        BrokenFile{"ANegativeCount", imatrix_gguf({{"a", {-1}, {1, 2}}}), Kind::kInvalidInput,
                   "/m/x: a.counts: -1 is no count"},
        BrokenFile{"AnInfiniteCount",
                   imatrix_gguf({{"a", {std::numeric_limits<float>::infinity()}, {1, 2}}}),
                   Kind::kInvalidInput, "/m/x: a.counts: inf is no count"},
        BrokenFile{"CutInItsData", imatrix_gguf(kTwo).substr(0, imatrix_gguf(kTwo).size() - 32),
                   Kind::kCorrupt,
                   "/m/x: tensor blk.0.ffn_up_exps.weight.in_sum2 ends past the file, which has "
                   "608 bytes; it was cut off"}),
    BrokenFileName());

INSTANTIATE_TEST_SUITE_P(
    Dat, BrokenImatrix,
    testing::Values(
        BrokenFile{"Empty", "", Kind::kCorrupt,
                   "/m/x: the file ends at byte 0, in its number of entries"},
        BrokenFile{"AText", "Call me Ishmael.", Kind::kInvalidInput,
                   "/m/x: it is no importance matrix: its number of entries at byte 0 is "
                   "1819042115"},
        BrokenFile{"WithoutEntries", i32(0), Kind::kInvalidInput,
                   "/m/x: it is no importance matrix: its number of entries at byte 0 is 0"},
        BrokenFile{"ALongName", i32(1) + i32(256), Kind::kInvalidInput,
                   "/m/x: it is no importance matrix: the length of a name at byte 4 is 256"},
        BrokenFile{"NegativeCalls", i32(1) + i32(1) + "a" + i32(-1), Kind::kInvalidInput,
                   "/m/x: it is no importance matrix: the number of calls of a at byte 9 is -1"},
        BrokenFile{"TooManyValues", i32(1) + i32(1) + "a" + i32(1) + i32(1 << 27),
                   Kind::kInvalidInput,
                   "/m/x: it is no importance matrix: the number of values of a at byte 13 is "
                   "134217728"},
        BrokenFile{"CutInItsValues", kDat.substr(0, 40), Kind::kCorrupt,
                   "/m/x: the file ends at byte 40, in the values of blk.0.ffn_up.weight"},
        BrokenFile{"CutInAName", kDat.substr(0, 20), Kind::kCorrupt,
                   "/m/x: the file ends at byte 20, in entry 0's name"},
        BrokenFile{"AnEntryTwice", imatrix_dat({{"a", {1}, {1}}, {"a", {1}, {1}}}), Kind::kCorrupt,
                   "/m/x: the entry a stands twice"},
        BrokenFile{"SomethingBehindIt", kDat + "x", Kind::kInvalidInput,
                   "/m/x: it is no importance matrix: something stands behind its end, at byte " +
                       std::to_string(kDat.size())},
        BrokenFile{"APointer", "version https://git-lfs.github.com/spec/v1\n", Kind::kInvalidInput,
                   "/m/x is a Git LFS pointer, not the file itself; run \"git lfs pull\" in /m"}),
    BrokenFileName());

}  // namespace
}  // namespace qbuild::formats
