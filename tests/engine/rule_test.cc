#include "engine/rule.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "base/fake_file_system.h"

namespace qbuild::engine {
namespace {

class NoRule final : public Rule {
 public:
  [[nodiscard]] const RuleTraits& traits() const override { return traits_; }
  [[nodiscard]] ActionResult run(const ActionRequest&, ActionContext&) const override { return {}; }

 private:
  RuleTraits traits_{.name = "linked", .version = "3"};
};

TEST(RuleSet, KnowsTraitsOfAllAndImplementationsOfSome) {
  RuleSet rules;
  rules.declare({.name = "elsewhere", .version = "7"});
  rules.add(std::make_unique<NoRule>());
  EXPECT_EQ(rules.traits("elsewhere").version, "7");
  EXPECT_EQ(rules.find("elsewhere"), nullptr);
  EXPECT_EQ(rules.traits("linked").version, "3");
  ASSERT_NE(rules.find("linked"), nullptr);
  EXPECT_EQ(rules.find("nobody"), nullptr);
}

class Throwing final : public Rule {
 public:
  [[nodiscard]] const RuleTraits& traits() const override { return traits_; }
  [[nodiscard]] ActionResult run(const ActionRequest& request, ActionContext&) const override {
    if (request.target == "bad") throw Error(ErrorKind::kCorrupt, "a cause");
    ActionResult result;
    result.requests = request.target.size();
    return result;
  }

 private:
  RuleTraits traits_{.name = "throwing", .version = "1", .fuses = true};
};

class NoContext final : public ActionContext {
 public:
  void progress(std::uint64_t, std::uint64_t, std::string_view) override {}
  void log(std::string_view) override {}
  [[nodiscard]] std::stop_token stop() const override { return {}; }
  [[nodiscard]] FileSystem& file_system() override { return files_; }
  [[nodiscard]] Clock& clock() override { return clock_; }
  [[nodiscard]] ProcessRunner& processes() override { return *processes_; }

 private:
  FakeFileSystem files_;
  FakeClock clock_{1'700'000'000'000'000'000};
  std::unique_ptr<ProcessRunner> processes_ = make_process_runner();
};

TEST(Rule, UnlessItSaysOtherwiseActionsThatRunTogetherGoOneAfterTheOther) {
  NoContext context;
  std::vector<ActionRequest> requests(3);
  requests[0].target = "a";
  requests[1].target = "bad";
  requests[2].target = "ccc";
  const std::vector<TogetherAction> actions{
      {requests[0], context}, {requests[1], context}, {requests[2], context}};
  std::vector<std::string> ends;
  Throwing().run_together(actions, [&](std::size_t place, ActionOutcome outcome) {
    EXPECT_NE(outcome.result.has_value(), outcome.error.has_value());
    ends.push_back(
        std::to_string(place) + " " +
        (outcome.error ? outcome.error->message() : std::to_string(outcome.result->requests)));
  });
  EXPECT_EQ(ends, (std::vector<std::string>{"0 1", "1 a cause", "2 3"}));
}

TEST(ActionRequest, FindsInputsByLabel) {
  ActionRequest request;
  request.inputs.resize(2);
  request.inputs[0].label = "a";
  request.inputs[1].label = "b";
  EXPECT_EQ(&request.input("b"), &request.inputs[1]);
}

TEST(InputText, IsFoundInlineAndInAFile) {
  FakeFileSystem files;
  files.put("/store/blob", "# large card");
  ResolvedInput input;
  input.label = "card";
  input.artifact.files = {{"README.md", sha256("# large card"), 12}, {"small.json", {}, 2}};
  input.paths = {"/store/blob", ""};
  input.inline_files = {{"small.json", "{}"}};
  EXPECT_EQ(input_text(files, input, "README.md"), "# large card");
  EXPECT_EQ(input_text(files, input, "small.json"), "{}");
  try {
    static_cast<void>(input_text(files, input, "other.md"));
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kCorrupt);
    EXPECT_EQ(error.message(), "input card has no other.md");
  }
}

TEST(ActionRequestDeathTest, MissingInputIsABug) {
  EXPECT_DEATH(static_cast<void>(ActionRequest().input("a")), "inputs that its node has");
}

TEST(RuleSetDeathTest, UndeclaredRuleIsABug) {
  EXPECT_DEATH(static_cast<void>(RuleSet().traits("x")), "every rule of a graph is declared");
}

}  // namespace
}  // namespace qbuild::engine
