#include "rules/quantize_job.h"

#include <cstdlib>

#include "tests/rules/gguf_files.h"

namespace qbuild::rules {
namespace {

using engine::ActionRequest;
using engine::ActionResult;
using ::testing::HasSubstr;

constexpr std::uint64_t kTensors = 57;  // of the trained checkpoint

// What is computed, and what is not.
class QuantizeJobTest : public GgufFiles {
 protected:
  ActionResult made(const ActionRequest& asked) { return rule_->run(asked, context_); }

  // Stops after so many tensors.
  void stop_after(const ActionRequest& asked, int tensors) {
    TestContext context;
    int seen = 0;
    context.on_progress([&] {
      if (++seen == tensors) context.request_stop();
    });
    const Error error = error_of([&] { (void)rule_->run(asked, context); });
    EXPECT_EQ(error.kind(), ErrorKind::kCancelled);
  }
  // The record of what was made, as the store would have it, for another action to copy from.
  engine::Donor donor_of(const ActionRequest& asked, const ActionResult& result) {
    cache::Record record;
    record.key = sha256(asked.id + std::to_string(scratches_));
    record.rule = "quantize";
    record.artifact.files = {
        {"model.gguf", result.files.at(0).sha256, result.files.at(0).size_bytes}};
    record.piece_scope = "ab";
    record.pieces = result.pieces;
    const fs::path path = asked.scratch / "record";
    write_text(path, cache::serialize(record));
    return {.record = path, .files = {{"model.gguf", result.files.at(0).path}}};
  }
  std::vector<engine::ActionOutcome> together(const std::vector<ActionRequest>& asked) {
    std::vector<engine::TogetherAction> actions;
    for (const ActionRequest& one : asked) actions.push_back({one, context_});
    std::vector<engine::ActionOutcome> outcomes(asked.size());
    rule_->run_together(actions, [&](std::size_t place, engine::ActionOutcome outcome) {
      outcomes.at(place) = std::move(outcome);
    });
    return outcomes;
  }
};

TEST_F(QuantizeJobTest, EveryTensorIsAPieceOfItsFile) {
  const ActionResult result = made(request(kBard, "Q4_K_M"));
  EXPECT_EQ(result.pieces_computed, kTensors);
  EXPECT_EQ(result.pieces_copied, 0u);
  const auto& pieces = result.pieces.at("model.gguf");
  const formats::GgufReader file = reader(result.files.at(0).path);
  ASSERT_EQ(pieces.size(), kTensors);
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    EXPECT_EQ(pieces[i].offset, file.tensors()[i].offset) << i;
    EXPECT_EQ(pieces[i].size_bytes, file.tensors()[i].size_bytes) << i;
    std::vector<std::byte> bytes(file.tensors()[i].size_bytes);
    file.read(file.tensors()[i], 0, bytes);
    EXPECT_EQ(pieces[i].checksum, xxh3_hex(bytes)) << i;
  }
}

TEST_F(QuantizeJobTest, OneThatWasStoppedGoesOnWhereItWas) {
  const std::string whole = read_text(made(request(kBard, "Q4_K_M")).files.at(0).path);
  const ActionRequest asked = request(kBard, "Q4_K_M");
  stop_after(asked, 20);
  stop_after(asked, 30);
  const ActionResult result = made(asked);
  EXPECT_EQ(read_text(result.files.at(0).path), whole);
  EXPECT_GE(result.pieces_copied, 30u);
  EXPECT_EQ(result.pieces_copied + result.pieces_computed, kTensors);
}

TEST_F(QuantizeJobTest, OneWithFactorsBesideItsWeightsGoesOnAndIsCopiedFromLikeOthers) {
  const ActionRequest first = request(kBard, "NVFP4");
  const ActionResult whole = made(first);
  EXPECT_EQ(whole.pieces_computed, kTensors);  // a weight and its factor are one
  EXPECT_EQ(whole.pieces.at("model.gguf").size(), kTensors + 42);
  const ActionRequest asked = request(kBard, "NVFP4");
  stop_after(asked, 20);
  const ActionResult resumed = made(asked);
  EXPECT_EQ(read_text(resumed.files.at(0).path), read_text(whole.files.at(0).path));
  EXPECT_EQ(resumed.pieces, whole.pieces);
  EXPECT_GE(resumed.pieces_copied, 20u);
  ActionRequest copied = request(kBard, "NVFP4");
  copied.donors = {donor_of(first, whole)};
  const ActionResult copy = made(copied);
  EXPECT_EQ(copy.pieces_computed, 0u);
  EXPECT_EQ(copy.files.at(0).sha256, whole.files.at(0).sha256);
}

// Of Q8_0's tensors none is divided, of NVFP4's nearly all are.
TEST_F(QuantizeJobTest, FactorsOfOneFileAreNotThoseOfAnotherThatIsMadeWithIt) {
  const std::vector<ActionRequest> asked{request(kBard, "NVFP4"), request(kBard, "Q8_0"),
                                         request(kBard, "NVFP4")};
  const auto outcomes = together(asked);
  for (std::size_t i = 0; i < asked.size(); ++i) {
    ASSERT_TRUE(outcomes[i].result) << i;
    EXPECT_EQ(outcomes[i].result->files.at(0).sha256,
              made(request(kBard, asked[i].params.at("recipe").as_string())).files.at(0).sha256)
        << i;
  }
  EXPECT_EQ(outcomes[2].result->pieces_computed, 0u);
}

TEST_F(QuantizeJobTest, WhatWasLeftIsNotBelievedUnlessItHasItsChecksum) {
  const std::string whole = read_text(made(request(kBard, "Q8_0")).files.at(0).path);
  const ActionRequest asked = request(kBard, "Q8_0");
  stop_after(asked, 40);
  for (const auto& entry : fs::directory_iterator(asked.scratch)) {
    if (entry.path().native().ends_with(".pieces")) continue;
    std::string bytes = read_text(entry.path());
    for (std::size_t at = bytes.size() / 2; at < bytes.size(); at += 100'000)
      bytes[at] = static_cast<char>(bytes[at] ^ 1);
    write_text(entry.path(), bytes);
  }
  const ActionResult result = made(asked);
  EXPECT_EQ(read_text(result.files.at(0).path), whole);
  EXPECT_GT(result.pieces_copied, 0u);
  EXPECT_LT(result.pieces_copied, 39u);
}

TEST_F(QuantizeJobTest, AnotherRecipeCopiesWhatItShares) {
  const ActionRequest medium = request(kBard, "Q4_K_M");
  const engine::Donor donor = donor_of(medium, made(medium));
  ActionRequest small = request(kBard, "Q4_K_S");
  const ActionResult alone = made(small);
  small = request(kBard, "Q4_K_S");
  small.donors = {donor};
  const ActionResult result = made(small);
  EXPECT_EQ(result.files.at(0).sha256, alone.files.at(0).sha256);
  EXPECT_EQ(result.pieces, alone.pieces);
  EXPECT_GT(result.pieces_copied, kTensors / 2);
  EXPECT_EQ(result.pieces_copied + result.pieces_computed, kTensors);
}

TEST_F(QuantizeJobTest, OtherEffortCopiesWhatHasNothingToSearchOnly) {
  const ActionRequest fast = request(kBard, "Q4_K_M");
  const engine::Donor donor = donor_of(fast, made(fast));
  ActionRequest best = request(kBard, "Q4_K_M");
  best.params["effort"] = "best";
  best.donors = {donor};
  EXPECT_EQ(made(best).pieces_copied, 0u);
}

TEST_F(QuantizeJobTest, ANewTemplateComputesNothing) {
  const ActionRequest before = request(kBard, "Q4_K_M");
  const engine::Donor donor = donor_of(before, made(before));
  ActionRequest after = request(kBard, "Q4_K_M");
  write_text(folder_.path() / "chat.jinja", "{{ mine }}");
  after.inputs.push_back(file_input("template", folder_.path() / "chat.jinja"));
  after.donors = {donor};
  const ActionResult result = made(after);
  EXPECT_EQ(result.pieces_computed, 0u);
  EXPECT_EQ(result.pieces_copied, kTensors);
  EXPECT_EQ(
      formats::require_text(reader(result.files.at(0).path).metadata(), "tokenizer.chat_template"),
      "{{ mine }}");
}

TEST_F(QuantizeJobTest, AFineTuneCopiesWhatItDidNotChange) {
  const fs::path exact = kept(make(kBard, "BF16"), "bard.gguf");
  const ActionRequest before = request(exact, "Q4_0");
  const engine::Donor donor = donor_of(before, made(before));
  const fs::path tuned = folder_.path() / "tuned.gguf";
  std::string bytes = read_text(exact);
  const std::uint64_t at = reader(exact).find("blk.3.attn_q.weight")->offset;
  bytes[at] = static_cast<char>(bytes[at] ^ 1);
  write_text(tuned, bytes);
  ActionRequest after = request(tuned, "Q4_0");
  after.donors = {donor};
  const ActionResult result = made(after);
  EXPECT_EQ(result.pieces_computed, 1u);
  EXPECT_EQ(read_text(result.files.at(0).path), read_text(make(tuned, "Q4_0")));
}

TEST_F(QuantizeJobTest, TogetherEachTypeOfATensorIsComputedOnce) {
  const std::vector<const char*> recipes{"Q4_K_M", "Q4_K_S", "Q6_K", "Q8_0", "Q4_K_M"};
  std::vector<ActionRequest> asked;
  for (const char* const recipe : recipes) asked.push_back(request(kBard, recipe));
  const auto outcomes = together(asked);
  std::map<std::string, std::set<DType>> pairs;
  std::uint64_t computed = 0;
  for (std::size_t i = 0; i < recipes.size(); ++i) {
    ASSERT_TRUE(outcomes[i].result) << recipes[i];
    const fs::path path = outcomes[i].result->files.at(0).path;
    EXPECT_EQ(read_text(path), read_text(make(kBard, recipes[i]))) << recipes[i];
    computed += outcomes[i].result->pieces_computed;
    const formats::GgufReader file = reader(path);
    for (const auto& tensor : file.tensors()) pairs[tensor.name].insert(tensor.dtype);
  }
  std::uint64_t distinct = 0;
  for (const auto& [name, types] : pairs) distinct += types.size();
  EXPECT_EQ(computed, distinct);
  EXPECT_EQ(outcomes[4].result->pieces_computed, 0u);
}

TEST_F(QuantizeJobTest, OneThatFailsHindersNoOther) {
  std::vector<ActionRequest> asked{request(kBard, "Q8_0"), request(kBard, "Q4_0"),
                                   request(kBard, "Q4_K_M")};
  asked[1].params["recipe"] = "Q9_9";
  const auto outcomes = together(asked);
  ASSERT_TRUE(outcomes[1].error);
  EXPECT_THAT(outcomes[1].error->message(), HasSubstr("Q9_9"));
  for (const std::size_t i : {0u, 2u}) {
    ASSERT_TRUE(outcomes[i].result) << i;
    EXPECT_EQ(outcomes[i].result->pieces_computed + outcomes[i].result->pieces_copied, kTensors);
  }
}

TEST_F(QuantizeJobTest, WhyTheyAreMadeOneByOneIsLogged) {
  std::vector<ActionRequest> asked{request(kBard, "Q8_0"), request(kBard, "Q4_0")};
  asked[1].params["recipe"] = "Q9_9";
  (void)together(asked);
  EXPECT_THAT(context_.lines(),
              testing::Contains("made by itself, since together: unknown recipe Q9_9"));
}

TEST_F(QuantizeJobTest, ThoseThatAreStoppedDoNotBeginAgain) {
  const std::vector<ActionRequest> asked{request(kBard, "Q8_0"), request(kBard, "Q4_0")};
  context_.on_progress([&] { context_.request_stop(); });
  const Error error = error_of([&] { (void)together(asked); });
  EXPECT_EQ(error.kind(), ErrorKind::kCancelled);
  EXPECT_THAT(context_.lines(), testing::SizeIs(2)) << "one tensor of each";
}

}  // namespace
}  // namespace qbuild::rules
