// The directory hub on a disk that loses what was not flushed, fills up, or fails any call.

#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <memory>
#include <utility>

#include "hub/git_attributes.h"
#include "tests/base/forwarding_file_system.h"
#include "tests/base/power_cut.h"
#include "tests/hub/support.h"

namespace qbuild::hub {
namespace {

using testing::AnyOf;
using testing::Contains;
using testing::ElementsAre;

// More calls than a publication makes; reaching it means that a loop did not end.
constexpr std::uint64_t kMaxCalls = 600;
const RepoId kRepo{.owner = "acme", .name = "tiny"};

CommitRequest second_commit(const std::string& parent) {
  CommitRequest request = request_for(kRepo, {{.path = "README.md", .bytes = "# new\n"}});
  request.uploaded = {uploaded("model.gguf", "weights")};
  request.deleted_files = {"old.txt"};
  request.parent = parent;
  return request;
}

// A hub with one published state, on a disk of its own.
struct Published {
  FakeFileSystem disk;
  FakeClock clock{1'700'000'000'000'000'000};
  std::string head;

  Published() {
    DirectoryHub hub(disk, clock, "/hub");
    hub.create_repo(kRepo, Visibility::kPublic);
    head = hub.commit(request_for(kRepo, {{.path = "README.md", .bytes = "# old\n"},
                                          {.path = "old.txt", .bytes = "old"}}))
               .id;
    disk.put("/store/weights", "weights");
  }

  void publish(FileSystem& files) {
    DirectoryHub hub(files, clock, "/hub");
    hub.upload_file(kRepo, need_of("weights"), "/store/weights");
    (void)hub.commit(second_commit(head));
  }

  // Everything that main leads to is whole; says what its README holds.
  std::string readme() {
    DirectoryHub hub(disk, clock, "/hub");
    for (const TreeEntry& entry : hub.tree(kRepo, kMainBranch))
      EXPECT_EQ(sha256(hub.read_file(kRepo, kMainBranch, entry.path, 1u << 20)), entry.sha256)
          << entry.path;
    return hub.read_file(kRepo, kMainBranch, "README.md", 100);
  }

  // Plain files may be behind, but each is whole.
  void expect_plain_files_are_whole() {
    for (const std::string& path : disk.files()) {
      if (path.compare(0, 11, "/hub/files/") != 0 || path.find(".tmp") != std::string::npos)
        continue;
      EXPECT_THAT(disk.contents(path),
                  AnyOf("# old\n", "# new\n", "old", "weights", default_git_attributes()))
          << path;
    }
  }

  void expect_plain_files_are_main() {
    DirectoryHub hub(disk, clock, "/hub");
    hub.refresh_files(kRepo, kMainBranch);
    EXPECT_EQ(disk.list(hub.files_path(kRepo, kMainBranch)),
              paths_of(hub.tree(kRepo, kMainBranch)));
  }
};

// Passes everything on, and notes which folders were flushed before settings.json had its name.
class NotesFlushes final : public ForwardingFileSystem {
 public:
  using ForwardingFileSystem::ForwardingFileSystem;
  [[nodiscard]] const std::vector<fs::path>& before_settings() const { return flushed_; }

  void rename(const fs::path& from, const fs::path& to) override {
    has_settings_ = has_settings_ || to.filename() == "settings.json";
    ForwardingFileSystem::rename(from, to);
  }
  void flush_directory(const fs::path& path) override {
    if (!has_settings_) flushed_.push_back(path);
    ForwardingFileSystem::flush_directory(path);
  }

 private:
  std::vector<fs::path> flushed_;
  bool has_settings_ = false;
};

// Another process makes the hub right before the nth call that looks at the disk; not once the hub
// is locked, for then it waits.
class HubAppears final : public ForwardingFileSystem {
 public:
  HubAppears(FakeFileSystem& disk, Clock& clock, int looks)
      : ForwardingFileSystem(disk), disk_(disk), clock_(clock), looks_left_(looks) {}
  [[nodiscard]] bool happened() const { return happened_; }

  std::unique_ptr<FileLock> lock(const fs::path& path, LockWait wait) override {
    is_locked_ = true;
    return ForwardingFileSystem::lock(path, wait);
  }

 private:
  void before(Kind kind) override {
    if (kind != Kind::kLook || is_locked_ || looks_left_-- != 0) return;
    happened_ = true;
    DirectoryHub(disk_, clock_, "/hub").create_repo(kRepo, Visibility::kPublic);
  }

  FakeFileSystem& disk_;
  Clock& clock_;
  int looks_left_;
  bool is_locked_ = false;
  bool happened_ = false;
};

TEST(HubCrash, AHubThatAnotherProcessMakesAtAnyMomentIsKnownForOne) {
  bool happened = true;
  int looks = 0;
  for (; happened; ++looks) {
    FakeFileSystem disk;
    disk.create_directories("/hub");
    FakeClock clock(1'700'000'000'000'000'000);
    HubAppears files(disk, clock, looks);
    EXPECT_NO_THROW(DirectoryHub(files, clock, "/hub").create_repo(kRepo, Visibility::kPublic))
        << "after " << looks << " looks";
    happened = files.happened();
  }
  EXPECT_GT(looks, 4);
}

TEST(HubCrash, MainIsTheOldTreeOrTheNewOneAfterAPowerCutAtEveryCall) {
  for (const auto& [can_clone, can_link] : {std::pair{true, true}, {false, true}, {false, false}}) {
    bool cut = true;
    bool seen_old = false;
    for (std::uint64_t calls = 0; cut; ++calls) {
      ASSERT_LT(calls, kMaxCalls);
      Published hub;
      hub.disk.set_can_clone(can_clone);
      hub.disk.set_can_hard_link(can_link);
      PowerCut files(hub.disk, calls);
      const std::optional<Error> error = error_of([&] { hub.publish(files); });
      cut = files.happened();
      hub.disk.crash();
      hub.expect_plain_files_are_whole();
      const std::string readme = hub.readme();
      EXPECT_THAT(readme, AnyOf("# old\n", "# new\n"));
      seen_old = seen_old || readme == "# old\n";
      if (!error) {
        EXPECT_EQ(readme, "# new\n") << "announced, but lost after call " << calls;
      }
      // The next publication begins by reading the head, and gets there.
      if (readme == "# old\n") hub.publish(hub.disk);
      EXPECT_EQ(hub.readme(), "# new\n");
      hub.expect_plain_files_are_main();
    }
    EXPECT_TRUE(seen_old);
  }
}

TEST(HubCrash, ARepositoryIsThereOrNotAfterAPowerCutAtEveryCall) {
  bool cut = true;
  for (std::uint64_t calls = 0; cut; ++calls) {
    ASSERT_LT(calls, kMaxCalls);
    FakeFileSystem disk;
    FakeClock clock(1'700'000'000'000'000'000);
    PowerCut files(disk, calls);
    const std::optional<Error> error = error_of(
        [&] { DirectoryHub(files, clock, "/hub").create_repo(kRepo, Visibility::kPrivate); });
    cut = files.happened();
    disk.crash();
    DirectoryHub hub(disk, clock, "/hub");
    if (!error) {
      EXPECT_TRUE(hub.head(kRepo, kMainBranch));
    }
    hub.create_repo(kRepo, Visibility::kPrivate);
    EXPECT_THAT(paths_of(hub.tree(kRepo, kMainBranch)), ElementsAre(".gitattributes"));
    EXPECT_EQ(hub.read_file(kRepo, kMainBranch, ".gitattributes", kMaxAttributesBytes),
              default_git_attributes());
    EXPECT_EQ(hub.visibility(kRepo), Visibility::kPrivate);
  }
}

TEST(HubCrash, ARepositoryThatLostItsBranchIsMadeWholeAndStaysAsItWas) {
  FakeFileSystem disk;
  FakeClock clock(1'700'000'000'000'000'000);
  DirectoryHub hub(disk, clock, "/hub");
  hub.create_repo(kRepo, Visibility::kPrivate);
  disk.remove(hub.ref_path(kRepo, kMainBranch));
  const std::string settings = disk.contents("/hub/repos/acme/tiny/settings.json");
  ASSERT_FALSE(hub.head(kRepo, kMainBranch));
  clock.advance_ns(5'000'000'000);
  hub.create_repo(kRepo, Visibility::kPublic);
  ASSERT_TRUE(hub.head(kRepo, kMainBranch));
  EXPECT_THAT(paths_of(hub.tree(kRepo, kMainBranch)), ElementsAre(".gitattributes"));
  EXPECT_EQ(disk.contents("/hub/repos/acme/tiny/settings.json"), settings);
  EXPECT_EQ(hub.visibility(kRepo), Visibility::kPrivate);
}

// The disk in memory keeps folders; a real one need not.
TEST(HubCrash, EveryNameOnTheWayToTheBranchIsFlushedBeforeTheSettings) {
  FakeFileSystem disk;
  FakeClock clock(1'700'000'000'000'000'000);
  NotesFlushes files(disk);
  DirectoryHub(files, clock, "/hub").create_repo(kRepo, Visibility::kPrivate);
  for (const char* folder : {"/hub/repos/acme/tiny/refs/heads", "/hub/repos/acme/tiny/refs",
                             "/hub/repos/acme/tiny", "/hub/repos/acme", "/hub/repos"})
    EXPECT_THAT(files.before_settings(), Contains(fs::path(folder)));
}

TEST(HubCrash, EveryFailingCallLeavesTheOldTreeOrTheNewOne) {
  using Call = FakeFileSystem::Call;
  for (const Call call :
       {Call::kStat, Call::kOpen, Call::kRead, Call::kCreate, Call::kWrite, Call::kFlush,
        Call::kClose, Call::kRename, Call::kRemove, Call::kCreateDirectories, Call::kList,
        Call::kFlushDirectory, Call::kClone, Call::kSetMode, Call::kLock}) {
    for (std::uint64_t nth = 1; nth < kMaxCalls; ++nth) {
      Published hub;
      const std::uint64_t before = hub.disk.count(call);
      hub.disk.fail(call, nth, ENOSPC);
      const std::optional<Error> error = error_of([&] { hub.publish(hub.disk); });
      if (hub.disk.count(call) - before < nth) break;
      const std::string readme = hub.readme();
      EXPECT_THAT(readme, AnyOf("# old\n", "# new\n"));
      if (!error) {
        EXPECT_EQ(readme, "# new\n");
      }
      hub.expect_plain_files_are_main();
    }
  }
}

TEST(HubCrash, PlainFilesThatCannotBeWrittenDoNotUndoTheCommit) {
  Published hub;
  // A person's folder stands where a file must go.
  hub.disk.put("/hub/files/acme/tiny/model.gguf/inside", "mine");
  hub.publish(hub.disk);
  EXPECT_EQ(hub.readme(), "# new\n");
  EXPECT_TRUE(error_of(
      [&] { DirectoryHub(hub.disk, hub.clock, "/hub").refresh_files(kRepo, kMainBranch); }));
}

// Processes on a real disk: each tries to commit on the same parent; one may.
TEST(HubCrash, OfManyProcessesOnOneParentExactlyOneWins) {
  std::string pattern = (fs::temp_directory_path() / "qbuild-test-XXXXXX").string();
  const fs::path folder = ::mkdtemp(pattern.data());
  const auto files = make_posix_file_system();
  FakeClock clock(1'700'000'000'000'000'000);
  DirectoryHub hub(*files, clock, folder / "hub");
  hub.create_repo(kRepo, Visibility::kPublic);
  const std::string parent = hub.head(kRepo, kMainBranch)->id;
  constexpr int kProcesses = 4;
  std::vector<pid_t> children;
  for (int i = 0; i < kProcesses; ++i) {
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      CommitRequest request = request_for(kRepo, {{.path = "winner", .bytes = std::to_string(i)}});
      request.parent = parent;
      const std::optional<Error> error = error_of([&] { (void)hub.commit(request); });
      ::_exit(!error ? 0 : error->kind() == ErrorKind::kTransient ? 1 : 2);
    }
    children.push_back(child);
  }
  int won = 0;
  int lost = 0;
  for (const pid_t child : children) {
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFEXITED(status));
    won += WEXITSTATUS(status) == 0;
    lost += WEXITSTATUS(status) == 1;
  }
  EXPECT_EQ(won, 1);
  EXPECT_EQ(lost, kProcesses - 1);
  EXPECT_EQ(hub.head(kRepo, kMainBranch)->parent, parent);
  files->remove_tree(folder);
}

}  // namespace
}  // namespace qbuild::hub
