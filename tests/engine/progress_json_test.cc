#include <gtest/gtest.h>

#include "engine/progress.h"
#include "tests/engine/fake_build.h"

namespace qbuild::engine::testing {
namespace {

TEST(ProgressJson, SummaryHasTheCountersByTheirNames) {
  EXPECT_EQ(to_json(RunFinished{.counters = {.executed = 1,
                                             .reused = 2,
                                             .failed = 3,
                                             .skipped = 4,
                                             .held = 5,
                                             .bytes_hashed = 6,
                                             .bytes_read = 7,
                                             .bytes_written = 8,
                                             .requests = 9,
                                             .pieces_computed = 10,
                                             .pieces_copied = 11,
                                             .seconds = 0.5},
                                .exit_code = 1})
                .dump(),
            R"({"event":"summary","executed":1,"reused":2,"failed":3,"skipped":4,"held":5,)"
            R"("bytes_hashed":6,"bytes_read":7,"bytes_written":8,"requests":9,)"
            R"("pieces_computed":10,"pieces_copied":11,"seconds":0.5,"exit_code":1})");
}

TEST(ProgressJson, FailureCarriesCauseAndLog) {
  ActionFinished event;
  event.target = "a";
  event.rule = "make";
  event.status = Status::kFailed;
  event.executed = true;
  event.failure = Failure{ErrorKind::kCorrupt, "NaN", {"last line"}};
  EXPECT_EQ(
      to_json(event).dump(),
      R"({"event":"finished","target":"a","rule":"make","status":"failed","executed":true,)"
      R"("seconds":0.0,"error":{"kind":"corrupt","message":"NaN","log_tail":["last line"]}})");
}

TEST(ProgressJson, ARunIsOneEventPerLineAndEndsWithTheSummary) {
  FakeBuild build;
  const NodeId a = build.action("a", "a");
  static_cast<void>(build.check("gate", {a}, "because"));
  std::vector<Json> events;
  build.progress = make_json_progress([&](std::string_view line) {
    EXPECT_TRUE(line.ends_with('\n'));
    events.push_back(Json::parse(line));
  });
  static_cast<void>(build.run());
  ASSERT_EQ(events.size(), 5u);
  EXPECT_EQ(events[0].at("event").as_string(), "started_run");
  EXPECT_EQ(events[0].at("version").as_int(), kEventVersion);
  EXPECT_EQ(events[1].at("event").as_string(), "started");
  EXPECT_EQ(events[1].at("why").at("kind").as_string(), "never_built");
  EXPECT_EQ(events[2].at("event").as_string(), "finished");
  EXPECT_TRUE(events[2].at("executed").as_bool());
  EXPECT_EQ(events[3].at("target").as_string(), "gate");
  EXPECT_EQ(events[3].at("reason").as_string(), "because");
  EXPECT_EQ(events[4].at("event").as_string(), "summary");
  EXPECT_EQ(events[4].at("exit_code").as_int(), 3);
}

}  // namespace
}  // namespace qbuild::engine::testing
