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
