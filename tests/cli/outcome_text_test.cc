#include "cli/outcome_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace qbuild::cli {
namespace {

using engine::Node;
using engine::NodeId;
using engine::NodeKind;
using engine::NodeReport;
using engine::RunReport;
using engine::Status;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;

// One model with one variant and a repository, and a report in which all went well.
class OutcomeText : public ::testing::Test {
 protected:
  OutcomeText() {
    rules::ModelTargets model;
    model.name = "bard";
    model.source = add(NodeKind::kSource, "bard:source");
    model.source_quality = quality_ = add(NodeKind::kAction, "bard:source:quality");
    rules::VariantTargets variant;
    variant.name = "Q8_0";
    variant.made = made_ = add(NodeKind::kAction, "bard:Q8_0");
    variant.quality = variant_quality_ = add(NodeKind::kAction, "bard:Q8_0:quality");
    variant.speed = speed_ = add(NodeKind::kAction, "bard:Q8_0:speed");
    variant.gate = gate_ = add(NodeKind::kCheck, "bard:Q8_0:gate");
    model.variants.push_back(variant);
    card_ = add(NodeKind::kAction, "bard:card", {{"README.md", "/p/out/bard/README.md"}});
    publish_ = add(NodeKind::kAction, "bard:publish");
    model.repositories.push_back({.repo = "acme/bard-GGUF",
                                  .hub = "./hub",
                                  .hub_path = "/p/hub",
                                  .card = card_,
                                  .publish = publish_});
    lowered_.graph.finish();
    lowered_.models.push_back(std::move(model));

    for (const NodeId id : {quality_, made_, variant_quality_, speed_, gate_, card_}) {
      report_.nodes[id].status = Status::kReady;
    }
    report_.nodes[quality_].inline_files["result.json"] = R"({"texts":[{"perplexity":6.0}]})";
    report_.nodes[variant_quality_].inline_files["result.json"] =
        R"({"texts":[{"perplexity":6.3}]})";
    report_.nodes[speed_].inline_files["result.json"] =
        R"({"prompt":{"tokens_per_second":1234.4},"generate":{"tokens_per_second":56.7},)"
        R"("memory":{"maximum":12000000}})";
    NodeReport& made = report_.nodes[made_];
    made.artifact.files = {
        {.name = "model.gguf", .sha256 = sha256("model"), .size_bytes = 4'360'000}};
    made.artifact.facts = Json::object({{"bits_per_weight", 8.5}});
  }

  [[nodiscard]] std::string text() const { return outcome_text(lowered_, report_, "/p/out"); }

  rules::Lowered lowered_;
  RunReport report_;
  NodeId quality_, made_, variant_quality_, speed_, gate_, card_, publish_;

 private:
  NodeId add(NodeKind kind, std::string target, std::vector<engine::Export> exports = {}) {
    Node node;
    node.kind = kind;
    node.target = std::move(target);
    node.exports = std::move(exports);
    return lowered_.graph.add(std::move(node));
  }
};

TEST_F(OutcomeText, ShowsEachVariantWithItsMeasuredNumbers) {
  EXPECT_EQ(text(),
            "\nbard\n"
            "variant     size  bits/weight  perplexity   ratio  prompt t/s  generate t/s   memory  "
            "state\n"
            "Q8_0     4.36 MB         8.50       6.300  1.0500        1234            57  12.0 MB  "
            "ready\n"
            "perplexity of the source: 6.000\n"
            "card       /p/out/bard/README.md\n"
            "\nfiles are in /p/out\n");
}

TEST_F(OutcomeText, LeavesCellsOfWhatWasNotMeasuredEmpty) {
  lowered_.models[0].source_quality.reset();
  lowered_.models[0].variants[0].quality.reset();
  lowered_.models[0].variants[0].speed.reset();
  EXPECT_THAT(text(), HasSubstr("Q8_0     4.36 MB         8.50"));
  EXPECT_THAT(text(), Not(HasSubstr("6.300")));
  EXPECT_THAT(text(), Not(HasSubstr("perplexity of the source")));
}

TEST_F(OutcomeText, LeavesOutWhatWasNotAskedFor) {
  report_.nodes.clear();
  EXPECT_EQ(text(), "\nfiles are in /p/out\n");
}

TEST_F(OutcomeText, NamesTheCommitThatWasPublished) {
  report_.nodes[publish_].inline_files["result.json"] =
      R"({"commit":"0123456789abcdef0123456789abcdef01234567"})";
  EXPECT_THAT(
      text(),
      HasSubstr(
          "published  acme/bard-GGUF in /p/hub/files/acme/bard-GGUF (commit 0123456789ab)\n"));
}

TEST_F(OutcomeText, SaysWhatAGateHoldsAndWhy) {
  report_.nodes[gate_].status = Status::kHeld;
  report_.nodes[gate_].reason = "gate perplexity_ratio: 1.05 is above 1.03";
  EXPECT_THAT(text(), HasSubstr("12.0 MB  held\n"));
  EXPECT_THAT(text(),
              EndsWith("\n\nheld: bard:Q8_0:gate: gate perplexity_ratio: 1.05 is above 1.03\n"
                       "\nfiles are in /p/out\n"));
}

TEST_F(OutcomeText, SaysWhatFailedWithTheEndOfItsLogAndCountsWhatWasSkipped) {
  NodeReport& failed = report_.nodes[made_];
  failed.status = Status::kFailed;
  failed.artifact = {};
  failed.failure = engine::Failure{.kind = ErrorKind::kInvalidInput,
                                   .message = "sh exited with 1",
                                   .log_tail = {"reading", "the tool is unhappy"}};
  const NodeReport skipped;  // by default
  report_.nodes[variant_quality_] = skipped;
  report_.nodes[speed_] = skipped;
  report_.nodes[gate_] = skipped;
  EXPECT_THAT(text(), HasSubstr("  failed\n"));
  EXPECT_THAT(text(), HasSubstr("failed: bard:Q8_0: sh exited with 1\n"
                                "    | reading\n"
                                "    | the tool is unhappy\n"
                                "2 more targets were skipped, since they need what failed\n"));
}

TEST_F(OutcomeText, SaysOfOneSkippedTargetThatItIsOne) {
  report_.nodes[card_].status = Status::kSkipped;
  EXPECT_THAT(text(), HasSubstr("1 more target was skipped, since it needs what failed\n"));
}

TEST_F(OutcomeText, BlamesNoFailureForWhatAnInterruptedRunDidNotReach) {
  report_.interrupted = true;
  report_.nodes[card_].status = Status::kSkipped;
  report_.nodes[speed_].status = Status::kSkipped;
  EXPECT_THAT(text(), HasSubstr("2 more targets did not run, since the run was interrupted\n"));
  EXPECT_THAT(text(), Not(HasSubstr("failed")));
}

TEST_F(OutcomeText, SaysWhichOfAVariantsTargetsIsNotReady) {
  report_.nodes[speed_].status = Status::kFailed;
  report_.nodes[speed_].inline_files.clear();
  EXPECT_THAT(text(), HasSubstr("failed\nperplexity of the source"));
  EXPECT_THAT(text(), HasSubstr("failed: bard:Q8_0:speed: unknown cause\n"));
}

}  // namespace
}  // namespace qbuild::cli
