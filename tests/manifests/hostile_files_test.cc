// Attacks by includes, and by what a path leads to on a real disk.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>

#include "manifests/limits.h"
#include "tests/base/temporary_folder.h"
#include "tests/manifests/hostile.h"

namespace qbuild::manifests {
namespace {

constexpr std::string_view kEnd = "models: {a: {source: tiny, quants: Q8_0}}\n";

std::string including(const std::string& names) {
  return "version: 1\ninclude: [" + names + "]\n" + std::string(kEnd);
}

TEST(HostileIncludes, ThreeHundredFilesAreRefusedAtTheFirstTooMany) {
  Project project;
  for (int i = 0; i < 300; ++i) project.put("f" + std::to_string(i) + ".yaml", "licenses: [mit]\n");
  EXPECT_EQ(errors_in_bounds(project, including(numbered("f", 300, ".yaml, "))),
            "qbuild.yaml:2:2706: more than 256 files");
}

TEST(HostileIncludes, FilesThatEachIncludeAllOthersAreRefused) {
  Project project;
  for (int i = 0; i < 100; ++i)
    project.put(
        "f" + std::to_string(i) + ".yaml",
        "include: [" + numbered("f", static_cast<std::size_t>(i), ".yaml, ") + "common.yaml]\n");
  project.put("common.yaml", "licenses: [mit]\n");
  EXPECT_EQ(errors_in_bounds(project, including("f99.yaml")),
            "f21.yaml:1:29: more than 256 includes");
}

TEST(HostileIncludes, ACycleOfTwoHundredFilesIsShownShort) {
  Project project;
  for (int i = 0; i < 200; ++i)
    project.put(std::string(200, 'f') + std::to_string(i),
                "include: " + std::string(200, 'f') + std::to_string((i + 1) % 200) + "\n");
  const std::string errors = errors_in_bounds(project, including(std::string(200, 'f') + "0"));
  EXPECT_THAT(errors, testing::StartsWith(std::string(200, 'f') + "199:1:10: include cycle: "));
  EXPECT_LT(errors.size(), Diagnostics::kMaxMessageBytes + 300);
}

TEST(HostileIncludes, OneLargeFileAtTheEndOfALongChainIsNotKeptForEachLink) {
  Project project;
  for (int i = 0; i < 250; ++i)
    project.put("f" + std::to_string(i) + ".yaml",
                "include: f" + std::to_string(i + 1) + ".yaml\n");
  project.put("f250.yaml", "licenses: [" + numbered("l", 90000, ", ") + "]\n");
  EXPECT_THAT(errors_in_bounds(project, including("f0.yaml")),
              testing::MatchesRegex("f[0-9]+.yaml:1:10: the included files are more than 32 MiB of "
                                    "values where they are laid over each other"));
}

TEST(HostileIncludes, FilesThatAreLargeTogetherAreRefused) {
  Project project;
  for (int i = 0; i < 250; ++i)
    project.put("f" + std::to_string(i) + ".yaml",
                "licenses: [mit]\n#" + std::string(1'000'000, 'x'));
  EXPECT_EQ(errors_in_bounds(project, including(numbered("f", 250, ".yaml, "))),
            "qbuild.yaml:2:29: the included file f2.yaml and those before it are larger than 2 "
            "MiB, too large for a manifest");
}

TEST(HostileIncludes, FilesWithManyValuesTogetherAreRefused) {
  Project project;
  for (int i = 0; i < 4; ++i)
    project.put("f" + std::to_string(i) + ".yaml",
                "licenses: [" + numbered("l", 40000, ", ") + "]\n");
  EXPECT_EQ(errors_in_bounds(project, including(numbered("f", 4, ".yaml, "))),
            "f2.yaml:1:148694: more than 100000 values, those behind aliases included");
}

TEST(HostileIncludes, AHundredMegabytesAreRefusedBeforeTheyAreRead) {
  Project project;
  project.put("big.yaml", repeated("a: b\n", 20'000'000));
  EXPECT_EQ(errors_in_bounds(project, including("big.yaml")),
            "qbuild.yaml:2:11: the included file big.yaml is larger than 2 MiB, too large for a "
            "manifest");
}

TEST(HostileIncludes, ADeepPathIsRefused) {
  Project project;
  EXPECT_EQ(
      errors_in_bounds(project, including("'" + repeated("a/", 1000) + "b.yaml'")),
      R"(qbuild.yaml:2:11: "a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/...": a path has at most 128 parts)");
}

class RealFiles : public testing::Test {
 protected:
  // Of FOLDER/qbuild.yaml, with FOLDER spelled so.
  std::string errors(const std::string& text) {
    std::ofstream(folder_ / "qbuild.yaml") << text;
    const test::Cost cost = test::bounded([&] {
      const auto files = make_posix_file_system();
      const std::vector<fs::path> paths{folder_ / "qbuild.yaml"};
      const LoadResult result = try_load(*files, paths);
      return format(std::span<const Diagnostic>(result.diagnostics));
    });
    EXPECT_EQ(cost.failure, "");
    std::string said = cost.said;
    const std::string name = folder_.path().string();
    for (auto at = said.find(name); at != std::string::npos; at = said.find(name))
      said.replace(at, name.size(), "FOLDER");
    return said;
  }
  std::string errors_of_include(const std::string& name) {
    return errors("version: 1\ninclude: ['" + name +
                  "']\nmodels: {a: {source: ., quants: Q8_0}}\n");
  }
  std::string errors_of_source(const std::string& name) {
    return errors("version: 1\nmodels: {a: {quants: Q8_0, source: '" + name + "'}}\n");
  }

  test::TemporaryFolder folder_;
};

TEST_F(RealFiles, AnIncludedFolderIsRefused) {
  fs::create_directory(folder_ / "sub");
  EXPECT_EQ(errors_of_include("sub"),
            "FOLDER/qbuild.yaml:2:11: the included file FOLDER/sub is a folder");
}

TEST_F(RealFiles, AnIncludedDeviceIsRefused) {
  EXPECT_EQ(
      errors_of_include("/dev/zero"),
      "FOLDER/qbuild.yaml:2:11: the included file /dev/zero is a device or a pipe, not a file");
}

TEST_F(RealFiles, AnIncludedPipeIsRefusedWithoutWaitingForItsWriter) {
  ASSERT_EQ(mkfifo((folder_ / "pipe").c_str(), 0600), 0);
  EXPECT_EQ(
      errors_of_include("pipe"),
      "FOLDER/qbuild.yaml:2:11: the included file FOLDER/pipe is a device or a pipe, not a file");
}

TEST_F(RealFiles, AnIncludedLoopOfLinksIsRefused) {
  fs::create_symlink("two", folder_ / "one");
  fs::create_symlink("one", folder_ / "two");
  EXPECT_EQ(errors_of_include("one"),
            "FOLDER/qbuild.yaml:2:11: the included file FOLDER/one cannot be read: stat "
            "FOLDER/one: too many levels of symbolic links");
}

TEST_F(RealFiles, AnIncludeBelowAFileDoesNotExist) {
  EXPECT_EQ(errors_of_include("qbuild.yaml/x"),
            "FOLDER/qbuild.yaml:2:11: the included file FOLDER/qbuild.yaml/x does not exist");
}

TEST_F(RealFiles, AnIncludedFileOfTheSystemIsNoManifest) {
  EXPECT_THAT(errors_of_include("/proc/self/environ"),
              testing::MatchesRegex("/proc/self/environ:1:[0-9]+: this is not UTF-8 text"));
}

TEST_F(RealFiles, AnIncludeThroughALinkToItsFolderEndsWhereTheSystemEnds) {
  fs::create_directory_symlink(".", folder_ / "here");
  EXPECT_THAT(errors_of_include("here/qbuild.yaml"),
              testing::EndsWith("too many levels of symbolic links"));
}

TEST_F(RealFiles, AnIncludedFileOfAHundredGigabytesIsRefusedBeforeItIsRead) {
  std::ofstream(folder_ / "big.yaml") << "a: 1\n";
  fs::resize_file(folder_ / "big.yaml", std::uintmax_t{100} << 30U);
  EXPECT_EQ(errors_of_include("big.yaml"),
            "FOLDER/qbuild.yaml:2:11: the included file FOLDER/big.yaml is "
            "larger than 2 MiB, too large for a manifest");
}

TEST_F(RealFiles, ASourceThatIsADeviceIsRefused) {
  EXPECT_EQ(
      errors_of_source("/dev/null"),
      R"(FOLDER/qbuild.yaml:2:36: the source "/dev/null" is a file; give the folder of the checkpoint, or a file that ends in .gguf)");
}

TEST_F(RealFiles, ASourceThatIsALoopOfLinksIsRefused) {
  fs::create_symlink("loop", folder_ / "loop");
  EXPECT_EQ(
      errors_of_source("loop"),
      R"(FOLDER/qbuild.yaml:2:36: the source "loop" cannot be read: stat FOLDER/loop: too many levels of symbolic links)");
}

TEST_F(RealFiles, ATextThatIsAPipeIsRefusedWithoutWaitingForItsWriter) {
  ASSERT_EQ(mkfifo((folder_ / "pipe").c_str(), 0600), 0);
  EXPECT_EQ(
      errors("version: 1\nmodels: {a: {quants: Q8_0, source: ., benchmark: {perplexity: {text: "
             "pipe}}}}\n"),
      R"(FOLDER/qbuild.yaml:2:70: the text "pipe" is a device or a pipe; give a file)");
}

}  // namespace
}  // namespace qbuild::manifests
