#include "formats/checkpoint.h"

#include <gmock/gmock.h>

#include "tests/formats/support.h"

namespace qbuild::formats {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::string one_tensor(const std::string& name, std::string_view data) {
  return safetensors_file(R"({")" + name + R"(":{"dtype":"F16","shape":[)" +
                              std::to_string(data.size() / 2) + R"(],"data_offsets":[0,)" +
                              std::to_string(data.size()) + "]}}",
                          data);
}

class CheckpointFolder : public testing::Test {
 protected:
  void put_shards(const std::string& index) {
    files_.put("/m/model-00001-of-00002.safetensors", one_tensor("b", "bbbb"));
    files_.put("/m/model-00002-of-00002.safetensors", one_tensor("a", "aa"));
    files_.put("/m/model.safetensors.index.json", index);
  }
  Error refusal() {
    return error_of([&] { static_cast<void>(Checkpoint::open(files_, "/m")); });
  }
  static std::string text_of(const Checkpoint& checkpoint, std::string_view name) {
    const CheckpointTensor* tensor = checkpoint.find(name);
    if (tensor == nullptr) return "(no such tensor)";
    std::string text(tensor->size_bytes, '\0');
    checkpoint.read(*tensor, 0, std::as_writable_bytes(std::span<char>(text)));
    return text;
  }

  FakeFileSystem files_;
  const std::string index_ =
      R"({"metadata":{"total_size":6},"weight_map":{"a":"model-00002-of-00002.safetensors",)"
      R"("b":"model-00001-of-00002.safetensors"}})";
};

TEST_F(CheckpointFolder, OpensASingleFile) {
  files_.put("/m/model.safetensors", one_tensor("w", "wxyz"));
  const Checkpoint checkpoint = Checkpoint::open(files_, "/m");
  EXPECT_FALSE(checkpoint.has_index());
  EXPECT_THAT(checkpoint.files(), ElementsAre("model.safetensors"));
  EXPECT_EQ(text_of(checkpoint, "w"), "wxyz");
  EXPECT_EQ(checkpoint.find("v"), nullptr);
}

TEST_F(CheckpointFolder, OpensShardsAsOneTableSortedByName) {
  put_shards(index_);
  const Checkpoint checkpoint = Checkpoint::open(files_, "/m");
  EXPECT_TRUE(checkpoint.has_index());
  ASSERT_EQ(checkpoint.tensors().size(), 2U);
  EXPECT_EQ(checkpoint.tensors()[0].name, "a");
  EXPECT_EQ(text_of(checkpoint, "a"), "aa");
  EXPECT_EQ(text_of(checkpoint, "b"), "bbbb");
}

TEST_F(CheckpointFolder, PrefersTheIndexToAStaleSingleFile) {
  put_shards(index_);
  files_.put("/m/model.safetensors", one_tensor("stale", "wxyz"));
  EXPECT_EQ(Checkpoint::open(files_, "/m").find("stale"), nullptr);
}

TEST_F(CheckpointFolder, ReadsPiecesOfATensor) {
  files_.put("/m/model.safetensors", one_tensor("w", "abcdef"));
  const Checkpoint checkpoint = Checkpoint::open(files_, "/m");
  std::string piece(2, '\0');
  checkpoint.read(checkpoint.tensors()[0], 3, std::as_writable_bytes(std::span<char>(piece)));
  EXPECT_EQ(piece, "de");
}

TEST_F(CheckpointFolder, ReadsNoTensorDataOnOpening) {
  files_.put("/m/model.safetensors", one_tensor("w", std::string(1U << 20U, 'w')));
  const std::uint64_t before = files_.count(FakeFileSystem::Call::kRead);
  static_cast<void>(Checkpoint::open(files_, "/m"));
  EXPECT_LE(files_.count(FakeFileSystem::Call::kRead) - before, 2U);
}

TEST_F(CheckpointFolder, SaysWhatIsMissing) {
  files_.create_directories("/m");
  const Error error = refusal();
  EXPECT_EQ(error.kind(), ErrorKind::kNotFound);
  EXPECT_EQ(error.message(),
            "/m has no model.safetensors and no model.safetensors.index.json; a checkpoint is a "
            "folder with "
            "safetensors");
}

TEST_F(CheckpointFolder, NamesAMissingShard) {
  put_shards(index_);
  files_.remove("/m/model-00002-of-00002.safetensors");
  const Error error = refusal();
  EXPECT_EQ(error.kind(), ErrorKind::kNotFound);
  EXPECT_THAT(error.message(), HasSubstr("/m/model-00002-of-00002.safetensors"));
}

TEST_F(CheckpointFolder, RefusesAnIndexThatPlacesATensorWhereItIsNot) {
  put_shards(
      R"({"weight_map":{"a":"model-00002-of-00002.safetensors","b":"model-00001-of-00002.safetensors",)"
      R"("c":"model-00001-of-00002.safetensors"}})");
  const Error error = refusal();
  EXPECT_EQ(error.kind(), ErrorKind::kCorrupt);
  EXPECT_EQ(error.message(),
            "/m: model.safetensors.index.json places tensor c in model-00001-of-00002.safetensors, "
            "which does not "
            "hold it");
}

TEST_F(CheckpointFolder, RefusesAShardWithATensorTheIndexDoesNotKnow) {
  put_shards(R"({"weight_map":{"a":"model-00002-of-00002.safetensors"}})");
  files_.put("/m/model-00002-of-00002.safetensors",
             safetensors_file(R"({"a":{"dtype":"F16","shape":[1],"data_offsets":[0,2]},)"
                              R"("z":{"dtype":"F16","shape":[1],"data_offsets":[2,4]}})",
                              "aazz"));
  EXPECT_THAT(refusal().message(),
              HasSubstr("holds tensor z, which model.safetensors.index.json does not place there"));
}

TEST_F(CheckpointFolder, RefusesATensorInTwoShards) {
  put_shards(index_);
  files_.put("/m/model-00001-of-00002.safetensors", one_tensor("a", "bbbb"));
  EXPECT_THAT(refusal().message(), HasSubstr("two shards hold a tensor a"));
}

TEST_F(CheckpointFolder, LetsNoIndexLeaveTheFolder) {
  for (const std::string shard :
       {"../secret.safetensors", "/etc/passwd", "..", ".", "", "a\\\\b"}) {
    put_shards(R"({"weight_map":{"a":")" + shard + R"("}})");
    const Error error = refusal();
    EXPECT_EQ(error.kind(), ErrorKind::kCorrupt) << shard;
    EXPECT_THAT(error.message(), HasSubstr("is no name of a file in this folder")) << shard;
  }
}

TEST_F(CheckpointFolder, RefusesTypesThatAreNotRead) {
  files_.put(
      "/m/model.safetensors",
      safetensors_file(R"({"w":{"dtype":"F8_E4M3","shape":[1],"data_offsets":[0,1]}})", "1"));
  const Error error = refusal();
  EXPECT_EQ(error.kind(), ErrorKind::kUnsupported);
  EXPECT_EQ(error.message(),
            "/m/model.safetensors: tensor w has the type F8_E4M3; F32, F16 and BF16 are read");
}

TEST_F(CheckpointFolder, RecognizesPointersInIndexAndShard) {
  const std::string pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n";
  put_shards(pointer);
  EXPECT_THAT(
      refusal().message(),
      HasSubstr("/m/model.safetensors.index.json is a Git LFS pointer, not the file itself; run"));
  put_shards(index_);
  files_.put("/m/model-00002-of-00002.safetensors", pointer);
  EXPECT_THAT(refusal().message(), HasSubstr("run \"git lfs pull\" in /m"));
}

TEST_F(CheckpointFolder, RefusesAFolderWithoutTensors) {
  files_.put("/m/model.safetensors", safetensors_file("{}", ""));
  EXPECT_EQ(refusal().message(), "/m holds no tensors");
}

TEST(Checkpoint, OpensTheExampleModel) {
  const auto files = make_posix_file_system();
  const Checkpoint checkpoint =
      Checkpoint::open(*files, QBUILD_SOURCE_DIR "/examples/models/bard-llama");
  std::uint64_t values = 0;
  for (const CheckpointTensor& tensor : checkpoint.tensors()) values += tensor.size_bytes / 2;
  EXPECT_EQ(checkpoint.tensors().size(), 6U * 9U + 3U);
  EXPECT_GT(values, 4'000'000U);
  ASSERT_NE(checkpoint.find("lm_head.weight"), nullptr);
  EXPECT_THAT(checkpoint.find("lm_head.weight")->shape, ElementsAre(1024, 256));
}

}  // namespace
}  // namespace qbuild::formats
