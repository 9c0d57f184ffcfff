#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "manifests/manifest.h"
#include "tests/manifests/broken.h"

namespace qbuild::manifests {
namespace {

using testing::ElementsAre;
using testing::Pair;

TEST(Command, TakesEverythingThatIsDeclared) {
  Project project;
  const Model model = project.model(with_model(R"(    quants:
      - method: command
        name: mine
        run: [my-tool, "{source}", "{out}", "--name={model}-{variant}", 4]
        outputs: ["*.bin", sub/config.json]
        inputs: [text.txt]
        environment: {B: "{source.name}", A: 1}
        resources: {threads: 4, memory: 1.5GiB, scratch: 1000, time_limit: 1.5h}
        tool: my-tool@1.4
)"));
  const Variant& variant = model.variants.at(0);
  EXPECT_EQ(variant.name, "mine");
  EXPECT_EQ(variant.method, Method::kCommand);
  EXPECT_FALSE(variant.is_gguf_file);
  const Command& command = variant.command.value();
  EXPECT_THAT(command.run, ElementsAre("my-tool", "{source}", "{out}", "--name=a-mine", "4"));
  EXPECT_THAT(command.outputs, ElementsAre("*.bin", "sub/config.json"));
  ASSERT_EQ(command.inputs.size(), 1u);
  EXPECT_EQ(command.inputs[0].path, "/p/text.txt");
  EXPECT_THAT(command.environment, ElementsAre(Pair("A", "1"), Pair("B", "tiny")));
  EXPECT_EQ(command.resources.threads, 4u);
  EXPECT_EQ(command.resources.memory_bytes, 3u << 29);
  EXPECT_EQ(command.resources.scratch_bytes, 1000u);
  EXPECT_EQ(command.resources.time_limit_seconds, 5400u);
  EXPECT_EQ(command.tool, "my-tool@1.4");
  EXPECT_EQ(command.directory, "/p");
}

TEST(Command, IsNamedAfterItsToolOrItsProgram) {
  Project project;
  const auto name = [&](const std::string& keys) {
    return project
        .model(with_model("    quants: [{method: command, outputs: [x], " + keys + "}]\n"))
        .variants.at(0)
        .name;
  };
  EXPECT_EQ(name("run: [bin/pack, '{variant}']"), "pack");
  EXPECT_EQ(name("run: [sh, x.sh, '{variant}'], tool: packer@2"), "packer");
}

TEST(Command, OneGgufPatternMakesAGgufFile) {
  Project project;
  const Model model = project.model(
      with_model("    quants: [{name: x-Q4_0, method: command, run: [x], outputs: ['*.gguf']}]\n"
                 "    publish: {repo: acme/a}\n"));
  EXPECT_TRUE(model.variants.at(0).is_gguf_file);
  EXPECT_EQ(model.publish->variants.at(0).file, "tiny-x-Q4_0.gguf");
}

TEST(Command, DoubledBracesAreBraces) {
  Project project;
  const Model model = project.model(
      with_model("    quants: [{method: command, run: [awk, '{{print $1}}'], outputs: [x]}]\n"));
  EXPECT_THAT(model.variants.at(0).command->run, ElementsAre("awk", "{print $1}"));
}

TEST(Command, RunsInTheFolderOfTheFileThatDeclaresIt) {
  Project project;
  project.put(
      "shared/common.yaml",
      "defaults: {quants: [{method: command, run: [x], outputs: [y], inputs: [text.txt]}]}\n");
  const Model model =
      project.model("version: 1\ninclude: shared/common.yaml\nmodels: {a: {source: tiny}}\n");
  EXPECT_EQ(model.variants.at(0).command->directory, "/p/shared");
  EXPECT_EQ(model.variants.at(0).command->inputs.at(0).path, "/p/shared/text.txt");
}

const BrokenManifest kBroken[] = {
    {"NoOutputs",
     R"(version: 1
models:
  a: {source: tiny, quants: [{method: command, run: [x]}]}
)",
     R"(qbuild.yaml:3:30: "method: command" needs the key "outputs")"},
    {"NoRun",
     R"(version: 1
models:
  a: {source: tiny, quants: [{method: command, outputs: [x]}]}
)",
     R"(qbuild.yaml:3:30: "method: command" needs the key "run")"},
    {"UnknownVariable",
     R"(version: 1
models:
  a: {source: tiny, quants: [{method: command, run: [x, '{surce}'], outputs: [y]}]}
)",
     R"(qbuild.yaml:3:57: unknown variable "surce"; did you mean "source"?)"},
    {"SingleBrace",
     R"(version: 1
models:
  a: {source: tiny, quants: [{method: command, run: [x, '{print $1}'], outputs: [y]}]}
)",
     R"(qbuild.yaml:3:57: a single { in "{print $1}"; write {{ for the character)"},
    {"DoubledVariable",
     R"(version: 1
models:
  a: {source: tiny, quants: [{method: command, run: [x, '{{out}}'], outputs: [y]}]}
)",
     "qbuild.yaml:3:57: braces around the name of a variable cannot be written here, not even "
     "doubled"},
    {"OutputsThatLeave",
     R"(version: 1
models:
  a: {source: tiny, quants: [{method: command, run: [x], outputs: ['../y', /z]}]}
)",
     R"(qbuild.yaml:3:68: "../y" is no pattern of outputs: it leaves {out}
qbuild.yaml:3:76: "/z" is no pattern of outputs: it is not relative to {out})"},
    {"BadEnvironmentName",
     R"(version: 1
models:
  a: {source: tiny, quants: [{method: command, run: [x], outputs: [y], environment: {1x: 2}}]}
)",
     R"(qbuild.yaml:3:86: "1x" is no name for an environment variable)"},
    {"Sizes",
     R"(version: 1
models:
  a: {source: tiny, quants: [{method: command, run: [x], outputs: [y], resources: {memory: lots, scratch: -1GB, threads: 0, cpus: 1, time_limit: soon}}]}
)",
     R"(qbuild.yaml:3:92: "lots" is no size; write it as in "8GiB"
qbuild.yaml:3:107: "-1GB" is no size; write it as in "8GiB"
qbuild.yaml:3:122: "threads" must be from 1 to 4096, not 0
qbuild.yaml:3:125: unknown key in resources: "cpus"; known: threads, memory, scratch, time_limit
qbuild.yaml:3:146: "soon" is no time; write it as in "90min")"},
    {"NoNameFollows",
     R"(version: 1
models:
  a: {source: tiny, quants: [{method: command, run: [/], outputs: [y]}]}
)",
     R"(qbuild.yaml:3:30: this variant needs a "name": none follows from its tool)"},
    {"EmptyProgram",
     R"(version: 1
models:
  a: {source: tiny, quants: [{method: command, run: [''], outputs: [y]}]}
)",
     R"(qbuild.yaml:3:30: this variant needs a "name": none follows from its tool)"},
};

class CommandErrors : public BrokenManifestTest {};

TEST_P(CommandErrors, AreToldWithPlaceAndWayOut) {
  expect_errors();
}

INSTANTIATE_TEST_SUITE_P(Manifests, CommandErrors, testing::ValuesIn(kBroken),
                         BrokenManifestName());

}  // namespace
}  // namespace qbuild::manifests
