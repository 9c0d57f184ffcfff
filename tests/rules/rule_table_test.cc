#include "rules/rule_table.h"

#include <gtest/gtest.h>

#include "rules/heavy_rules.h"

namespace qbuild::rules {
namespace {

using engine::Caching;
using engine::RuleSet;
using engine::Weight;
using engine::Worker;

TEST(RuleTable, EveryProgramKnowsTheTraitsOfAllRules) {
  const RuleSet light = light_rules();
  const RuleSet all = all_rules();
  EXPECT_EQ(light.names(), all.names());
  EXPECT_GE(all.names().size(), 6U);
  for (const std::string& name : all.names()) {
    EXPECT_EQ(light.traits(name).name, name);
    EXPECT_EQ(light.traits(name).version, all.traits(name).version) << name;
    EXPECT_EQ(light.traits(name).worker, all.traits(name).worker) << name;
    EXPECT_FALSE(light.traits(name).version.empty()) << name;
  }
}

TEST(RuleTable, TheLightRulesRunWithoutAWorkerAndTheHeavyOnesDoNot) {
  const RuleSet light = light_rules();
  for (const std::string& name : light.names())
    EXPECT_EQ(light.find(name) != nullptr, light.traits(name).weight == Weight::kLight) << name;
  EXPECT_NE(light.find("card"), nullptr);
  EXPECT_NE(light.find("publish"), nullptr);
}

TEST(RuleTable, TheWorkerImplementsEveryRuleUnderItsName) {
  const RuleSet all = all_rules();
  for (const std::string& name : all.names()) {
    ASSERT_NE(all.find(name), nullptr) << name;
    EXPECT_EQ(all.find(name)->traits().name, name);
  }
  EXPECT_EQ(all.find("compress"), nullptr);
}

TEST(RuleTable, OnlyPublishingStaysOutOfTheSharedStoreAndIsTriedAgain) {
  const RuleSet all = all_rules();
  for (const std::string& name : all.names()) {
    const bool publish = name == "publish";
    EXPECT_EQ(all.traits(name).caching, publish ? Caching::kProject : Caching::kStore) << name;
    EXPECT_EQ(all.traits(name).max_attempts, publish ? 4 : 1) << name;
  }
}

TEST(RuleTable, SpeedAndForeignToolsGetAWorkerOfTheirOwn) {
  for (const auto& traits : {speed_traits(), command_traits()})
    EXPECT_EQ(traits.worker, Worker::kFresh) << traits.name;
  for (const auto& traits : {quantize_traits(), quality_traits()})
    EXPECT_EQ(traits.worker, Worker::kReused) << traits.name;
}

}  // namespace
}  // namespace qbuild::rules
