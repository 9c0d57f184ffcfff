// Files that change while somebody reads them: a read past the new end is one Error.

#include <gtest/gtest.h>

#include <fstream>

#include "formats/checkpoint.h"
#include "formats/gguf_reader.h"
#include "tests/base/temporary_folder.h"
#include "tests/formats/support.h"

namespace qbuild::formats {
namespace {

constexpr std::size_t kDataBytes = 1U << 20U;

std::string safetensors() {
  return safetensors_file(R"({"a":{"dtype":"F16","shape":[524288],"data_offsets":[0,1048576]}})",
                          std::string(kDataBytes, 'x'));
}
std::string gguf() {
  return padded(gguf_start(1, 0) + gguf_tensor_info("a", {262'144}, 0, 0)) +
         std::string(kDataBytes, 'x');
}

// On the real disk, where a mapped file would end the process.
class ChangingFiles : public testing::Test {
 protected:
  void write(const std::string& name, const std::string& bytes) {
    std::ofstream(folder_ / name, std::ios::binary) << bytes;
  }
  void cut(const std::string& name, std::size_t bytes) {
    std::filesystem::resize_file(folder_ / name, bytes);
  }
  template <typename Read>
  std::string refusal(Read read) {
    std::vector<std::byte> bytes(kDataBytes);
    const Error error = error_of([&] { read(MutableBytes(bytes)); });
    EXPECT_EQ(error.kind(), ErrorKind::kCorrupt);
    std::string message = error.message();
    const std::string path = folder_.path().string();
    return message.replace(message.find(path), path.size(), "M");
  }

  test::TemporaryFolder folder_;
  std::unique_ptr<FileSystem> files_ = make_posix_file_system();
};

TEST_F(ChangingFiles, SafetensorsCutOffAfterTheyWereOpenedSayWhereTheyEnd) {
  write("model.safetensors", safetensors());
  const Checkpoint checkpoint = Checkpoint::open(*files_, folder_.path());
  cut("model.safetensors", 1000);
  EXPECT_EQ(refusal([&](MutableBytes out) { checkpoint.read(checkpoint.tensors()[0], 0, out); }),
            "M/model.safetensors: tensor a: the file ends at byte 1000, 1048649 were expected");
  cut("model.safetensors", 0);
  EXPECT_EQ(refusal([&](MutableBytes out) {
              checkpoint.read(checkpoint.tensors()[0], 1000, out.first(24));
            }),
            "M/model.safetensors: tensor a: the file ends at byte 1073, 1097 were expected");
}

TEST_F(ChangingFiles, GgufCutOffAfterItWasOpenedSaysWhereItEnds) {
  write("x.gguf", gguf());
  const GgufReader reader = GgufReader::open(*files_, folder_ / "x.gguf");
  cut("x.gguf", 1000);
  EXPECT_EQ(refusal([&](MutableBytes out) { reader.read(reader.tensors()[0], 0, out); }),
            "M/x.gguf: tensor a: the file ends at byte 1000, 1048640 were expected");
}

// A file that says it is larger than it is: what a reader sees that looks, waits and then reads.
class ShrinkingFile final : public ReadableFile {
 public:
  ShrinkingFile(std::string bytes, std::uint64_t claimed_bytes)
      : bytes_(std::move(bytes)), claimed_bytes_(claimed_bytes) {}

  [[nodiscard]] std::size_t read_at(std::uint64_t offset, MutableBytes out) const override {
    const std::size_t from = std::min<std::uint64_t>(offset, bytes_.size());
    const std::size_t count = std::min(out.size(), bytes_.size() - from);
    std::copy_n(as_bytes(bytes_).begin() + static_cast<std::ptrdiff_t>(from), count, out.begin());
    return count;
  }
  [[nodiscard]] FileStat stat() const override {
    FileStat stat;
    stat.kind = FileStat::Kind::kRegular;
    stat.size_bytes = claimed_bytes_;
    return stat;
  }

 private:
  std::string bytes_;
  std::uint64_t claimed_bytes_;
};

TEST(ShrinkingFiles, SafetensorsCutOffAtAnyByteWhileTheirHeaderIsReadAreRefused) {
  const std::string whole = safetensors();
  const std::size_t header_end = whole.size() - kDataBytes;
  for (std::size_t end = 0; end < header_end; ++end) {
    const ShrinkingFile file(whole.substr(0, end), whole.size());
    const Error error = error_of([&] { static_cast<void>(read_safetensors_header(file, "x")); });
    EXPECT_EQ(error.kind(), ErrorKind::kCorrupt) << end;
  }
  const ShrinkingFile file(whole.substr(0, 40), whole.size());
  EXPECT_EQ(error_of([&] { static_cast<void>(read_safetensors_header(file, "x")); }).message(),
            "x: the file ends at byte 40, 73 were expected");
}

TEST(ShrinkingFiles, AreReadToWhereTheyEndNow) {
  FakeFileSystem files;
  files.put("/m/config.json", R"({"a":1})");
  const auto file = files.open("/m/config.json");
  files.create("/m/config.json", CreateMode::kTruncate)->append(as_bytes("{"));
  std::vector<std::byte> bytes(7);
  EXPECT_EQ(error_of([&] { read_exactly(*file, 0, bytes); }).message(),
            "the file ends at byte 1, 7 were expected");
}

}  // namespace
}  // namespace qbuild::formats
