// Checkpoints whose index is wrong or leads elsewhere, and what is said of each.

#include <unistd.h>

#include <fstream>

#include "formats/checkpoint.h"
#include "tests/base/temporary_folder.h"
#include "tests/formats/broken_file.h"

namespace qbuild::formats {
namespace {

using Kind = ErrorKind;

std::string shard_of(const std::string& tensor) {
  return safetensors_file("{\"" + tensor + R"(":{"dtype":"F16","shape":[1],"data_offsets":[0,2]}})",
                          "xx");
}
// An index that places the tensor "a" in a file; `shard` is written as in JSON.
std::string placed_in(const std::string& shard) {
  return R"({"weight_map":{"a":)" + shard + "}}";
}

class BrokenIndex : public BrokenFileTest {};

TEST_P(BrokenIndex, IsRefused) {
  files_.put("/m/1.safetensors", shard_of("a"));
  files_.put("/secret.safetensors", shard_of("a"));
  expect_refusal("/m/model.safetensors.index.json",
                 [](FileSystem& files) { return Checkpoint::open(files, "/m"); });
}

INSTANTIATE_TEST_SUITE_P(
    Text, BrokenIndex,
    testing::Values(
        BrokenFile{"Empty", "", Kind::kInvalidInput,
                   "/m/model.safetensors.index.json: 1:1: invalid JSON: unexpected end of input; "
                   "expected '[', '{', or a literal"},
        BrokenFile{"CutInItsMap", R"({"weight_map":{"a":"1.safe)", Kind::kInvalidInput,
                   "/m/model.safetensors.index.json: 1:27: invalid JSON: invalid string: missing "
                   "closing quote"},
        BrokenFile{"WithoutAMap", R"({"metadata":{}})", Kind::kInvalidInput,
                   "/m/model.safetensors.index.json: \"weight_map\" is missing"},
        BrokenFile{
            "MapThatIsAList", R"({"weight_map":[]})", Kind::kInvalidInput,
            "/m/model.safetensors.index.json: weight_map: expected an object, found an array"},
        BrokenFile{"MapOfNothing", R"({"weight_map":{}})", Kind::kCorrupt, "/m holds no tensors"},
        BrokenFile{"TensorTwice", R"({"weight_map":{"a":"1.safetensors","a":"2.safetensors"}})",
                   Kind::kInvalidInput,
                   "/m/model.safetensors.index.json: 1:36: \"a\" is given twice"},
        BrokenFile{
            "PlaceThatIsANumber", placed_in("1"), Kind::kInvalidInput,
            "/m/model.safetensors.index.json: weight_map: a: expected a string, found a number"},
        BrokenFile{"TensorThatIsNotThere",
                   R"({"weight_map":{"a":"1.safetensors","b\u0007":"1.safetensors"}})",
                   Kind::kCorrupt,
                   "/m: model.safetensors.index.json places tensor b\\x07 in 1.safetensors, "
                   "which does not hold it"},
        BrokenFile{"ShardThatIsNotThere",
                   R"({"weight_map":{"a":"1.safetensors","b":"2.safetensors"}})", Kind::kNotFound,
                   "open /m/2.safetensors: no such file"},
        BrokenFile{"TenThousandLevels", R"({"weight_map":)" + std::string(10'000, '['),
                   Kind::kInvalidInput,
                   "/m/model.safetensors.index.json: 1:142: nested deeper than 128 levels"}),
    BrokenFileName());

INSTANTIATE_TEST_SUITE_P(
    Names, BrokenIndex,
    testing::Values(
        BrokenFile{"FolderAbove", placed_in(R"("../secret.safetensors")"), Kind::kCorrupt,
                   "/m/model.safetensors.index.json: weight_map: a: \"../secret.safetensors\" is "
                   "no name of a file in this folder"},
        BrokenFile{"FolderItself", placed_in(R"("..")"), Kind::kCorrupt,
                   "/m/model.safetensors.index.json: weight_map: a: \"..\" is no name of a file in "
                   "this folder"},
        BrokenFile{"AbsolutePath", placed_in(R"("/secret.safetensors")"), Kind::kCorrupt,
                   "/m/model.safetensors.index.json: weight_map: a: \"/secret.safetensors\" is no "
                   "name of a file in this folder"},
        BrokenFile{"FolderBelow", placed_in(R"("sub/1.safetensors")"), Kind::kCorrupt,
                   "/m/model.safetensors.index.json: weight_map: a: \"sub/1.safetensors\" is no "
                   "name of a file in this folder"},
        BrokenFile{"Backslash", placed_in(R"("..\\secret.safetensors")"), Kind::kCorrupt,
                   "/m/model.safetensors.index.json: weight_map: a: \"..\\secret.safetensors\" is "
                   "no name of a file in this folder"},
        BrokenFile{"NoName", placed_in(R"("")"), Kind::kCorrupt,
                   "/m/model.safetensors.index.json: weight_map: a: \"\" is no name of a file in "
                   "this folder"},
        BrokenFile{"ZeroByte", placed_in(R"("1.safetensors\u0000x")"), Kind::kCorrupt,
                   "/m/model.safetensors.index.json: weight_map: a: \"1.safetensors\\x00x\" is "
                   "no name of a file in this folder"},
        BrokenFile{"ControlCharacters", placed_in(R"("1\n\u001b[2J.safetensors")"), Kind::kCorrupt,
                   "/m/model.safetensors.index.json: weight_map: a: \"1\\x0a\\x1b[2J.safetensors\" "
                   "is no name of a file in this folder"},
        BrokenFile{"NameOf300Bytes", placed_in("\"" + std::string(300, 's') + "\""), Kind::kCorrupt,
                   "/m/model.safetensors.index.json: weight_map: a: \"" + std::string(160, 's') +
                       "... (300 bytes)\" is no name of a file in this folder"}),
    BrokenFileName());

// Names that differ only in case are two files where the disk has two; nothing is written to
// either.
TEST(CheckpointNames, ThatDifferOnlyInCaseAreTwoFiles) {
  FakeFileSystem files;
  files.put("/m/A.safetensors", shard_of("a"));
  files.put("/m/a.safetensors", shard_of("b"));
  files.put("/m/model.safetensors.index.json",
            R"({"weight_map":{"a":"A.safetensors","b":"a.safetensors"}})");
  const Checkpoint checkpoint = Checkpoint::open(files, "/m");
  EXPECT_EQ(checkpoint.find("a")->file, 0U);
  EXPECT_EQ(checkpoint.find("b")->file, 1U);
}

TEST(CheckpointNames, OfTooManyShardsAreNotOpened) {
  FakeFileSystem files;
  std::string map;
  for (int i = 0; i <= 1000; ++i)
    map += (i == 0 ? "\"" : ",\"") + std::to_string(i) + "\":\"" + std::to_string(i) + "\"";
  files.put("/m/model.safetensors.index.json", R"({"weight_map":{)" + map + "}}");
  EXPECT_EQ(error_of([&] { static_cast<void>(Checkpoint::open(files, "/m")); }).message(),
            "/m/model.safetensors.index.json names 1001 shards; at most 1000 are read");
}

// A folder on the real disk, where there are links.
class CheckpointLinks : public testing::Test {
 protected:
  void write(const std::string& name, const std::string& bytes) {
    std::ofstream(folder_ / name, std::ios::binary) << bytes;
  }
  void link(const std::string& to) {
    std::filesystem::create_symlink(to, folder_ / "model.safetensors");
  }
  std::string refusal() {
    std::string message =
        error_of([&] { static_cast<void>(Checkpoint::open(*files_, folder_.path())); }).message();
    const std::string path = folder_.path().string();
    for (std::size_t at = message.find(path); at != std::string::npos; at = message.find(path))
      message.replace(at, path.size(), "M");
    return message;
  }

  test::TemporaryFolder folder_;
  std::unique_ptr<FileSystem> files_ = make_posix_file_system();
};

// The cache of the Hub's client is made of links to files that lie elsewhere.
TEST_F(CheckpointLinks, AreFollowedToAFile) {
  test::TemporaryFolder elsewhere;
  std::ofstream(elsewhere / "blob", std::ios::binary) << shard_of("a");
  link((elsewhere / "blob").string());
  EXPECT_NE(Checkpoint::open(*files_, folder_.path()).find("a"), nullptr);
}

TEST_F(CheckpointLinks, ToADeviceAreRefusedUnread) {
  link("/dev/zero");
  EXPECT_EQ(refusal(), "open M/model.safetensors: not a regular file");
}

TEST_F(CheckpointLinks, ToAFolderAreRefused) {
  link("/");
  EXPECT_EQ(refusal(), "open M/model.safetensors: is a folder");
}

TEST_F(CheckpointLinks, ToThemselvesAreRefused) {
  link("model.safetensors");
  EXPECT_EQ(refusal(), "stat M/model.safetensors: too many levels of symbolic links");
}

TEST_F(CheckpointLinks, ToNothingAreAsIfTheyWereNotThere) {
  link("nothing");
  EXPECT_EQ(refusal(),
            "M has no model.safetensors and no model.safetensors.index.json; a checkpoint is a "
            "folder with safetensors");
}

TEST_F(CheckpointLinks, ToATextThatIsNoShardShowNothingOfIt) {
  write("secret", "root:x:0:0:the secret itself");
  link("secret");
  EXPECT_EQ(refusal(),
            "M/model.safetensors: its header claims 3475222254926655346 bytes, the file has 28; it "
            "is no safetensors file or was cut off");
}

}  // namespace
}  // namespace qbuild::formats
