// Actions of a rule that resumes: what an attempt finished before it was ended, the next goes on
// with. In real workers and, where the end is an Error, in this process.

#include <gmock/gmock.h>
#include <signal.h>

#include <algorithm>
#include <thread>

#include "tests/engine/piece_rule.h"
#include "tests/engine/worker_build.h"

namespace qbuild::engine::testing {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

std::vector<std::string> partials_in(const fs::path& store_root) {
  std::vector<std::string> names;
  if (!fs::exists(store_root / "partial")) return names;
  for (const auto& entry : fs::directory_iterator(store_root / "partial"))
    names.push_back(entry.path().filename().string());
  return names;
}

Json texts(int count = 5) {
  std::vector<std::string> pieces;
  for (int i = 0; i < count; ++i) pieces.push_back("piece " + std::to_string(i) + "\n");
  return piece_texts(pieces);
}
std::string all_of(const Json& pieces) {
  std::string all;
  for (const Json& piece : pieces.as_array()) all += piece.as_string();
  return all;
}

// In the test worker: see interrupt() there.
NodeId makes(WorkerBuild& build, int at = -1, const std::string& then = "",
             const std::string& target = "a") {
  const NodeId id = build.does(target, "pieces", "resuming");
  build.node(id).params["pieces"] = texts();
  build.node(id).params.as_object().erase(std::find_if(
      build.node(id).params.as_object().begin(), build.node(id).params.as_object().end(),
      [](const Json::Member& member) { return member.first == "pid_file"; }));
  build.node(id).context = Json::object({{"at", at}, {"then", then}});
  return id;
}

class Resuming : public ::testing::Test {
 protected:
  RunReport run(int at = -1, const std::string& then = "") {
    build_.new_graph();
    id_ = makes(build_, at, then);
    return build_.run();
  }
  void expect_done(const RunReport& report, const std::string& computed) {
    const NodeReport& node = report.nodes.at(id_);
    ASSERT_EQ(node.status, Status::kReady) << node.reason;
    EXPECT_EQ(node.inline_files.at("computed"), computed);
    EXPECT_EQ(read_text(node.paths[2]), all_of(texts()));
    EXPECT_THAT(partials_in(build_.store.root()), IsEmpty());
    EXPECT_THAT(scratch_in(build_.store.root()), IsEmpty());
  }

  WorkerBuild build_;
  NodeId id_{};
};

TEST_F(Resuming, UndisturbedItLeavesNothingBehind) {
  expect_done(run(), "5");
}

TEST_F(Resuming, AKilledWorkersPiecesAreGoneOnWith) {
  EXPECT_EQ(run(3, "kill").nodes.at(id_).failure->kind, ErrorKind::kExhausted);
  EXPECT_THAT(partials_in(build_.store.root()), SizeIs(1));
  EXPECT_GT(build_.store.stats().scratch_bytes, 0u);
  EXPECT_THAT(build_.store.verify({}).damages, IsEmpty());
  expect_done(run(), "2");
}

TEST_F(Resuming, KillsInARowLoseNothing) {
  run(4, "kill");
  run(1, "kill");
  run(0, "kill");
  expect_done(run(), "1");
}

TEST_F(Resuming, KilledWhenAllWasFinishedItComputesNothing) {
  run(5, "kill");
  expect_done(run(), "0");
}

TEST_F(Resuming, AnInterruptedActionIsGoneOnWith) {
  build_.new_graph();
  id_ = build_.does("a", "pieces", "resuming");
  build_.node(id_).params["pieces"] = texts();
  build_.node(id_).context = Json::object({{"at", 3}, {"then", "wait"}});
  {
    std::jthread stopper([&] {
      static_cast<void>(build_.wait_for_pid());
      build_.stop.request_stop();
    });
    EXPECT_EQ(exit_code(build_.run()), 130);
  }
  EXPECT_THAT(partials_in(build_.store.root()), SizeIs(1));
  build_.stop = std::stop_source();
  build_.new_graph();
  id_ = build_.does("a", "pieces", "resuming");
  build_.node(id_).params["pieces"] = texts();
  expect_done(build_.run(), "2");
}

TEST_F(Resuming, AnActionOverItsTimeIsGoneOnWith) {
  build_.new_graph();
  id_ = build_.does("a", "pieces", "resuming");
  build_.node(id_).params["pieces"] = texts();
  build_.node(id_).context = Json::object({{"at", 2}, {"then", "wait"}});
  build_.node(id_).resources.time_limit = std::chrono::milliseconds(200);
  EXPECT_EQ(build_.run().nodes.at(id_).failure->kind, ErrorKind::kExhausted);
  build_.new_graph();
  id_ = build_.does("a", "pieces", "resuming");
  build_.node(id_).params["pieces"] = texts();
  expect_done(build_.run(), "3");
}

TEST_F(Resuming, AFailureThatIsTheRulesOwnRemovesWhatItLeft) {
  EXPECT_EQ(run(3, "throw").nodes.at(id_).failure->message, "bad tensor");
  EXPECT_THAT(partials_in(build_.store.root()), IsEmpty());
  expect_done(run(), "5");
}

TEST_F(Resuming, ACrashRemovesWhatMayHaveCausedIt) {
  run(3, "abort");
  EXPECT_THAT(partials_in(build_.store.root()), IsEmpty());
  expect_done(run(), "5");
}

TEST_F(Resuming, GarbageInItsFolderChangesNothing) {
  run(3, "kill");
  const fs::path folder = build_.store.root() / "partial" / partials_in(build_.store.root())[0];
  write_text(folder / "out", "garbage");
  write_text(folder / ("out." + std::string(32, 'f') + ".pieces"), std::string(100'000, 'x'));
  for (const auto& entry : fs::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    if (!name.ends_with(".pieces") && name.size() == 4 + 32)
      write_text(entry.path(), "PIECE 0\npiece 1\npiece 2\n");
  }
  expect_done(run(), "3");
}

TEST_F(Resuming, AnotherEngineGoesOn) {
  run(3, "kill");
  WorkerBuild other("", build_.store.root());
  const NodeId id = makes(other);
  const RunReport report = other.run();
  EXPECT_EQ(report.nodes.at(id).inline_files.at("computed"), "2");
}

TEST_F(Resuming, WhileOneEngineIsAtItAnotherKeepsOut) {
  const std::unique_ptr<FileLock> lock = [&] {
    run(3, "kill");
    return build_.store.lock_key(*Digest::from_hex(partials_in(build_.store.root())[0]),
                                 LockWait::kTry);
  }();
  ASSERT_NE(lock, nullptr);
  WorkerBuild other("", build_.store.root());
  static_cast<void>(makes(other));
  std::jthread stopper([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(500));
    other.stop.request_stop();
  });
  EXPECT_EQ(other.run().counters.executed, 0u);
  EXPECT_THAT(partials_in(build_.store.root()), SizeIs(1));
}

std::unique_ptr<ChildProcess> start_engine(ProcessRunner& processes, const fs::path& folder,
                                           const std::string& what) {
  return processes.start({.argv = {TEST_ENGINE, folder.string(), what},
                          .environment = current_environment(),
                          .working_directory = {},
                          .output_log = {},
                          .pipe_stdin = false,
                          .pipe_stdout = true});
}

TEST(ResumingAfterItsEngine, WasKilledTheNextEngineGoesOn) {
  const TemporaryFolder folder;
  const auto processes = make_process_runner();
  const auto engine = start_engine(*processes, folder.path(), "pieces_wait");
  for (const char* pid_file : {"pid0", "pid1"}) {
    for (int n = 0; n < 6000 && !fs::exists(folder.path() / pid_file); ++n)
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  ASSERT_EQ(::kill(engine->pid(), SIGKILL), 0);
  static_cast<void>(engine->wait());
  EXPECT_THAT(partials_in(folder.path() / "store"), SizeIs(2));
  const auto again = start_engine(*processes, folder.path(), "pieces");
  EXPECT_EQ(again->read_line(1000), "executed 2 reused 1 exit 0");
  EXPECT_EQ(again->wait().exit_code, 0);
  EXPECT_THAT(partials_in(folder.path() / "store"), IsEmpty());
  const auto files = make_posix_file_system();
  const auto clock = make_system_clock();
  cache::Store store(*files, *clock, folder.path() / "store");
  std::vector<std::string> computed;
  for (const Digest& key : store.record_keys()) {
    const auto record = store.find_record(key);
    if (record->rule == "resuming") computed.push_back(record->inline_files.at("computed"));
  }
  EXPECT_THAT(computed, ::testing::ElementsAre("2", "2"));
}

// What ends as an Error, in this process.
class ResumingHere : public ::testing::Test {
 protected:
  RunReport run(const std::function<void(std::size_t)>& before_each = [](std::size_t) {}) {
    build_.new_graph();
    id_ = build_.action("a", "a", {}, "resuming");
    build_.node(id_).params["pieces"] = texts();
    build_.node(id_).resources.scratch_bytes = need_bytes_;
    build_.behaviours["a"] = [before_each](const ActionRequest& request, ActionContext& context) {
      return make_of_pieces(request, context, before_each);
    };
    return build_.run();
  }
  static std::function<void(std::size_t)> fail_at(std::size_t piece, ErrorKind kind) {
    return [=](std::size_t done) {
      if (done == piece) throw Error(kind, "no");
    };
  }
  std::string computed(const RunReport& report) {
    const NodeReport& node = report.nodes.at(id_);
    EXPECT_EQ(node.status, Status::kReady) << node.reason;
    return node.status == Status::kReady ? node.inline_files.at("computed") : "";
  }

  FakeBuild build_;
  NodeId id_{};
  std::uint64_t need_bytes_ = 0;
};

TEST_F(ResumingHere, AFullDiskLeavesWhatWasFinished) {
  run(fail_at(4, ErrorKind::kExhausted));
  EXPECT_THAT(partials_in(build_.store.root()), SizeIs(1));
  EXPECT_EQ(computed(run()), "1");
}

TEST_F(ResumingHere, ARetryGoesOnInTheSameRun) {
  int attempts = 0;
  EXPECT_EQ(computed(run([&](std::size_t done) {
              if (done == 3 && ++attempts == 1) throw Error(ErrorKind::kTransient, "later");
            })),
            "2");
  EXPECT_THAT(partials_in(build_.store.root()), IsEmpty());
}

TEST_F(ResumingHere, ADiskThatIsFullWhenItsResultIsStoredLosesNothing) {
  build_.files->before_flush = [] { throw Error(ErrorKind::kExhausted, "full"); };
  run();
  build_.files->before_flush = nullptr;
  EXPECT_EQ(computed(run()), "0");
}

TEST_F(ResumingHere, LargeTextsOfAnAttemptThatWasNotStoredHinderNobody) {
  const NodeId id = build_.action("big", "big", {}, "resuming");
  build_.behaviours["big"] = [](const ActionRequest&, ActionContext&) {
    ActionResult result;
    result.inline_files["text"] = std::string(cache::kMaxInlineBytes + 1, 'x');
    return result;
  };
  build_.files->before_flush = [] { throw Error(ErrorKind::kExhausted, "full"); };
  EXPECT_EQ(build_.run().nodes.at(id).failure->message, "full");
  build_.files->before_flush = nullptr;
  const RunReport report = build_.run();
  EXPECT_EQ(report.nodes.at(id).status, Status::kReady) << report.nodes.at(id).reason;
  EXPECT_THAT(partials_in(build_.store.root()), IsEmpty());
}

TEST_F(ResumingHere, WithoutRoomForBothItBeginsAnew) {
  run(fail_at(4, ErrorKind::kExhausted));
  const std::vector<std::string> left = partials_in(build_.store.root());
  ASSERT_THAT(left, SizeIs(1));
  need_bytes_ = 500;
  build_.files->free_room = [&] {
    return fs::exists(build_.store.root() / "partial" / left[0]) ? 400u : 600u;
  };
  EXPECT_EQ(computed(run()), "5");
}

TEST_F(ResumingHere, AbandonedWorkOfOthersIsSweptWhenARunBegins) {
  const fs::path old = build_.store.root() / "partial" / std::string(64, 'a');
  write_text(old / "out", "x");
  fs::last_write_time(old / "out", fs::file_time_type::clock::now() - std::chrono::hours(15 * 24));
  fs::last_write_time(old, fs::file_time_type::clock::now() - std::chrono::hours(15 * 24));
  run();
  EXPECT_FALSE(fs::exists(old));
}

}  // namespace
}  // namespace qbuild::engine::testing
