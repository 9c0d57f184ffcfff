// The engine's promises about what runs and what does not, with rules that do what a test tells
// them.

#include "engine/builder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/engine/fake_build.h"

namespace qbuild::engine::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// source -> quant -> quality -> card, and source -> other.
struct Chain {
  explicit Chain(FakeBuild& build) {
    source = build.source("source", "weights");
    quant = build.action("quant", "q", {source});
    quality = build.action("quality", "m", {quant});
    card = build.action("card", "c", {quality}, "light");
    other = build.action("other", "o", {source});
  }
  NodeId source, quant, quality, card, other;
};

TEST(Builder, RunsEverythingOnceAndThenNothing) {
  FakeBuild build;
  const Chain chain(build);
  const RunReport first = build.run();
  EXPECT_EQ(exit_code(first), 0);
  EXPECT_EQ(first.counters.executed, 4u);
  EXPECT_EQ(first.counters.reused, 0u);
  EXPECT_EQ(read_text(first.nodes.at(chain.card).paths[0]), "c|m|q|weights");
  static_cast<void>(build.take_ran());

  const RunReport second = build.run();
  EXPECT_THAT(build.take_ran(), IsEmpty());
  EXPECT_EQ(second.counters.executed, 0u);
  EXPECT_EQ(second.counters.reused, 4u);
  EXPECT_EQ(second.nodes.at(chain.quant).artifact, first.nodes.at(chain.quant).artifact);
}

TEST(Builder, ParameterEditRunsWhatDependsOnItAndNothingElse) {
  FakeBuild build;
  const Chain chain(build);
  static_cast<void>(build.run());
  static_cast<void>(build.take_ran());
  build.node(chain.quality).params["text"] = "m2";
  EXPECT_EQ(
      build.why("quality"),
      (Explanation{.kind = Explanation::Kind::kKeyChanged,
                   .changes = {{.label = "param.text", .before = "\"m\"", .after = "\"m2\""}}}));
  static_cast<void>(build.run());
  EXPECT_THAT(build.take_ran(), ElementsAre("quality", "card"));
}

TEST(Builder, AddedAndRemovedParametersAreNamed) {
  FakeBuild build;
  const NodeId a = build.action("a", "x");
  static_cast<void>(build.run());
  build.node(a).params["extra"] = 5;
  EXPECT_EQ(summarize(build.why("a")), "key changed: param.extra: (none) -> 5");
  static_cast<void>(build.run());
  build.node(a).params = Json::object({{"text", "x"}});
  // The record of the first run is still in the store, so there is nothing to do.
  EXPECT_EQ(build.why("a").kind, Explanation::Kind::kCurrent);
}

TEST(Builder, SameOutputStopsTheWorkBelow) {
  FakeBuild build;
  const Chain chain(build);
  build.behaviours["quant"] = [](const ActionRequest& request, ActionContext&) {
    ActionResult result;
    result.files.push_back(produce(request, "out", "always the same"));
    return result;
  };
  static_cast<void>(build.run());
  static_cast<void>(build.take_ran());
  build.node(chain.quant).params["text"] = "another way to the same bytes";
  const Plan plan = build.plan();
  EXPECT_EQ(plan.find(chain.quant)->state, PlanState::kRuns);
  EXPECT_EQ(plan.find(chain.quality)->state, PlanState::kMayRun);
  EXPECT_EQ(plan.find(chain.card)->state, PlanState::kMayRun);
  EXPECT_EQ(plan.find(chain.other)->state, PlanState::kCurrent);
  const RunReport report = build.run();
  EXPECT_THAT(build.take_ran(), ElementsAre("quant"));
  EXPECT_EQ(report.counters.reused, 3u);
}

TEST(Builder, DeletedRecordRunsItsActionAndNothingBelow) {
  FakeBuild build;
  const Chain chain(build);
  const RunReport first = build.run();
  static_cast<void>(build.take_ran());
  fs::remove(build.store.record_path(*Digest::from_hex(first.nodes.at(chain.quant).key_hex)));
  EXPECT_EQ(build.why("quant").kind, Explanation::Kind::kRecordMissing);
  static_cast<void>(build.run());
  EXPECT_THAT(build.take_ran(), ElementsAre("quant"));
}

TEST(Builder, DeletedBlobRunsWhatMadeItAndNamesTheFile) {
  FakeBuild build;
  const Chain chain(build);
  const RunReport first = build.run();
  static_cast<void>(build.take_ran());
  const fs::path blob = first.nodes.at(chain.quality).paths[0];
  fs::remove(blob);
  EXPECT_EQ(summarize(build.why("quality")),
            "a file is gone from the store: out (" + blob.string() + ")");
  static_cast<void>(build.run());
  EXPECT_THAT(build.take_ran(), ElementsAre("quality"));
  EXPECT_TRUE(fs::exists(blob));
}

TEST(Builder, RenamedTargetRunsNothing) {
  FakeBuild build;
  static_cast<void>(build.action("old:name", "same work"));
  static_cast<void>(build.run());
  static_cast<void>(build.take_ran());
  build.new_graph();
  static_cast<void>(build.action("new:name", "same work"));
  EXPECT_EQ(build.run().counters.reused, 1u);
  EXPECT_THAT(build.take_ran(), IsEmpty());
}

TEST(Builder, FacetProjectionIgnoresTheRestOfTheFile) {
  FakeBuild build;
  const NodeId source = build.source("source", "v1");
  const NodeId model = build.action("model", "m", {source});
  build.behaviours["model"] = [](const ActionRequest& request, ActionContext&) {
    ActionResult result;
    result.files.push_back(produce(request, "out", content_of(request.inputs[0])));
    result.facets["tensors"] = std::string(64, 'a');
    return result;
  };
  const NodeId measure = build.action("measure", "x", {model});
  build.node(measure).inputs[0].projection = {Projection::Kind::kFacets, {"tensors"}};
  static_cast<void>(build.run());
  static_cast<void>(build.take_ran());
  build.node(source).artifact.files[0].sha256 = sha256("v2");
  write_text(build.node(source).paths[0], "v2");
  static_cast<void>(build.run());
  EXPECT_THAT(build.take_ran(), ElementsAre("model"));
}

TEST(Builder, TwoNodesOfOneKeyAreMadeOnce) {
  FakeBuild build;
  const NodeId one = build.action("one", "same");
  const NodeId two = build.action("two", "same");
  const RunReport report = build.run();
  EXPECT_EQ(report.counters.executed, 1u);
  EXPECT_EQ(report.counters.reused, 1u);
  EXPECT_EQ(report.nodes.at(one).artifact, report.nodes.at(two).artifact);
}

TEST(Builder, OutputsAppearUnderTheUsersNamesAndComeBackWhenDeleted) {
  FakeBuild build;
  const NodeId a = build.action("a", "bytes");
  const fs::path out = build.folder.path() / "out" / "model.bin";
  build.node(a).exports = {{.name = "out", .path = out}};
  static_cast<void>(build.run());
  EXPECT_EQ(read_text(out), "bytes");
  fs::remove(out);
  static_cast<void>(build.take_ran());
  const RunReport again = build.run();
  EXPECT_EQ(read_text(out), "bytes");
  EXPECT_THAT(build.take_ran(), IsEmpty());
  EXPECT_EQ(again.counters.reused, 1u);
}

TEST(Builder, ProjectRecordIsMadeAgainWhenTheWorldMovedOn) {
  FakeBuild build;
  static_cast<void>(build.action("publish", "v1", {}, "effect"));
  static_cast<void>(build.run());
  static_cast<void>(build.take_ran());
  EXPECT_EQ(build.run().counters.reused, 1u);
  write_text(build.folder.path() / "remote.txt", "somebody else's");
  EXPECT_EQ(summarize(build.why("publish")), "no longer true: the remote says \"somebody else's\"");
  static_cast<void>(build.run());
  EXPECT_THAT(build.take_ran(), ElementsAre("publish"));
}

TEST(Builder, ProjectRecordOfAnotherKeyIsNotReused) {
  FakeBuild build;
  const NodeId publish = build.action("publish", "v1", {}, "effect");
  static_cast<void>(build.run());
  build.node(publish).params["text"] = "v2";
  static_cast<void>(build.run());
  // Back again: unlike a pure step, an effect has to be brought about anew.
  build.node(publish).params["text"] = "v1";
  static_cast<void>(build.take_ran());
  EXPECT_EQ(summarize(build.why("publish")), "key changed: param.text: \"v2\" -> \"v1\"");
  static_cast<void>(build.run());
  EXPECT_THAT(build.take_ran(), ElementsAre("publish"));
}

TEST(Builder, PlanWritesNothing) {
  FakeBuild build;
  const Chain chain(build);
  EXPECT_EQ(build.plan().count(PlanState::kRuns), 2u);
  EXPECT_FALSE(fs::exists(build.project.root));
  EXPECT_EQ(build.why("quant").kind, Explanation::Kind::kNeverBuilt);
  EXPECT_EQ(summarize(build.why("quality")), "depends on quant, which will run");
}

}  // namespace
}  // namespace qbuild::engine::testing
