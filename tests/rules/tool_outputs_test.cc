#include "rules/tool_outputs.h"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <fstream>
#include <thread>

#include "tests/rules/support.h"

namespace qbuild::rules {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;
using ::testing::StartsWith;

class ToolOutputs : public testing::Test {
 protected:
  ToolOutputs() { fs::create_directories(out_); }
  std::vector<engine::ProducedFile> collect(Json::Array patterns = {"**"}) {
    return collect_outputs(*files_, out_, Json(std::move(patterns)));
  }
  std::string refusal() {
    const Error error = error_of([&] { (void)collect(); });
    EXPECT_EQ(error.kind(), ErrorKind::kInvalidInput);
    return error.message();
  }

  TemporaryFolder folder_;
  fs::path out_ = folder_.path() / "scratch/out";
  std::unique_ptr<FileSystem> files_ = make_posix_file_system();
};

TEST_F(ToolOutputs, AreSortedAndHashed) {
  write_text(out_ / "b/c", "c");
  write_text(out_ / "a", "a");
  const auto files = collect();
  ASSERT_THAT(files, SizeIs(2));
  EXPECT_EQ(files[0].name, "a");
  EXPECT_EQ(files[1].name, "b/c");
  EXPECT_EQ(files[1].path, out_ / "b/c");
  EXPECT_EQ(files[1].sha256, sha256("c"));
  EXPECT_EQ(files[1].size_bytes, 1u);
}

TEST_F(ToolOutputs, AFileWithoutReadPermissionIsAnOutputLikeAnyOther) {
  write_text(out_ / "a", "a");
  fs::permissions(out_ / "a", fs::perms::none);
  EXPECT_EQ(collect().at(0).sha256, sha256("a"));
  EXPECT_NE(fs::status(out_ / "a").permissions() & fs::perms::owner_read, fs::perms::none);
}

TEST_F(ToolOutputs, ASecondNameOfAFileIsReplacedByACopy) {
  const fs::path user = folder_.path() / "user";
  write_text(user, "mine");
  fs::create_hard_link(user, out_ / "a");
  EXPECT_EQ(collect().at(0).sha256, sha256("mine"));
  EXPECT_EQ(fs::hard_link_count(user), 1u);
  write_text(user, "changed");
  EXPECT_EQ(read_text(out_ / "a"), "mine");
  EXPECT_EQ(std::distance(fs::directory_iterator(out_.parent_path()), {}), 1) << "nothing beside";
}

TEST_F(ToolOutputs, NothingButFilesIsTaken) {
  ASSERT_EQ(::mkfifo((out_ / "pipe").c_str(), 0600), 0);
  EXPECT_EQ(refusal(), "the tool wrote \"pipe\", which is no regular file");
  fs::remove(out_ / "pipe");
  fs::create_directory_symlink("/", out_ / "root");
  EXPECT_EQ(refusal(), "the tool wrote \"root\", which is no regular file");
}

TEST_F(ToolOutputs, MoreFilesThanAnybodyNeedsAreRefused) {
  for (std::size_t i = 0; i <= kMaxOutputFiles; ++i) std::ofstream(out_ / std::to_string(i));
  EXPECT_EQ(refusal(), "the tool wrote more than 10000 files");
}

TEST_F(ToolOutputs, MoreFoldersThanAnybodyNeedsAreRefused) {
  for (std::size_t i = 0; i <= kMaxOutputFolders; ++i)
    fs::create_directory(out_ / std::to_string(i));
  EXPECT_EQ(refusal(), "the tool wrote more than 1000 folders");
}

TEST_F(ToolOutputs, FoldersWithoutEndAreRefused) {
  fs::path deep = out_;
  for (std::size_t i = 0; i <= kMaxOutputDepth; ++i) deep /= "d";
  write_text(deep / "a", "a");
  EXPECT_EQ(refusal(), "the tool wrote folders more than 32 deep");
}

TEST_F(ToolOutputs, HostileNamesAreShownHarmless) {
  write_text(out_ / "a\nfailed b", "");
  EXPECT_THAT(refusal(), StartsWith("the tool wrote a file with an unusable name: \""));
  EXPECT_EQ(refusal().find('\n'), std::string::npos);
  fs::remove(out_ / "a\nfailed b");
  write_text(out_ / "a\xff", "");
  EXPECT_THAT(refusal(), HasSubstr("unusable name"));
}

TEST_F(ToolOutputs, AClosedFolderIsOpened) {
  write_text(out_ / "a/b", "b");
  fs::permissions(out_ / "a", fs::perms::none);
  EXPECT_EQ(collect().at(0).name, "a/b");
  EXPECT_EQ(fs::status(out_ / "a").permissions() & fs::perms::owner_all, fs::perms::owner_all);
}

TEST_F(ToolOutputs, AFileThatGrowsWhileItIsHashedIsRefused) {
  write_text(out_ / "a", "a");
  fs::resize_file(out_ / "a", 64u << 20);  // takes a while
  const std::jthread writer([this](const std::stop_token& stop) {
    std::ofstream file(out_ / "a", std::ios::app);
    while (!stop.stop_requested()) file << "more" << std::flush;
  });
  EXPECT_EQ(refusal(), "a changed while it was hashed: something still writes to it");
}

}  // namespace
}  // namespace qbuild::rules
