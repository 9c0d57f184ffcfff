#include "hub/directory_hub.h"

#include <atomic>
#include <thread>

#include "base/atomic_file.h"
#include "hub/git_attributes.h"
#include "tests/hub/support.h"

namespace qbuild::hub {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

TEST_F(HubTest, ANewRepositoryHasOneCommitWithGitAttributes) {
  const CommitInfo info = *hub_.head(repo_, kMainBranch);
  EXPECT_EQ(info.message, "initial commit");
  EXPECT_EQ(info.author, "system");
  EXPECT_EQ(info.parent, "");
  EXPECT_EQ(info.unix_seconds, 1'700'000'000);
  EXPECT_THAT(paths(), ElementsAre(".gitattributes"));
  EXPECT_EQ(hub_.read_file(repo_, kMainBranch, ".gitattributes", kMaxAttributesBytes),
            default_git_attributes());
}

TEST_F(HubTest, CreatingAgainChangesNothing) {
  const std::string before = head();
  clock_.advance_ns(5'000'000'000);
  hub_.create_repo(repo_, Visibility::kPrivate);
  EXPECT_EQ(head(), before);
  EXPECT_EQ(hub_.visibility(repo_), Visibility::kPublic);
}

TEST_F(HubTest, KeepsThePrivateFlag) {
  const RepoId secret{.owner = "acme", .name = "secret"};
  hub_.create_repo(secret, Visibility::kPrivate);
  EXPECT_EQ(hub_.visibility(secret), Visibility::kPrivate);
}

TEST_F(HubTest, FindsARepositoryWhateverTheCase) {
  const RepoId other_case{.owner = "ACME", .name = "tiny"};
  EXPECT_EQ(hub_.head(other_case, kMainBranch)->id, head());
  hub_.create_repo(other_case, Visibility::kPublic);
  disk_.remove_tree("/hub/files");
  hub_.refresh_files(other_case, kMainBranch);
  EXPECT_THAT(disk_.list("/hub/files/acme/Tiny"), Not(IsEmpty()));
}

TEST_F(HubTest, WhatIsNotThereIsNothingOrNotFound) {
  const RepoId none{.owner = "acme", .name = "none"};
  EXPECT_FALSE(hub_.head(none, kMainBranch));
  EXPECT_FALSE(hub_.head(repo_, "other"));
  EXPECT_FALSE(hub_.head(repo_, std::string(40, 'a')));
  EXPECT_FALSE(hub_.head(repo_, "../../settings.json"));
  EXPECT_EQ(error_of([&] { (void)hub_.tree(none, kMainBranch); })->message(),
            "repository acme/none: there is none in folder /hub");
  EXPECT_EQ(error_of([&] { (void)hub_.tree(repo_, "other"); })->message(),
            "repository acme/Tiny: it has no branch or commit \"other\"");
  EXPECT_EQ(error_of([&] { (void)hub_.read_file(repo_, kMainBranch, "x", 1); })->message(),
            "repository acme/Tiny: main has no file \"x\"");
  EXPECT_EQ(error_of([&] { (void)hub_.commit(request_for(none, {})); })->kind(),
            ErrorKind::kNotFound);
}

TEST_F(HubTest, AnUploadCanBeStopped) {
  disk_.put("/store/weights", "weights");
  std::stop_source stopper;
  stopper.request_stop();
  const std::optional<Error> error = error_of(
      [&] { hub_.upload_file(repo_, need_of("weights"), "/store/weights", stopper.get_token()); });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->kind(), ErrorKind::kCancelled);
  EXPECT_THAT(hub_.missing_blobs(repo_, {need_of("weights")}), ElementsAre(need_of("weights")));
  EXPECT_THAT(disk_.list("/hub/tmp"), IsEmpty());
}

TEST_F(HubTest, ReadingAFolderThatIsNoHubYetMakesNothing) {
  DirectoryHub absent(disk_, clock_, "/elsewhere");
  EXPECT_FALSE(absent.head(repo_, kMainBranch));
  EXPECT_FALSE(disk_.stat("/elsewhere"));
}

TEST_F(HubTest, ACommitIsWhatWasAsked) {
  upload("weights");
  CommitRequest request = request_for(repo_, {{.path = "README.md", .bytes = "# hi\n"}});
  request.uploaded = {uploaded("model.gguf", "weights")};
  request.parent = head();
  const std::string before = head();
  const CommitInfo info = hub_.commit(request);
  EXPECT_EQ(info, *hub_.head(repo_, kMainBranch));
  EXPECT_EQ(info.parent, before);
  EXPECT_EQ(info.message, "a message");
  EXPECT_EQ(info.author, "acme-bot");
  EXPECT_EQ(info.unix_seconds, 1'700'000'100);
  const std::vector<TreeEntry> tree = hub_.tree(repo_, info.id);
  EXPECT_THAT(paths_of(tree), ElementsAre(".gitattributes", "README.md", "model.gguf"));
  EXPECT_EQ(tree[1], regular_entry("README.md", "# hi\n"));
  EXPECT_EQ(tree[2], lfs_entry("model.gguf", sha256("weights"), 7));
  EXPECT_EQ(hub_.read_file(repo_, kMainBranch, "model.gguf", 100), "weights");
  EXPECT_EQ(disk_.contents("/hub/files/acme/Tiny/README.md"), "# hi\n");
  EXPECT_EQ(disk_.contents("/hub/files/acme/Tiny/model.gguf"), "weights");
}

TEST_F(HubTest, EarlierCommitsStayReadable) {
  const std::string first = hub_.commit(request_for(repo_, {{.path = "a", .bytes = "one"}})).id;
  hub_.commit(request_for(repo_, {{.path = "a", .bytes = "two"}}));
  EXPECT_EQ(hub_.read_file(repo_, first, "a", 10), "one");
  EXPECT_EQ(hub_.read_file(repo_, kMainBranch, "a", 10), "two");
}

TEST_F(HubTest, AStaleParentIsTransientAndChangesNothing) {
  const std::string stale = head();
  const std::string moved = hub_.commit(request_for(repo_, {{.path = "a", .bytes = "one"}})).id;
  CommitRequest request = request_for(repo_, {{.path = "a", .bytes = "two"}});
  request.parent = stale;
  const std::optional<Error> error = error_of([&] { (void)hub_.commit(request); });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->kind(), ErrorKind::kTransient);
  EXPECT_EQ(error->message(), "the branch main of acme/Tiny moved from " + stale + " to " + moved +
                                  " since it was read; read it again and retry");
  EXPECT_EQ(head(), moved);
  EXPECT_EQ(hub_.read_file(repo_, kMainBranch, "a", 10), "one");
}

TEST_F(HubTest, AFailedOperationChangesNothing) {
  const std::string before = head();
  CommitRequest request = request_for(repo_, {{.path = "a", .bytes = "one"}});
  request.deleted_files = {"none"};
  EXPECT_EQ(error_of([&] { (void)hub_.commit(request); })->kind(), ErrorKind::kNotFound);
  EXPECT_EQ(head(), before);
  EXPECT_THAT(paths(), ElementsAre(".gitattributes"));
}

TEST_F(HubTest, RefusesHostilePathsAndBranches) {
  for (const char* bad : {"../x", "/etc/passwd", ".git/config", "a\nb", "a\\b", ""}) {
    EXPECT_EQ(error_of([&] {
                (void)hub_.commit(request_for(repo_, {{.path = bad, .bytes = "x"}}));
              })->kind(),
              ErrorKind::kInvalidInput);
    CommitRequest request = request_for(repo_, {});
    request.uploaded = {uploaded(bad, "x")};
    EXPECT_EQ(error_of([&] { (void)hub_.commit(request); })->kind(), ErrorKind::kInvalidInput);
    request = request_for(repo_, {});
    request.branch = bad;
    EXPECT_EQ(error_of([&] { (void)hub_.commit(request); })->kind(), ErrorKind::kInvalidInput);
  }
}

TEST_F(HubTest, RefusesACommitWithoutAMessageOrWithTextThatIsNone) {
  CommitRequest request = request_for(repo_, {});
  request.message = "";
  EXPECT_EQ(error_of([&] { (void)hub_.commit(request); })->message(),
            "commit to acme/Tiny: the message is empty");
  request.message = "\xFF";
  EXPECT_EQ(error_of([&] { (void)hub_.commit(request); })->message(),
            "the commit's message is not UTF-8");
  request.message = "m";
  request.parent = "main";
  EXPECT_EQ(error_of([&] { (void)hub_.commit(request); })->message(),
            "commit to acme/Tiny: the parent is not 40 hex digits");
}

TEST_F(HubTest, RefusesContentThatWasNotUploaded) {
  CommitRequest request = request_for(repo_, {});
  request.uploaded = {uploaded("model.gguf", "weights")};
  const std::optional<Error> error = error_of([&] { (void)hub_.commit(request); });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->kind(), ErrorKind::kNotFound);
  EXPECT_EQ(error->message(), "repository acme/Tiny: the content of \"model.gguf\" (" +
                                  sha256("weights").hex() +
                                  ", 7 bytes) is not on the hub; upload it first");
}

TEST_F(HubTest, SaysWhichBlobsItLacksOnce) {
  upload("there");
  EXPECT_THAT(
      hub_.missing_blobs(repo_, {need_of("b"), need_of("there"), need_of("a"), need_of("b")}),
      ElementsAre(need_of("b"), need_of("a")));
}

TEST_F(HubTest, AnUploadThatLiesIsRefusedAndNamed) {
  disk_.put("/store/x", "not weights");
  const std::optional<Error> error =
      error_of([&] { hub_.upload_file(repo_, need_of("weights"), "/store/x"); });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->kind(), ErrorKind::kCorrupt);
  EXPECT_THAT(error->message(),
              StartsWith("upload /store/x to acme/Tiny in folder /hub: /store/x has 11 bytes"));
  EXPECT_THAT(hub_.missing_blobs(repo_, {need_of("weights")}), testing::SizeIs(1));
}

TEST_F(HubTest, DecidesRegularOrLfsAsTheHubDoes) {
  hub_.commit(
      request_for(repo_, {{.path = "notes.txt", .bytes = "text"},
                          {.path = "table.parquet", .bytes = "covered by a pattern"},
                          {.path = "picture", .bytes = std::string("\0PNG", 4)},
                          {.path = "long.txt", .bytes = std::string(kMaxRegularBytes + 1, 'x')}}));
  std::vector<std::string> lfs;
  for (const TreeEntry& entry : hub_.tree(repo_, kMainBranch)) {
    if (entry.storage == Storage::kLfs) lfs.push_back(entry.path);
  }
  EXPECT_THAT(lfs, ElementsAre("long.txt", "picture", "table.parquet"));
  // As on the Hub, each lfs file that no pattern covers got a line of its own in the same commit.
  EXPECT_EQ(hub_.read_file(repo_, kMainBranch, ".gitattributes", kMaxAttributesBytes),
            default_git_attributes() + attributes_line("picture") + attributes_line("long.txt"));
}

TEST_F(HubTest, ACommitMayBringItsOwnGitAttributes) {
  hub_.commit(request_for(repo_, {{.path = ".gitattributes", .bytes = "*.md filter=lfs"},
                                  {.path = "README.md", .bytes = "# hi\n"},
                                  {.path = "blob", .bytes = std::string(1, '\0')}}));
  EXPECT_EQ(hub_.tree(repo_, kMainBranch)[1].storage, Storage::kLfs);
  EXPECT_EQ(hub_.read_file(repo_, kMainBranch, ".gitattributes", 1000),
            "*.md filter=lfs\n" + attributes_line("blob"));
}

TEST_F(HubTest, DeletedFilesLeaveThePlainFolderToo) {
  hub_.commit(request_for(repo_, {{.path = "a/b", .bytes = "1"}, {.path = "c", .bytes = "2"}}));
  CommitRequest request = request_for(repo_, {});
  request.deleted_folders = {"a/"};
  hub_.commit(request);
  EXPECT_THAT(paths(), ElementsAre(".gitattributes", "c"));
  EXPECT_THAT(disk_.list("/hub/files/acme/Tiny"), ElementsAre(".gitattributes", "c"));
}

TEST_F(HubTest, MakesThePlainFolderAgainWhenItIsMissing) {
  hub_.commit(request_for(repo_, {{.path = "a", .bytes = "1"}}));
  disk_.remove_tree("/hub/files");
  hub_.refresh_files(repo_, kMainBranch);
  EXPECT_EQ(disk_.contents("/hub/files/acme/Tiny/a"), "1");
}

TEST_F(HubTest, BranchesMoveOnTheirOwn) {
  const std::string main_head = head();
  hub_.create_branch(repo_, "Q4/K", kMainBranch);
  CommitRequest request = request_for(repo_, {{.path = "a", .bytes = "1"}});
  request.branch = "Q4/K";
  const CommitInfo info = hub_.commit(request);
  EXPECT_EQ(hub_.head(repo_, "Q4/K")->id, info.id);
  EXPECT_EQ(head(), main_head);
  EXPECT_EQ(disk_.contents("/hub/files/acme/Tiny@Q4%2FK/a"), "1");
  EXPECT_EQ(error_of([&] { hub_.create_branch(repo_, "Q4/K", kMainBranch); })->message(),
            "branch \"Q4/K\" of acme/Tiny: it is there already");
  EXPECT_EQ(error_of([&] { hub_.create_branch(repo_, "x", "none"); })->kind(),
            ErrorKind::kNotFound);
  request.branch = "none";
  EXPECT_EQ(error_of([&] { (void)hub_.commit(request); })->message(),
            "repository acme/Tiny: it has no branch \"none\"");
}

TEST_F(HubTest, TheRefFileTellsWhetherTheBranchMoved) {
  const FileStat before = *disk_.stat(hub_.ref_path(repo_, kMainBranch));
  EXPECT_EQ(disk_.contents(hub_.ref_path(repo_, kMainBranch)), head() + "\n");
  hub_.commit(request_for(repo_, {{.path = "a", .bytes = "1"}}));
  EXPECT_NE(*disk_.stat(hub_.ref_path(repo_, kMainBranch)), before);
}

TEST_F(HubTest, DamageIsCorruptAndNamed) {
  const std::string id = head();
  disk_.put("/hub/repos/acme/tiny/commits/" + id.substr(0, 2) + "/" + id, "garbage");
  EXPECT_EQ(error_of([&] { (void)hub_.tree(repo_, kMainBranch); })->kind(), ErrorKind::kCorrupt);
  for (const char* bad : {"", "main\n", "0123456789abcdef0123456789abcdef01234567"}) {
    disk_.put("/hub/repos/acme/tiny/refs/heads/main", bad);
    EXPECT_EQ(error_of([&] { (void)hub_.head(repo_, kMainBranch); })->message(),
              "/hub/repos/acme/tiny/refs/heads/main holds no commit id");
  }
}

TEST_F(HubTest, AHubThatAnotherProcessIsJustMakingIsOne) {
  AtomicFile theirs(disk_, "/fresh/format");
  theirs.file().append(as_bytes("qbuild-"));
  DirectoryHub mine(disk_, clock_, "/fresh");
  mine.create_repo(repo_, Visibility::kPublic);
  EXPECT_TRUE(mine.head(repo_, kMainBranch));
}

TEST_F(HubTest, RefusesFoldersThatAreNoHubOfThisFormat) {
  disk_.put("/home/letters.txt", "mine");
  EXPECT_EQ(error_of([&] { DirectoryHub(disk_, clock_, "/home"); })->message(),
            "hub /home: the folder holds other things (\"letters.txt\"); a directory hub needs a "
            "folder of its own");
  disk_.put("/new/format", "qbuild-hub 2\n");
  EXPECT_EQ(error_of([&] { DirectoryHub(disk_, clock_, "/new"); })->message(),
            "hub /new: it has another format than 1, which is the one this qbuild reads");
}

TEST_F(HubTest, OfTwoCommitsOnOneParentExactlyOneWins) {
  for (int round = 0; round < 10; ++round) {
    const std::string parent = head();
    std::atomic<int> won{0};
    std::atomic<int> lost{0};
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&, i] {
        DirectoryHub mine(disk_, clock_, "/hub");
        CommitRequest request =
            request_for(repo_, {{.path = "winner", .bytes = std::to_string(i)}});
        request.parent = parent;
        const std::optional<Error> error = error_of([&] { (void)mine.commit(request); });
        if (!error) ++won;
        if (error && error->kind() == ErrorKind::kTransient) ++lost;
      });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(won, 1);
    EXPECT_EQ(lost, 3);
    EXPECT_EQ(hub_.head(repo_, kMainBranch)->parent, parent);
  }
}

TEST_F(HubTest, CommitsWithoutAParentAllLand) {
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&, i] {
      DirectoryHub mine(disk_, clock_, "/hub");
      mine.commit(request_for(repo_, {{.path = std::to_string(i), .bytes = "x"}}));
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_THAT(paths(), ElementsAre(".gitattributes", "0", "1", "2", "3"));
}

}  // namespace
}  // namespace qbuild::hub
