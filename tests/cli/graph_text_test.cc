#include "cli/graph_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/json.h"

namespace qbuild::cli {
namespace {

using engine::Graph;
using engine::Needs;
using engine::Node;
using engine::NodeId;
using engine::NodeKind;
using ::testing::HasSubstr;
using ::testing::Not;

Node node(NodeKind kind, std::string target, std::vector<engine::Input> inputs) {
  Node made;
  made.kind = kind;
  made.target = std::move(target);
  made.inputs = std::move(inputs);
  return made;
}

Graph source_variant_gate_card() {
  Graph graph;
  const NodeId source = graph.add(node(NodeKind::kSource, "bard:source", {}));
  Node variant =
      node(NodeKind::kAction, "bard:Q8_0", {engine::Input{.label = "model", .from = source}});
  variant.rule = "quantize";
  const NodeId made = graph.add(std::move(variant));
  const NodeId gate = graph.add(
      node(NodeKind::kCheck, "bard:Q8_0:gate", {engine::Input{.label = "model", .from = made}}));
  Node card = node(
      NodeKind::kAction, "bard:card",
      {engine::Input{
          .label = "gate.Q8_0", .from = gate, .projection = {}, .needs = Needs::kReadyOrHeld}});
  card.rule = "card";
  graph.add(std::move(card));
  graph.finish();
  return graph;
}

std::string text_of(const Graph& graph, std::string_view format) {
  return graph_text(graph, graph.topological_order(), format);
}

TEST(GraphText, DrawsDotWithAShapeForEachKindAndDashedSoftEdges) {
  EXPECT_EQ(text_of(source_variant_gate_card(), "dot"),
            "digraph qbuild {\n"
            "  rankdir=LR;\n"
            "  node [shape=box];\n"
            "  n0 [label=\"bard:source\", shape=note];\n"
            "  n1 [label=\"bard:Q8_0\", shape=box];\n"
            "  n2 [label=\"bard:Q8_0:gate\", shape=diamond];\n"
            "  n3 [label=\"bard:card\", shape=box];\n"
            "  n0 -> n1;\n"
            "  n1 -> n2;\n"
            "  n2 -> n3 [style=dashed];\n"
            "}\n");
}

TEST(GraphText, DrawsMermaidForPages) {
  EXPECT_EQ(text_of(source_variant_gate_card(), "mermaid"),
            "graph LR\n"
            "  n0[\"bard:source\"]\n"
            "  n1[\"bard:Q8_0\"]\n"
            "  n2{\"bard:Q8_0:gate\"}\n"
            "  n3[\"bard:card\"]\n"
            "  n0 --> n1\n"
            "  n1 --> n2\n"
            "  n2 -.-> n3\n");
}

TEST(GraphText, GivesJsonWithRulesAndLabelledInputs) {
  const Json json = Json::parse(text_of(source_variant_gate_card(), "json"));
  const auto& nodes = json.at("nodes").as_array();
  ASSERT_EQ(nodes.size(), 4U);
  EXPECT_EQ(nodes[0].dump(), R"({"target":"bard:source","kind":"source","inputs":[]})");
  EXPECT_EQ(nodes[1].dump(), R"({"target":"bard:Q8_0","kind":"action","rule":"quantize",)"
                             R"("inputs":[{"label":"model","from":"bard:source","soft":false}]})");
  EXPECT_EQ(nodes[2].get_string("kind"), "check");
  EXPECT_EQ(nodes[3].at("inputs").as_array().front().dump(),
            R"({"label":"gate.Q8_0","from":"bard:Q8_0:gate","soft":true})");
}

TEST(GraphText, ShowsTheNodesThatAreAskedForAndNoOthers) {
  const Graph graph = source_variant_gate_card();
  const std::vector<NodeId> goals{NodeId{1}};
  const std::string text = graph_text(graph, graph.needed_for(goals), "dot");
  EXPECT_THAT(text, HasSubstr("bard:Q8_0"));
  EXPECT_THAT(text, Not(HasSubstr("gate")));
  EXPECT_THAT(text, Not(HasSubstr("card")));
}

TEST(GraphText, KeepsQuotationMarksOfNamesInsideTheirStrings) {
  Graph graph;
  graph.add(node(NodeKind::kSource, R"(file:a "b"\c)", {}));
  graph.finish();
  EXPECT_THAT(text_of(graph, "dot"), HasSubstr(R"(label="file:a \"b\"\\c")"));
  EXPECT_THAT(text_of(graph, "mermaid"), HasSubstr(R"(n0["file:a #quot;b#quot;\c"])"));
  const Json json = Json::parse(text_of(graph, "json"));
  EXPECT_EQ(json.at("nodes").as_array().front().get_string("target"), R"(file:a "b"\c)");
}

TEST(GraphText, OfNoNodesIsStillWellFormed) {
  const Graph graph;
  EXPECT_EQ(graph_text(graph, {}, "dot"),
            "digraph qbuild {\n  rankdir=LR;\n  node [shape=box];\n}\n");
  EXPECT_EQ(graph_text(graph, {}, "mermaid"), "graph LR\n");
  EXPECT_TRUE(Json::parse(graph_text(graph, {}, "json")).at("nodes").as_array().empty());
}

}  // namespace
}  // namespace qbuild::cli
