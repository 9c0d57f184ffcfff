#include "engine/report.h"

#include <gtest/gtest.h>

namespace qbuild::engine {
namespace {

int code(std::initializer_list<Status> statuses, bool interrupted = false) {
  RunReport report;
  report.interrupted = interrupted;
  std::uint32_t id = 0;
  for (const Status status : statuses) report.nodes[NodeId{id++}].status = status;
  return exit_code(report);
}

TEST(ExitCode, FollowsFromTheWorstOutcome) {
  EXPECT_EQ(code({}), 0);
  EXPECT_EQ(code({Status::kReady, Status::kReady}), 0);
  EXPECT_EQ(code({Status::kReady, Status::kHeld}), 3);
  EXPECT_EQ(code({Status::kHeld, Status::kFailed}), 1);
  EXPECT_EQ(code({Status::kFailed, Status::kSkipped}), 1);
  EXPECT_EQ(code({Status::kFailed, Status::kHeld}, true), 130);
}

}  // namespace
}  // namespace qbuild::engine
