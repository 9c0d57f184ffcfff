#include <gmock/gmock.h>

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

}  // namespace
}  // namespace qbuild::rules
