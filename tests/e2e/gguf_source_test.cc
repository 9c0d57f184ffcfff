// A GGUF file as a source, through the real program.

#include <gmock/gmock.h>

#include "tests/e2e/project.h"

namespace qbuild::e2e {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class GgufSource : public testing::Test {
 protected:
  GgufSource() {
    project_.add_model("bard");
    project_.write("qbuild.yaml",
                   "version: 1\nmodels: {exact: {source: bard, quants: [BF16, Q4_K_M]}}\n");
    EXPECT_EQ(project_.run({"build"}).exit_code, 0);
    fs::copy_file(project_.path("out/exact/bard-BF16.gguf"), project_.path("bard-BF16.gguf"));
  }
  RunResult build(std::string_view lines) {
    project_.write("qbuild.yaml",
                   "version: 1\nmodels:\n  b:\n    source: bard-BF16.gguf\n" + std::string(lines));
    return project_.run_json({"build"});
  }

  Project project_;
};

TEST_F(GgufSource, GivesTheBytesThatItsCheckpointGives) {
  EXPECT_EQ(build("    quants: [Q4_K_M]\n").exit_code, 0);
  EXPECT_EQ(project_.read("out/b/bard-Q4_K_M.gguf"), project_.read("out/exact/bard-Q4_K_M.gguf"));
}

TEST_F(GgufSource, IsMeasuredAndComparedWith) {
  const RunResult run = build(
      "    quants: [Q8_0]\n"
      "    benchmark: {perplexity: {text: text.txt, context: 64, chunks: 2}}\n"
      "    gates: {perplexity_ratio: {max: 1.05}}\n");
  EXPECT_EQ(run.exit_code, 0) << run.err;
  EXPECT_THAT(run.executed(), ElementsAre("b:Q8_0", "b:Q8_0:quality", "b:source:quality"));
}

TEST_F(GgufSource, DoneIsDoneUntilTheFileChanges) {
  EXPECT_THAT(build("    quants: [Q4_0]\n").executed(), ElementsAre("b:Q4_0"));
  const RunResult again = project_.run_json({"build"});
  EXPECT_THAT(again.executed(), ElementsAre());
  EXPECT_EQ(again.counter("bytes_hashed"), 0);
  // A card beside it some day says what the licence is.
  project_.write("README.md", "---\nlicense: mit\n---\n");
  EXPECT_THAT(project_.run_json({"build"}).executed(), ElementsAre());
  std::string bytes = project_.read("bard-BF16.gguf");
  bytes[bytes.size() - 40] = static_cast<char>(bytes[bytes.size() - 40] ^ 1);
  project_.write("bard-BF16.gguf", bytes);
  EXPECT_THAT(project_.run_json({"build"}).executed(), ElementsAre("b:Q4_0"));
}

TEST_F(GgufSource, OneThatIsCutOffIsTold) {
  const std::string bytes = project_.read("bard-BF16.gguf");
  project_.write("bard-BF16.gguf", bytes.substr(0, bytes.size() / 2));
  project_.write("qbuild.yaml",
                 "version: 1\nmodels: {b: {source: bard-BF16.gguf, quants: [Q8_0]}}\n");
  const RunResult run = project_.run({"check"});
  EXPECT_EQ(run.exit_code, 2);
  EXPECT_THAT(run.err, HasSubstr("qbuild.yaml:2:22: source: "));
  EXPECT_THAT(run.err, HasSubstr("it was cut off"));
}

TEST_F(GgufSource, InAListItIsNamedAfterItsFile) {
  project_.write("qbuild.yaml",
                 "version: 1\ndefaults: {quants: [Q8_0]}\nmodels: [./bard-BF16.gguf]\n");
  const RunResult run = project_.run_json({"build"});
  EXPECT_EQ(run.exit_code, 0) << run.err;
  EXPECT_TRUE(fs::exists(project_.path("out/bard/bard-Q8_0.gguf")));
}

}  // namespace
}  // namespace qbuild::e2e
