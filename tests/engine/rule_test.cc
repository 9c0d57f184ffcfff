#include "engine/rule.h"

#include <gtest/gtest.h>

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

TEST(ActionRequestDeathTest, MissingInputIsABug) {
  EXPECT_DEATH(static_cast<void>(ActionRequest().input("a")), "inputs that its node has");
}

TEST(RuleSetDeathTest, UndeclaredRuleIsABug) {
  EXPECT_DEATH(static_cast<void>(RuleSet().traits("x")), "every rule of a graph is declared");
}

}  // namespace
}  // namespace qbuild::engine
