#include "engine/decision.h"

#include <gtest/gtest.h>

#include <fstream>

#include "cache/index.h"
#include "tests/engine/fake_build.h"

namespace qbuild::engine::testing {
namespace {

using Kind = Explanation::Kind;

TEST(Decision, FailureAboveBeatsHeldAbove) {
  FakeBuild build;
  const NodeId a = build.action("a", "a");
  const NodeId b = build.action("b", "b");
  const NodeId c = build.action("c", "c", {a, b});
  build.graph.finish();
  const Environment environment = build.environment();
  Decider decider(environment, build.project, build.graph);
  NodeValue held;
  held.status = Status::kHeld;
  held.reason = "licence";
  NodeValue failed;
  failed.status = Status::kFailed;
  const std::vector<const NodeValue*> inputs{&held, &failed};
  const Decision decision = decider.decide(c, inputs);
  EXPECT_EQ(decision.value.status, Status::kSkipped);
  EXPECT_EQ(decision.explanation, (Explanation{.kind = Kind::kBlocked, .upstream = {"b"}}));
  const std::vector<const NodeValue*> both_held{&held, &held};
  EXPECT_EQ(decider.decide(c, both_held).value.reason, "a is held: licence");
}

TEST(Decision, CheckSeesResultsAndHandsItsValueOn) {
  FakeBuild build;
  const NodeId quality = build.action("quality", "q");
  build.behaviours["quality"] = [](const ActionRequest&, ActionContext&) {
    ActionResult result;
    result.inline_files["result.json"] = R"({"perplexity":12.5})";
    return result;
  };
  const NodeId gate = build.check("gate", {quality}, std::nullopt);
  build.node(gate).judge = [](std::span<const InputValue> inputs) {
    Verdict verdict;
    verdict.value = Json::object({{"seen", inputs[0].result.at("perplexity").as_double()}});
    return verdict;
  };
  const NodeId card = build.action("card", "c", {gate});
  build.soften(card, gate);
  std::string seen;
  build.behaviours["card"] = [&](const ActionRequest& request, ActionContext&) {
    seen = request.input("in.gate").inline_files.at("result.json");
    ActionResult result;
    result.inline_files["card"] = "x";
    return result;
  };
  static_cast<void>(build.run());
  EXPECT_EQ(seen, R"({"seen":12.5})");
  build.node(gate).judge = [](auto) { return Verdict{false, "", Json::object({{"seen", 13}})}; };
  EXPECT_EQ(build.why("card").changes.at(0).label, "input.in.gate.value");
}

TEST(Decision, ResultThatIsNoJsonIsNamed) {
  FakeBuild build;
  const NodeId quality = build.action("quality", "q");
  build.behaviours["quality"] = [](const ActionRequest&, ActionContext&) {
    ActionResult result;
    result.inline_files["result.json"] = "{";
    return result;
  };
  const NodeId gate = build.check("gate", {quality}, std::nullopt);
  const RunReport report = build.run();
  EXPECT_EQ(report.nodes.at(gate).failure->message.find("result.json of input in.quality: "), 0u);
}

TEST(Decision, BlobThatWasTamperedWithIsMadeAgain) {
  FakeBuild build;
  cache::Index index(*build.files, build.folder.path() / "index.db", build.store);
  build.index = &index;
  const NodeId a = build.action("a", "true bytes");
  const fs::path blob = build.run().nodes.at(a).paths[0];
  fs::permissions(blob, fs::perms::owner_write, fs::perm_options::add);
  write_text(blob, "FALSE BYTE");  // the same size
  EXPECT_EQ(build.why("a").kind, Kind::kFileMissing);
  const RunReport again = build.run();
  EXPECT_EQ(again.counters.executed, 1u);
  EXPECT_EQ(read_text(blob), "true bytes");
}

TEST(Decision, DamagedRecordIsMadeAgain) {
  FakeBuild build;
  const NodeId a = build.action("a", "text");
  const std::string key = build.run().nodes.at(a).key_hex;
  const fs::path record = build.store.record_path(*Digest::from_hex(key));
  fs::permissions(record, fs::perms::owner_write, fs::perm_options::add);
  write_text(record, "qbuild-record 1 nonsense");
  EXPECT_EQ(build.why("a").kind, Kind::kRecordMissing);
  EXPECT_EQ(build.run().counters.executed, 1u);
  EXPECT_EQ(build.why("a").kind, Kind::kCurrent);
}

}  // namespace
}  // namespace qbuild::engine::testing
