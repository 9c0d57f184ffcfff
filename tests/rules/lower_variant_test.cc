#include <gmock/gmock.h>

#include "formats/gguf_writer.h"
#include "rules/quantize.h"
#include "tests/rules/lowered_project.h"

namespace qbuild::rules {
namespace {

class LowerVariant : public LoweredProject {
 protected:
  static std::string command(std::string_view run, std::string_view more = "") {
    return "    quants: [{name: c, method: command, run: [" + std::string(run) +
           "], outputs: [\"*.bin\"]" + std::string(more) + "}]\n";
  }
};

TEST_F(LowerVariant, TheToolsOwnFilesAreInputs) {
  write("tool.sh", "exit 0\n");
  write("helper.py", "pass\n");
  EXPECT_THAT(labels(lowered(command("./tool.sh, helper.py, \"{out}\", none.txt")), "b:c"),
              testing::ElementsAre("source", "tool.program", "tool.file.1"));
  EXPECT_THAT(labels(lowered(command("sh, tool.sh, \"{out}\"", ", tool: t@1")), "b:c"),
              testing::ElementsAre("source", "tool.file.1"));
}

TEST_F(LowerVariant, AScriptAmongTheArgumentsIsNoFile) {
  const std::string script = "'echo " + std::string(300, 'x') + " > $0/a.bin'";
  const std::string lines = "\"" + std::string(5000, 'y') + "/z\\necho\"";
  std::string slashes = "\"";
  for (int i = 0; i < 3000; ++i) slashes += "a/";
  slashes += '"';
  for (const std::string& argument : {script, lines, slashes})
    EXPECT_THAT(
        labels(lowered(command("sh, -c, " + argument + ", \"{out}\"", ", tool: t@1")), "b:c"),
        testing::ElementsAre("source"));
}

TEST_F(LowerVariant, AFileThatIsDeclaredIsNoSecondInput) {
  write("tool.sh", "exit 0\n");
  EXPECT_THAT(labels(lowered(command("sh, tool.sh", ", inputs: [tool.sh], tool: t@1")), "b:c"),
              testing::ElementsAre("source", "file.tool.sh"));
}

TEST_F(LowerVariant, AProgramOfUnknownIdentityIsNoted) {
  const Lowered made = lowered(command("my-tool"));
  EXPECT_THAT(made.models.at(0).variants.at(0).notes,
              testing::ElementsAre("c: which version of \"my-tool\" runs is not known; with tool: "
                                   "NAME@VERSION another one makes the variant anew"));
  EXPECT_THAT(lowered(command("my-tool", ", tool: t@1")).models.at(0).variants.at(0).notes,
              testing::IsEmpty());
}

TEST_F(LowerVariant, ARuleThatMatchesNothingIsToldAtItsPlace) {
  EXPECT_EQ(
      problems("    quants:\n      - name: x\n        base: Q8_0\n        rules:\n"
               "          - {match: attn_q, type: Q6_K}\n"
               "          - {match: attn_q, layers: \"7-9\", type: Q6_K}\n"),
      "qbuild.yaml:10:13: rule \"attn_q\" matches no tensor that is quantized in the layers 7..9; "
      "the model has the layers 0..5; `qbuild inspect` on a built variant lists their names");
}

// ---- a GGUF as a source ----

class LowerGguf : public LoweredProject {
 protected:
  LowerGguf() {
    const engine::ActionRequest asked =
        quantize_request(model_, "BF16", make_scratch(folder_.path(), "made"));
    TestContext context;
    const auto made = make_quantize_rule()->run(asked, context);
    fs::rename(made.files.at(0).path, folder_.path() / "bard-BF16.gguf");
  }
  Lowered lowered_from(std::string_view source, std::string_view lines) {
    write("qbuild.yaml", "version: 1\nmodels:\n  b:\n    source: " + std::string(source) + "\n" +
                             std::string(lines));
    const std::vector<fs::path> paths{folder_.path() / "qbuild.yaml"};
    const manifests::Manifest manifest = manifests::load(*files_, paths);
    engine::StatTable digests(*files_, *clock_, [](std::int64_t) {});
    return lower(manifest, *files_, *clock_, digests,
                 {.out = folder_.path() / "out", .threads = 1, .machine = {}});
  }
  std::string problems_from(std::string_view source, std::string_view lines) {
    std::string text = error_of([&] { (void)lowered_from(source, lines); }).message();
    const std::string root = folder_.path().string() + "/";
    for (auto at = text.find(root); at != std::string::npos; at = text.find(root, at))
      text.erase(at, root.size());
    return text;
  }
};

TEST_F(LowerGguf, ItsNameIsInFileNamesAndNotInTheKey) {
  const auto node_of = [&](const std::string& source) {
    const Lowered made = lowered_from(source, "    quants: [Q4_0]\n");
    return made.graph.node(*made.graph.find("b:Q4_0"));
  };
  const engine::Node node = node_of("bard-BF16.gguf");
  EXPECT_EQ(node.params.find("name"), nullptr);
  ASSERT_EQ(node.exports.size(), 1u);
  EXPECT_EQ(node.exports[0].path, folder_.path() / "out/b/bard-Q4_0.gguf");
  fs::copy_file(folder_.path() / "bard-BF16.gguf", folder_.path() / "other.gguf");
  EXPECT_EQ(node_of("other.gguf").params, node.params);
}

TEST_F(LowerGguf, QuantizingAgainIsToldBeforeAnythingRuns) {
  TestContext context;
  const auto made = make_quantize_rule()->run(
      quantize_request(model_, "Q8_0", make_scratch(folder_.path(), "eight")), context);
  fs::rename(made.files.at(0).path, folder_.path() / "bard-Q8_0.gguf");
  EXPECT_THAT(problems_from("bard-Q8_0.gguf", "    quants: [Q8_0, Q4_0]\n"),
              testing::AllOf(testing::StartsWith("qbuild.yaml:5:20: "),
                             testing::HasSubstr("or write requantize: true")));
  EXPECT_NO_THROW(
      (void)lowered_from("bard-Q8_0.gguf", "    requantize: true\n    quants: [Q4_0]\n"));
}

TEST_F(LowerGguf, ANetworkThatNothingHereRunsIsQuantizedAndNotMeasured) {
  const fs::path path = folder_.path() / "mammoth.gguf";
  const auto file = files_->create(path, CreateMode::kExclusive);
  formats::GgufWriter writer(*file, {{"general.architecture", formats::GgufValue::text("mammoth")}},
                             {{"blk.0.attn_q.weight", {256, 2}, DType::kF16}});
  writer.append(std::vector<std::byte>(1024));
  writer.finish();
  file->close();
  EXPECT_NO_THROW((void)lowered_from("mammoth.gguf", "    quants: [Q8_0]\n"));
  EXPECT_THAT(
      problems_from("mammoth.gguf",
                    "    quants: [Q8_0]\n"
                    "    benchmark: {perplexity: {text: text.txt}}\n"),
      testing::AllOf(testing::StartsWith("qbuild.yaml:6:36: "), testing::HasSubstr("mammoth"),
                     testing::HasSubstr("such a model can be quantized, not measured: write "
                                        "benchmark: false")));
}

}  // namespace
}  // namespace qbuild::rules
