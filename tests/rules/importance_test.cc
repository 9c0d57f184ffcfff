#include "rules/importance.h"

#include "kernels/codec.h"
#include "manifests/quant_names.h"
#include "tests/formats/imatrix_files.h"
#include "tests/rules/gguf_files.h"
#include "tests/rules/lowered_project.h"

namespace qbuild::rules {
namespace {

using engine::ActionRequest;
using engine::ActionResult;
using formats::ImatrixSpec;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

WeightTensor tensor(const std::string& name, std::vector<std::uint64_t> shape) {
  return {.name = name, .stored_name = name, .shape = std::move(shape)};
}

const WeightTensor kUp = tensor("blk.0.ffn_up.weight", {4, 8});
const WeightTensor kDown = tensor("blk.0.ffn_down.weight", {4, 8});
const WeightTensor kExperts = tensor("blk.1.ffn_up_exps.weight", {2, 8, 3});
const WeightTensor kEmbedding = tensor("token_embd.weight", {4, 8});

class ImportanceTest : public testing::Test {
 protected:
  formats::Imatrix imatrix(const std::vector<ImatrixSpec>& entries) {
    files_.put("/x.gguf", formats::imatrix_gguf(entries));
    return formats::Imatrix::open(files_, "/x.gguf");
  }
  std::vector<std::string> notes(const std::vector<ImatrixSpec>& entries,
                                 const std::vector<WeightTensor>& tensors,
                                 DType type = DType::kQ4_K, bool is_needed = false) {
    const std::vector<TypeChoice> choices(tensors.size(),
                                          {.type = type, .needs_importance = is_needed});
    return check_importance(imatrix(entries), "x.gguf", tensors, choices);
  }
  FakeFileSystem files_;
};

TEST_F(ImportanceTest, OfATensorIsThatOfItsName) {
  const auto matrix = imatrix({{kUp.name, {2}, {2, 4, 6, 8}}, {kDown.name, {1}, {1, 2, 3, 4}}});
  const ColumnImportance up = importance_of(matrix, kUp, DType::kQ4_K);
  EXPECT_THAT(*up.columns, ElementsAre(1, 2, 3, 4));
  // What is equal is shared, whatever it is called.
  EXPECT_EQ(importance_of(matrix, kDown, DType::kQ4_K), up);
  EXPECT_EQ(up.digest.size(), 32u);
}

TEST_F(ImportanceTest, IsNoneWhereNothingIsKnownOrNothingLooksAtIt) {
  const auto matrix = imatrix({{kUp.name, {2}, {2, 4, 6, 8}}, {kDown.name, {0}, {1, 2, 3, 4}}});
  for (const DType type : {DType::kF16, DType::kQ8_0, DType::kBF16, DType::kF32})
    EXPECT_EQ(importance_of(matrix, kUp, type), ColumnImportance{});
  EXPECT_EQ(importance_of(matrix, kDown, DType::kQ4_K), ColumnImportance{});
  EXPECT_EQ(importance_of(matrix, kEmbedding, DType::kQ4_K), ColumnImportance{});
  WeightTensor opaque = kUp;
  opaque.is_opaque = true;
  EXPECT_EQ(importance_of(matrix, opaque, DType::kQ4_K), ColumnImportance{});
}

TEST_F(ImportanceTest, NothingIsSaidWhereAllIsKnown) {
  EXPECT_THAT(notes({{kUp.name, {2}, {2, 4, 6, 8}}}, {kUp, kEmbedding}), IsEmpty());
}

TEST_F(ImportanceTest, ThatNothingLooksAtItIsNoted) {
  EXPECT_THAT(notes({{"other", {2}, {2, 4, 6, 8}}}, {kUp}, DType::kQ8_0),
              ElementsAre("none of its types looks at the importance matrix"));
}

TEST_F(ImportanceTest, WhatIsMissingIsNoted) {
  EXPECT_THAT(notes({{kUp.name, {2}, {2, 4, 6, 8}}}, {kUp, kDown}),
              ElementsAre("x.gguf says nothing of 1 of 2 tensors, such as blk.0.ffn_down.weight: "
                          "their columns matter alike"));
  EXPECT_THAT(notes({{kExperts.name, {2, 0, 1}, {2, 4, 6, 8, 1, 1}}}, {kExperts}),
              ElementsAre("x.gguf says nothing of some experts of 1 tensors, such as "
                          "blk.1.ffn_up_exps.weight (1 of 3): they get the mean of the others"));
}

TEST_F(ImportanceTest, AMatrixOfAnotherNetworkIsRefused) {
  EXPECT_EQ(error_of([&] {
              (void)notes({{"blk.0.attn_q.weight", {2}, {2}}}, {kUp});
            }).message(),
            "x.gguf names none of the tensors that are quantized, such as blk.0.ffn_up.weight: it "
            "is of another network");
  EXPECT_EQ(error_of([&] {
              (void)notes({{kUp.name, {2}, {2, 2, 2}}}, {kUp});
            }).message(),
            "x.gguf: blk.0.ffn_up.weight has 3 values; the source's tensor needs 4: the importance "
            "matrix is that of another network");
  EXPECT_EQ(
      error_of([&] {
        (void)notes({{kExperts.name, {1}, {2, 2}}}, {kExperts});
      }).message(),
      "x.gguf: blk.1.ffn_up_exps.weight has 2 values; the source's tensor needs 6: the importance "
      "matrix is that of another network");
  // Of the embeddings there are older ones that mean something else.
  EXPECT_THAT(
      notes({{kUp.name, {2}, {2, 4, 6, 8}}, {kEmbedding.name, {1}, {1}}}, {kUp, kEmbedding}),
      IsEmpty());
}

TEST_F(ImportanceTest, WhatNeedsItAndHasNoneIsRefused) {
  EXPECT_EQ(error_of([&] {
              (void)notes({{kUp.name, {2}, {2, 4, 6, 8}}}, {kUp, kDown}, DType::kIQ2_XS, true);
            }).message(),
            "x.gguf says nothing of blk.0.ffn_down.weight, which becomes IQ2_XS and is of no use "
            "without");
}

TEST_F(ImportanceTest, TheFileSaysWhatItIsMadeBy) {
  const auto matrix = imatrix({{kUp.name, {2}, {2, 4, 6, 8}}});
  formats::GgufMetadata metadata;
  describe_importance(matrix, "bard.imatrix", metadata);
  const formats::GgufMetadata expected{
      {"quantize.imatrix.file", formats::GgufValue::text("bard.imatrix")},
      {"quantize.imatrix.dataset", formats::GgufValue::text("train.txt")},
      {"quantize.imatrix.entries_count", formats::GgufValue::u32(1)},
      {"quantize.imatrix.chunks_count", formats::GgufValue::u32(12)}};
  EXPECT_EQ(metadata, expected);
  // As long as llama.cpp's, and no character is cut in two.
  describe_importance(matrix, std::string(200, 'x'), metadata);
  EXPECT_EQ(*find_text(metadata, "quantize.imatrix.file"), std::string(127, 'x'));
  describe_importance(matrix, std::string(126, 'x') + "\u00e9", metadata);
  EXPECT_EQ(*find_text(metadata, "quantize.imatrix.file"), std::string(126, 'x'));
}

// ---- files ----

class QuantizeByImportance : public GgufFiles {
 protected:
  // By a matrix in which `odd`'s columns matter otherwise.
  ActionRequest by_importance(std::string_view recipe, std::string_view odd = "") {
    ActionRequest asked = request(kBard, recipe);
    const fs::path folder = folder_.path() / ("by" + std::string(odd));
    fs::create_directories(folder);
    add_imatrix(asked, folder / "bard.imatrix", odd);
    return asked;
  }
  ActionResult made(const ActionRequest& asked) { return rule_->run(asked, context_); }
};

TEST_F(QuantizeByImportance, OnlyTensorsWithAnEntryAreOthers) {
  const ActionResult with = made(by_importance("Q4_K_M"));
  const ActionResult without = made(request(kBard, "Q4_K_M"));
  const formats::GgufReader file = reader(with.files.at(0).path);
  for (std::size_t i = 0; i < file.tensors().size(); ++i) {
    const formats::GgufTensor& one = file.tensors()[i];
    const bool has_entry = one.shape.size() > 1 && one.name.starts_with("blk.");
    EXPECT_EQ(with.pieces.at("model.gguf")[i].key != without.pieces.at("model.gguf")[i].key,
              has_entry)
        << one.name;
    EXPECT_EQ(
        with.pieces.at("model.gguf")[i].checksum != without.pieces.at("model.gguf")[i].checksum,
        has_entry)
        << one.name;
  }
  EXPECT_EQ(*find_text(file.metadata(), "quantize.imatrix.file"), "bard.imatrix");
  EXPECT_EQ(formats::require_uint(file.metadata(), "quantize.imatrix.entries_count"), 42u);
  const formats::GgufReader plain = reader(without.files.at(0).path);
  EXPECT_EQ(find_value(plain.metadata(), "quantize.imatrix.file"), nullptr);
}

TEST_F(QuantizeByImportance, ATensorWhoseColumnsMatterAsBeforeIsTheSame) {
  const auto before = made(by_importance("Q4_K_M")).pieces.at("model.gguf");
  const auto after = made(by_importance("Q4_K_M", "blk.2.ffn_up.weight")).pieces.at("model.gguf");
  const formats::GgufReader file = reader(make(kBard, "Q4_K_M"));
  for (std::size_t i = 0; i < before.size(); ++i)
    EXPECT_EQ(before[i].key == after[i].key, file.tensors()[i].name != "blk.2.ffn_up.weight") << i;
}

TEST_F(QuantizeByImportance, WithAndWithoutAreMadeTogetherAsAlone) {
  const std::vector<ActionRequest> asked{by_importance("Q4_K_M"), request(kBard, "Q4_K_M"),
                                         by_importance("Q4_K_S"),
                                         by_importance("Q4_K_M", "blk.2.ffn_up.weight")};
  std::vector<engine::TogetherAction> actions;
  for (const ActionRequest& one : asked) actions.push_back({one, context_});
  std::vector<Digest> together(asked.size());
  std::vector<std::uint64_t> computed(asked.size());
  rule_->run_together(actions, [&](std::size_t place, engine::ActionOutcome outcome) {
    together.at(place) = outcome.result->files.at(0).sha256;
    computed.at(place) = outcome.result->pieces_computed;
  });
  EXPECT_EQ(together[0], made(by_importance("Q4_K_M")).files.at(0).sha256);
  EXPECT_EQ(together[1], made(request(kBard, "Q4_K_M")).files.at(0).sha256);
  EXPECT_EQ(together[2], made(by_importance("Q4_K_S")).files.at(0).sha256);
  EXPECT_NE(together[3], together[0]);
  EXPECT_EQ(computed[3], 1u);
}

TEST_F(QuantizeByImportance, AMatrixThatHoldsNoNumberIsRefusedWithItsPlace) {
  ActionRequest asked = by_importance("Q4_K_M");
  const fs::path path = asked.inputs.back().paths.at(0);
  std::string bytes = read_text(path);
  bytes.replace(bytes.size() - 4, 4, formats::floats({-1}));
  write_text(path, bytes);
  EXPECT_THAT(error_of([&] { (void)made(asked); }).message(), HasSubstr("is no importance"));
}

// ---- graphs ----

class LowerImportance : public LoweredProject {
 protected:
  LowerImportance() { write("x.imatrix", imatrix_for(import_folder(kBard).weights)); }
};

TEST_F(LowerImportance, TheMatrixIsAnInputOfWhoeverUsesIt) {
  const Lowered made =
      lowered("    imatrix: x.imatrix\n    quants: [Q4_K_M, {type: IQ2_XS, imatrix: true}]\n");
  EXPECT_THAT(labels(made, "b:Q4_K_M"), ElementsAre("source"));
  EXPECT_THAT(labels(made, "b:IQ2_XS"), ElementsAre("source", "imatrix"));
  EXPECT_EQ(made.graph.node(*made.graph.find("b:IQ2_XS")).params.at("imatrix").as_string(),
            "x.imatrix");
  for (const auto& variant : made.models.at(0).variants)
    EXPECT_THAT(variant.notes, IsEmpty()) << variant.name;
}

TEST_F(LowerImportance, ARecipeThatNeedsOneSaysHowToGiveIt) {
  EXPECT_EQ(problems("    imatrix: x.imatrix\n    quants: [IQ2_XS]\n"),
            "qbuild.yaml:6:14: IQ2_XS needs an importance matrix: blk.0.attn_k.weight becomes "
            "IQ2_XS, which is of no use without one; give the model one (imatrix: FILE), and "
            "this quant the key imatrix: true");
}

TEST_F(LowerImportance, AFileThatIsNoneIsToldWhereItIsAskedFor) {
  EXPECT_EQ(problems("    imatrix: text.txt\n    quants: [{type: Q4_K_M, imatrix: true}]\n"),
            "qbuild.yaml:6:14: text.txt: it is no importance matrix: its number of entries at byte "
            "0 is 1646292820");
}

TEST_F(LowerImportance, EveryRecipeThatIsOfferedCanBeMade) {
  std::string quants;
  for (const std::string_view recipe : manifests::recipe_names())
    quants += "      - {type: " + std::string(recipe) + ", imatrix: true}\n";
  const Lowered made = lowered("    imatrix: x.imatrix\n    quants:\n" + quants);
  EXPECT_EQ(made.models.at(0).variants.size(), manifests::recipe_names().size());
}

}  // namespace
}  // namespace qbuild::rules
