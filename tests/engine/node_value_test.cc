#include "engine/node_value.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace qbuild::engine {
namespace {

TEST(NodeValue, OnlySoftConsumersSeeAJudgement) {
  NodeValue value;
  value.status = Status::kHeld;
  value.reason = "why";
  value.verdict = Json::object({{"x", 1}});
  const ResolvedInput soft =
      resolve({.label = "gate", .from = NodeId{0}, .needs = Needs::kReadyOrHeld}, value);
  EXPECT_EQ(soft.inline_files.at("result.json"), R"({"x":1})");
  EXPECT_EQ(soft.reason, "why");
  EXPECT_TRUE(resolve({.label = "gate", .from = NodeId{0}}, value).inline_files.empty());
}

TEST(NodeValue, CheckSeesAParsedResult) {
  NodeValue value;
  value.inline_files["result.json"] = R"({"x":1})";
  EXPECT_EQ(input_value({.label = "in", .from = NodeId{0}}, value).result.at("x").as_int(), 1);
  value.inline_files["result.json"] = "";
  EXPECT_THROW(static_cast<void>(input_value({.label = "in", .from = NodeId{0}}, value)), Error);
}

TEST(NodeValue, SourceKeepsItsPaths) {
  Node node;
  node.kind = NodeKind::kSource;
  node.artifact.files = {{.name = "a", .sha256 = sha256("a"), .size_bytes = 1}};
  node.paths = {"/src/a"};
  const NodeValue value = value_of_source(node);
  EXPECT_EQ(value.paths, node.paths);
  EXPECT_EQ(input_state(value).artifact->digest(), node.artifact.digest());
  EXPECT_TRUE(value.origin.is_null());
}

}  // namespace
}  // namespace qbuild::engine
