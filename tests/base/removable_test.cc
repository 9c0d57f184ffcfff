#include "base/removable.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <fstream>

#include "base/file_system.h"
#include "tests/base/temporary_folder.h"

namespace qbuild {
namespace {

// `levels` folders within one another, and a file in the last one.
void nest(const fs::path& top, std::size_t levels, const std::string& name) {
  const fs::path before = fs::current_path();
  fs::create_directories(top);
  fs::current_path(top);
  for (std::size_t i = 0; i < levels; ++i) {
    fs::create_directory(name);
    fs::current_path(name);
  }
  std::ofstream("file") << "x";
  fs::current_path(before);
}

class FewOpenFiles {
 public:
  FewOpenFiles() {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    rlimit few = before_;
    few.rlim_cur = 64;
    ::setrlimit(RLIMIT_NOFILE, &few);
  }
  ~FewOpenFiles() { ::setrlimit(RLIMIT_NOFILE, &before_); }
  FewOpenFiles(const FewOpenFiles&) = delete;
  FewOpenFiles& operator=(const FewOpenFiles&) = delete;

 private:
  rlimit before_{};
};

std::size_t depth_of(const fs::path& folder) {
  std::size_t depth = 0;
  for (auto entry = fs::recursive_directory_iterator(folder);
       entry != fs::recursive_directory_iterator(); ++entry)
    depth = std::max(depth, static_cast<std::size_t>(entry.depth()) + 1);
  return depth;
}

TEST(Removable, WhatLiesDeepIsMovedUpAndNothingIsLost) {
  const test::TemporaryFolder folder;
  nest(folder / "top", 300, "dd");
  make_removable(folder / "top");
  EXPECT_LE(depth_of(folder / "top"), 10u);
  std::size_t files = 0;
  for (const auto& entry : fs::recursive_directory_iterator(folder / "top"))
    if (entry.is_regular_file()) ++files;
  EXPECT_EQ(files, 1u);
}

TEST(Removable, ClosedFoldersAreOpened) {
  const test::TemporaryFolder folder;
  fs::create_directories(folder / "top/a/b");
  fs::permissions(folder / "top/a/b", fs::perms::none);
  fs::permissions(folder / "top/a", fs::perms::owner_read);
  make_removable(folder / "top");
  for (const char* const name : {"top/a", "top/a/b"})
    EXPECT_EQ(fs::status(folder / name).permissions() & fs::perms::owner_all, fs::perms::owner_all);
}

TEST(Removable, LinksAreNotFollowed) {
  const test::TemporaryFolder folder;
  fs::create_directories(folder / "elsewhere/closed");
  fs::permissions(folder / "elsewhere/closed", fs::perms::none);
  fs::create_directories(folder / "top");
  fs::create_directory_symlink(folder / "elsewhere", folder / "top/link");
  make_removable(folder / "top");
  EXPECT_EQ(fs::status(folder / "elsewhere/closed").permissions(), fs::perms::none);
}

TEST(Removable, ATreeDeeperThanFilesMayBeOpenAndPathsMayBeLongIsRemoved) {
  const test::TemporaryFolder folder;
  nest(folder / "top", 1500, "dd");
  nest(folder / "long", 200, std::string(250, 'd'));
  const auto files = make_posix_file_system();
  const FewOpenFiles few;
  files->remove_tree(folder / "top");
  files->remove_tree(folder / "long");
  EXPECT_FALSE(fs::exists(folder / "top"));
  EXPECT_FALSE(fs::exists(folder / "long"));
}

}  // namespace
}  // namespace qbuild
