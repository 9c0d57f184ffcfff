#include "engine/in_process_executor.h"

#include <gtest/gtest.h>

#include "tests/engine/fake_build.h"

namespace qbuild::engine::testing {
namespace {

TEST(InProcessExecutor, ForeignExceptionFailsItsActionOnly) {
  FakeBuild build;
  const NodeId bad = build.action("bad", "b", {}, "light");
  const NodeId good = build.action("good", "g", {}, "light");
  build.behaviours["bad"] = [](auto&, auto&) -> ActionResult { throw std::out_of_range("nine"); };
  const RunReport report = build.run();
  EXPECT_EQ(report.nodes.at(bad).failure->message, "unexpected: nine");
  EXPECT_EQ(report.nodes.at(good).status, Status::kReady);
}

TEST(InProcessExecutor, HandsTheSeamsToTheRule) {
  FakeBuild build;
  const NodeId a = build.action("a", "a", {}, "light");
  build.behaviours["a"] = [&](const ActionRequest& request, ActionContext& context) {
    EXPECT_EQ(&context.file_system(), build.files.get());
    EXPECT_EQ(&context.clock(), &build.clock);
    EXPECT_EQ(&context.processes(), build.processes.get());
    EXPECT_EQ(request.threads, 3u);
    EXPECT_EQ(request.backend, "scalar");
    EXPECT_TRUE(fs::is_empty(request.scratch));
    ActionResult result;
    result.inline_files["x"] = "y";
    return result;
  };
  build.node(a).resources.threads = 3;
  build.options.backend = "scalar";
  EXPECT_EQ(exit_code(build.run()), 0);
}

}  // namespace
}  // namespace qbuild::engine::testing
