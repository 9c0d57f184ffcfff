#include <gtest/gtest.h>

#include "engine/progress.h"
#include "tests/engine/fake_build.h"

namespace qbuild::engine::testing {
namespace {

TEST(ProgressPlain, SaysWhatRanAndNothingOfTheRest) {
  FakeBuild build;
  std::string text;
  build.progress = make_plain_progress([&](std::string_view line) { text += line; });
  static_cast<void>(build.action("a", "a"));
  build.behaviours["a"] = [](const ActionRequest& request, ActionContext& context) {
    context.progress(1, 2, "bytes");
    context.log("chatter");
    ActionResult result;
    result.files.push_back(produce(request, "out", "x"));
    return result;
  };
  static_cast<void>(build.run());
  EXPECT_EQ(text.find("done    a  "), 0u) << text;
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 1);
  text.clear();
  static_cast<void>(build.run());
  EXPECT_EQ(text, "");
}

TEST(ProgressPlain, RetriesAreSaid) {
  std::string text;
  make_plain_progress([&](std::string_view line) {
    text += line;
  })->on(ActionRetried{.target = "a", .message = "connection reset", .wait_seconds = 0.5});
  EXPECT_EQ(text, "again   a in 0.5 s: connection reset\n");
}

}  // namespace
}  // namespace qbuild::engine::testing
