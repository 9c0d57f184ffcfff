// Importance matrices, through the real program.

#include <gmock/gmock.h>

#include "tests/e2e/project.h"
#include "tests/formats/imatrix_files.h"

namespace qbuild::e2e {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr int kLayers = 6;         // of the trained checkpoint
constexpr int kColumns = 256;      // of what goes into a layer
constexpr int kWideColumns = 512;  // of what comes out of a layer's first half

class ImportanceMatrices : public testing::Test {
 protected:
  ImportanceMatrices() { project_.add_model("bard"); }

  // A matrix in which the columns of `odd` matter otherwise.
  void write_matrix(std::string_view odd = "", int columns = kColumns) const {
    std::vector<formats::ImatrixSpec> entries;
    for (int layer = 0; layer < kLayers; ++layer) {
      for (const char* const part :
           {"attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down"}) {
        const std::string name = "blk." + std::to_string(layer) + "." + part + ".weight";
        const bool is_wide = std::string_view(part) == "ffn_down";
        std::vector<float> sums(static_cast<std::size_t>(is_wide ? kWideColumns : columns));
        for (std::size_t i = 0; i < sums.size(); ++i)
          sums[i] = static_cast<float>(1 + i * i % 97 + (name == odd ? i % 5 * 100 : 0));
        entries.push_back({name, {64}, std::move(sums)});
      }
    }
    project_.write("bard.imatrix", formats::imatrix_gguf(entries));
  }
  [[nodiscard]] RunResult build(std::string_view quants,
                                std::vector<std::string> arguments = {"build"}) const {
    project_.write("qbuild.yaml",
                   "version: 1\ndefaults: {imatrix: \"{model}.imatrix\"}\nmodels:\n  bard:\n"
                   "    source: bard\n    quants: " +
                       std::string(quants) + "\n");
    return arguments.front() == "build" ? project_.run_json(arguments) : project_.run(arguments);
  }

  Project project_;
};

TEST_F(ImportanceMatrices, WhatAChangeChangesIsMadeAnewAndNothingElse) {
  write_matrix();
  const std::string quants = "[Q8_0, {type: IQ2_XS, imatrix: true}, {type: Q4_K_M, imatrix: true}]";
  RunResult run = build(quants);
  EXPECT_EQ(run.exit_code, 0) << run.err;
  EXPECT_THAT(run.executed(), ElementsAre("bard:IQ2_XS", "bard:Q4_K_M", "bard:Q8_0"));
  EXPECT_THAT(project_.run_json({"build"}).executed(), ElementsAre());
  const std::string before = project_.read("out/bard/bard-Q4_K_M.gguf");

  write_matrix("blk.3.ffn_up.weight");
  run = project_.run_json({"build"});
  EXPECT_THAT(run.executed(), ElementsAre("bard:IQ2_XS", "bard:Q4_K_M"));
  EXPECT_EQ(run.counter("pieces_computed"), 2);
  EXPECT_NE(project_.read("out/bard/bard-Q4_K_M.gguf"), before);

  write_matrix();
  EXPECT_THAT(project_.run_json({"build"}).executed(), ElementsAre());
  EXPECT_EQ(project_.read("out/bard/bard-Q4_K_M.gguf"), before);
}

TEST_F(ImportanceMatrices, TheFileSaysByWhichItWasMade) {
  write_matrix();
  EXPECT_EQ(build("[{type: Q4_0, imatrix: true}]").exit_code, 0);
  const RunResult run = project_.run({"inspect", "--json", "out/bard/bard-Q4_0.gguf"});
  EXPECT_THAT(run.out, HasSubstr("quantize.imatrix.file"));
  EXPECT_THAT(run.out, HasSubstr("bard.imatrix"));
}

TEST_F(ImportanceMatrices, ARecipeThatNeedsOneIsRefusedByCheck) {
  write_matrix();
  const RunResult run = build("[Q8_0, IQ2_XXS]", {"check"});
  EXPECT_EQ(run.exit_code, 2);
  EXPECT_THAT(run.err, HasSubstr("qbuild.yaml:6:20: IQ2_XXS needs an importance matrix: "));
  EXPECT_THAT(run.err, HasSubstr("give the model one (imatrix: FILE), and this quant the key "
                                 "imatrix: true"));
}

TEST_F(ImportanceMatrices, ThatOfAnotherNetworkIsRefusedByCheck) {
  write_matrix("", 128);
  const RunResult run = build("[{type: Q4_K_M, imatrix: true}]", {"check"});
  EXPECT_EQ(run.exit_code, 2);
  EXPECT_THAT(run.err,
              HasSubstr("qbuild.yaml:6:14: bard.imatrix: blk.0.attn_k.weight has 128 values; the "
                        "source's tensor needs 256: the importance matrix is that of another "
                        "network"));
}

TEST_F(ImportanceMatrices, OneWithANumberThatIsNoneFailsWithItsPlace) {
  write_matrix();
  std::string bytes = project_.read("bard.imatrix");
  bytes.replace(bytes.size() - 4, 4, formats::floats({-3}));
  project_.write("bard.imatrix", bytes);
  EXPECT_EQ(build("[{type: Q4_K_M, imatrix: true}]").exit_code, 1);
  const RunResult run = project_.run({"build"});
  EXPECT_EQ(run.exit_code, 1);
  EXPECT_THAT(run.out,
              HasSubstr("bard.imatrix: blk.5.ffn_down.weight: -3 at 511 is no importance"));
  EXPECT_FALSE(fs::exists(project_.path("out/bard/bard-Q4_K_M.gguf")));
}

}  // namespace
}  // namespace qbuild::e2e
