#include "engine/last_run.h"

#include <gtest/gtest.h>

#include <cerrno>

#include "base/error.h"
#include "base/fake_file_system.h"

namespace qbuild::engine {
namespace {

const ProjectFiles kProject{"/p/.qbuild"};

TEST(LastRun, IsRememberedPerTarget) {
  FakeFileSystem files;
  const LastRun ok{.failed = false, .key_text = "a: 1\n", .message = ""};
  const LastRun failed{.failed = true, .key_text = "b: 2\n", .message = "no space"};
  write_last_run(files, kProject, "one", failed);
  write_last_run(files, kProject, "one", ok);
  write_last_run(files, kProject, "two", failed);
  EXPECT_EQ(read_last_run(files, kProject, "one"), ok);
  EXPECT_EQ(read_last_run(files, kProject, "two"), failed);
  EXPECT_EQ(read_last_run(files, kProject, "three"), std::nullopt);
}

TEST(LastRun, DamageIsAbsence) {
  FakeFileSystem files;
  write_last_run(files, kProject, "one", {.failed = false, .key_text = "a: 1\n", .message = ""});
  const std::string whole = files.contents(kProject.last("one"));
  std::string of_neither = whole;
  of_neither.replace(of_neither.find("\"ok\""), 4, "\"on\"");
  std::string with_a_cause = whole;
  with_a_cause.replace(with_a_cause.rfind('}'), 1, ",\"message\":\"m\"}");
  for (const std::string& bytes :
       {std::string(), whole.substr(0, whole.size() / 2), std::string("{}"), std::string("[]"),
        of_neither, with_a_cause}) {
    files.put(kProject.last("one"), bytes);
    EXPECT_EQ(read_last_run(files, kProject, "one"), std::nullopt) << bytes;
  }
}

TEST(LastRun, AnotherTargetsFileIsNotBelieved) {
  FakeFileSystem files;
  write_last_run(files, kProject, "one", {.failed = false, .key_text = "a: 1\n", .message = ""});
  files.put(kProject.last("two"), files.contents(kProject.last("one")));
  EXPECT_EQ(read_last_run(files, kProject, "two"), std::nullopt);
}

TEST(LastRun, AFailedWriteLeavesTheOldOneAndNothingBesideIt) {
  using Call = FakeFileSystem::Call;
  for (const Call call : {Call::kCreate, Call::kWrite, Call::kClose, Call::kRename}) {
    FakeFileSystem files;
    const LastRun before{.failed = false, .key_text = "a: 1\n", .message = ""};
    write_last_run(files, kProject, "one", before);
    files.fail(call, 1, ENOSPC);
    EXPECT_THROW(write_last_run(files, kProject, "one",
                                {.failed = true, .key_text = "b: 2\n", .message = "no"}),
                 Error);
    EXPECT_EQ(read_last_run(files, kProject, "one"), before);
    EXPECT_EQ(files.files(), std::vector<std::string>{kProject.last("one").string()});
  }
}

}  // namespace
}  // namespace qbuild::engine
