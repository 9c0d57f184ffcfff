#include "engine/key.h"

#include <gtest/gtest.h>

namespace qbuild::engine {
namespace {

Node quantize() {
  Node node;
  node.target = "bard:Q4_K_M";
  node.rule = "quantize";
  node.params = Json::object({{"type", "Q4_K_M"}, {"context", 512}});
  node.fields = {{"encoder.Q4_K", "1"}};
  node.inputs = {{.label = "model",
                  .from = NodeId{0},
                  .projection = {Projection::Kind::kFacets, {"tensors", "tokenizer"}}}};
  return node;
}

cache::Artifact model() {
  cache::Artifact artifact;
  artifact.files = {{.name = "model.gguf", .sha256 = sha256("m"), .size_bytes = 1}};
  artifact.facets = {{"tensors", "aaaa"}, {"tokenizer", "bbbb"}, {"template", "cccc"}};
  return artifact;
}

std::string text_of(const Node& node, const std::vector<InputState>& inputs) {
  return make_key(node, "1", inputs).text;
}

TEST(Key, IsTheHashOfItsText) {
  const cache::Artifact artifact = model();
  const std::vector<InputState> inputs{{.artifact = &artifact}};
  const Key key = make_key(quantize(), "1", inputs);
  EXPECT_EQ(key.text,
            "rule: quantize\n"
            "rule.version: 1\n"
            "param.context: 512\n"
            "param.type: \"Q4_K_M\"\n"
            "encoder.Q4_K: 1\n"
            "input.model.tensors: aaaa\n"
            "input.model.tokenizer: bbbb\n");
  EXPECT_EQ(key.digest, sha256(key.text));
  HashSink sink;
  walk_key(quantize(), "1", inputs, sink);
  EXPECT_EQ(sink.finish(), key.digest);
}

TEST(Key, DoesNotSeeNamesContextResourcesOrOtherFacets) {
  cache::Artifact artifact = model();
  const std::string before = text_of(quantize(), {{.artifact = &artifact}});
  Node node = quantize();
  node.target = "other";
  node.context["name"] = "anything";
  node.resources.threads = 17;
  artifact.facets["template"] = "changed";
  artifact.files[0].sha256 = sha256("another");
  EXPECT_EQ(text_of(node, {{.artifact = &artifact}}), before);
}

TEST(Key, OrderOfMembersDoesNotCount) {
  Node node = quantize();
  node.params = Json::object({{"context", 512}, {"type", "Q4_K_M"}});
  const cache::Artifact artifact = model();
  EXPECT_EQ(text_of(node, {{.artifact = &artifact}}),
            text_of(quantize(), {{.artifact = &artifact}}));
}

TEST(Key, LeavesOfEveryShapeAreFields) {
  Node node;
  node.rule = "r";
  node.params =
      Json::object({{"list", Json(Json::Array{Json(1), Json::object({{"match", "a"}}), Json()})},
                    {"empty", Json::object()},
                    {"none", Json::array()},
                    {"on", true},
                    {"x", 0.5}});
  EXPECT_EQ(text_of(node, {}),
            "rule: r\nrule.version: 1\n"
            "param.empty: {}\n"
            "param.list[0]: 1\nparam.list[1].match: \"a\"\nparam.list[2]: null\n"
            "param.none: []\nparam.on: true\nparam.x: 0.5\n");
}

TEST(Key, TextAndNumberDiffer) {
  Node number;
  number.params = Json::object({{"a", 5}});
  Node text;
  text.params = Json::object({{"a", "5"}});
  EXPECT_NE(text_of(number, {}), text_of(text, {}));
}

// Pairs that a careless text would write alike.
TEST(Key, FieldsNeverRunTogether) {
  const auto with = [](Json params, std::vector<Field> fields) {
    Node node;
    node.params = std::move(params);
    node.fields = std::move(fields);
    return text_of(node, {});
  };
  EXPECT_NE(with(Json::object({{"a.b", 1}}), {}),
            with(Json::object({{"a", Json::object({{"b", 1}})}}), {}));
  EXPECT_NE(with(Json::object({{"a[0]", 1}}), {}),
            with(Json::object({{"a", Json(Json::Array{Json(1)})}}), {}));
  EXPECT_NE(with(Json::object({{"", 1}}), {}), with(Json::object({{"%", 1}}), {}));
  EXPECT_NE(with(Json(), {{"a", "1\nb: 2"}}), with(Json(), {{"a", "1"}, {"b", "2"}}));
  EXPECT_NE(with(Json(), {{"a", "1\\nb"}}), with(Json(), {{"a", "1\nb"}}));
  EXPECT_NE(with(Json(), {{"a: b", "c"}}), with(Json(), {{"a", "b: c"}}));
  EXPECT_NE(with(Json::object({{"s", "\xff"}}), {}), with(Json::object({{"s", "\xfe"}}), {}));
  EXPECT_NE(with(Json::object({{"s", "\xff"}}), {}),
            with(Json::object({{"s", "\xef\xbf\xbd"}}), {}));
}

TEST(Key, InputLabelAndFacetDoNotRunTogether) {
  cache::Artifact artifact = model();
  artifact.facets = {{"b.c", "1"}, {"c", "1"}};
  const auto with = [&](const std::string& label, const std::string& facet) {
    Node node;
    node.inputs = {
        {.label = label, .from = NodeId{0}, .projection = {Projection::Kind::kFacets, {facet}}}};
    return text_of(node, {{.artifact = &artifact}});
  };
  EXPECT_NE(with("a", "b.c"), with("a.b", "c"));
}

TEST(Key, MissingFacetFallsBackToTheWholeArtifact) {
  cache::Artifact artifact = model();
  artifact.facets.clear();
  const std::string before = text_of(quantize(), {{.artifact = &artifact}});
  EXPECT_NE(before.find("input.model.tensors: whole " + artifact.digest().hex()),
            std::string::npos);
  artifact.files[0].sha256 = sha256("changed");
  EXPECT_NE(text_of(quantize(), {{.artifact = &artifact}}), before);
}

TEST(Key, SoftInputsShowStatusAndValueButNotTheReason) {
  Node node;
  node.inputs = {{.label = "gate.Q4",
                  .from = NodeId{0},
                  .projection = {Projection::Kind::kNothing, {}},
                  .needs = Needs::kReadyOrHeld}};
  const Json value = Json::object({{"shown", 1}});
  EXPECT_EQ(text_of(node, {{.status = Status::kHeld, .value = &value}}),
            "rule: \nrule.version: 1\ninput.gate.Q4.status: held\ninput.gate.Q4.value: " +
                sha256(value.dump()).hex() + "\n");
  EXPECT_EQ(text_of(node, {{.status = Status::kReady}}),
            "rule: \nrule.version: 1\ninput.gate.Q4.status: ready\n");
}

TEST(Key, InputThatOnlyOrdersIsNotInIt) {
  const cache::Artifact artifact = model();
  Node node;
  node.inputs = {
      {.label = "after", .from = NodeId{0}, .projection = {Projection::Kind::kNothing, {}}}};
  EXPECT_EQ(text_of(node, {{.artifact = &artifact}}), "rule: \nrule.version: 1\n");
}

}  // namespace
}  // namespace qbuild::engine
