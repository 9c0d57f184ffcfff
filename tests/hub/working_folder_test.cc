#include "hub/working_folder.h"

#include "hub/commit_object.h"
#include "tests/hub/support.h"

namespace qbuild::hub {
namespace {

using testing::ElementsAre;
using Call = FakeFileSystem::Call;

class WorkingFolderTest : public testing::Test {
 protected:
  std::vector<TreeEntry> tree(const std::vector<std::pair<std::string, std::string>>& files) {
    std::vector<TreeEntry> entries;
    for (const auto& [path, bytes] : files) {
      blobs_.put_bytes(bytes);
      entries.push_back(regular_entry(path, bytes));
    }
    return entries;
  }
  void refresh(const std::vector<TreeEntry>& entries) {
    refresh_working_folder(disk_, blobs_, {.folder = "/files", .state_file = "/state.json"},
                           entries);
  }
  std::vector<std::string> there() {
    std::vector<std::string> names;
    for (const std::string& path : disk_.files()) {
      if (path.compare(0, 7, "/files/") == 0) names.push_back(path.substr(7));
    }
    return names;
  }

  FakeFileSystem disk_;
  DirectoryLayout layout_{"/hub"};
  Blobs blobs_{disk_, layout_};
};

TEST_F(WorkingFolderTest, HoldsTheTree) {
  refresh(tree({{"README.md", "hi"}, {"a/b/c", "deep"}}));
  EXPECT_THAT(there(), ElementsAre("README.md", "a/b/c"));
  EXPECT_EQ(disk_.contents("/files/a/b/c"), "deep");
}

TEST_F(WorkingFolderTest, WritesNothingWhenItIsCurrent) {
  const auto entries = tree({{"README.md", "hi"}, {"a/b", "x"}});
  refresh(entries);
  const std::uint64_t creates = disk_.count(Call::kCreate);
  const std::uint64_t clones = disk_.count(Call::kClone);
  const std::uint64_t renames = disk_.count(Call::kRename);
  refresh(entries);
  EXPECT_EQ(disk_.count(Call::kCreate), creates);
  EXPECT_EQ(disk_.count(Call::kClone), clones);
  EXPECT_EQ(disk_.count(Call::kRename), renames);
}

TEST_F(WorkingFolderTest, PutsOnlyWhatChanged) {
  refresh(tree({{"a", "1"}, {"b", "2"}}));
  const std::uint64_t clones = disk_.count(Call::kClone);
  refresh(tree({{"a", "1"}, {"b", "3"}}));
  EXPECT_EQ(disk_.count(Call::kClone), clones + 1);
  EXPECT_EQ(disk_.contents("/files/b"), "3");
}

TEST_F(WorkingFolderTest, RemovesWhatTheTreeNoLongerHasWithItsEmptyFolders) {
  refresh(tree({{"a/b/c", "1"}, {"a/d", "2"}, {"e/f", "3"}}));
  refresh(tree({{"a/d", "2"}}));
  EXPECT_THAT(there(), ElementsAre("a/d"));
  EXPECT_FALSE(disk_.stat("/files/a/b"));
  EXPECT_FALSE(disk_.stat("/files/e"));
}

TEST_F(WorkingFolderTest, AFileMayBecomeAFolderAndBack) {
  refresh(tree({{"v", "1"}}));
  refresh(tree({{"v/a", "2"}}));
  EXPECT_THAT(there(), ElementsAre("v/a"));
  refresh(tree({{"v", "1"}}));
  EXPECT_THAT(there(), ElementsAre("v"));
}

TEST_F(WorkingFolderTest, LeavesAPersonsOwnFiles) {
  refresh(tree({{"a/b", "1"}}));
  disk_.put("/files/a/notes.txt", "mine");
  refresh(tree({{"c", "2"}}));
  EXPECT_THAT(there(), ElementsAre("a/notes.txt", "c"));
}

TEST_F(WorkingFolderTest, PutsBackWhatAPersonChangedOrRemoved) {
  const auto entries = tree({{"a", "1"}, {"b", "2"}});
  refresh(entries);
  disk_.advance_ns(1);
  disk_.put("/files/a", "edited");
  disk_.remove("/files/b");
  refresh(entries);
  EXPECT_EQ(disk_.contents("/files/a"), "1");
  EXPECT_EQ(disk_.contents("/files/b"), "2");
}

TEST_F(WorkingFolderTest, KeepsAnEditedFileThatTheTreeNoLongerHas) {
  refresh(tree({{"a", "1"}, {"b", "2"}}));
  disk_.advance_ns(1);
  disk_.put("/files/a", "edited");
  refresh(tree({{"b", "2"}}));
  EXPECT_EQ(disk_.contents("/files/a"), "edited");
}

TEST_F(WorkingFolderTest, ADamagedStateMeansThatEverythingIsPutAgain) {
  const auto entries = tree({{"a", "1"}});
  for (const char* damage :
       {"", "garbage", "{}", "{\"format\":2}", "{\"format\":1,\"files\":[{\"path\":\"../x\"}]}",
        "{\"format\":1,\"files\":[{\"path\":\"../x\",\"sha256\":\"\",\"size\":1,\"inode\":1,"
        "\"mtime_ns\":1}]}"}) {
    disk_.put("/state.json", damage);
    refresh(entries);
    EXPECT_EQ(disk_.contents("/files/a"), "1");
    EXPECT_NE(disk_.contents("/state.json"), damage);
  }
}

TEST_F(WorkingFolderTest, SweepsWhatADeadCallWasWriting) {
  disk_.put("/files/.qbuild-0123.tmp", "half");
  refresh(tree({{"a", "1"}}));
  EXPECT_THAT(there(), ElementsAre("a"));
}

}  // namespace
}  // namespace qbuild::hub
