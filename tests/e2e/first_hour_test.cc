// Every error that a newcomer meets in the first hour: one clear message with a place and a way
// out.

#include <gmock/gmock.h>
#include <unistd.h>

#include <functional>

#include "tests/e2e/project.h"

namespace qbuild::e2e {
namespace {

using ::testing::HasSubstr;

constexpr std::string_view kManifest = R"(version: 1
models:
  bard:
    source: bard
    quants: [Q8_0]
)";

struct Case {
  std::string name;
  std::function<void(const Project&)> arrange;
  int exit_code;
  std::vector<std::string> says;
};

void replace_in(const Project& project, const fs::path& file, std::string_view from,
                std::string_view to) {
  std::string text = project.read(file);
  const auto at = text.find(from);
  ASSERT_NE(at, std::string::npos) << from;
  project.write(file, text.replace(at, from.size(), to));
}

std::vector<Case> cases() {
  return {
      {"NoManifest",
       [](const Project& p) { fs::remove(p.path("qbuild.yaml")); },
       2,
       {"qbuild.yaml", "the file does not exist"}},
      {"WrongSourcePath",
       [](const Project& p) { replace_in(p, "qbuild.yaml", "source: bard", "source: brad"); },
       2,
       {"qbuild.yaml:4:13", "brad"}},
      {"UnknownQuant",
       [](const Project& p) { replace_in(p, "qbuild.yaml", "[Q8_0]", "[Q4_K_X]"); },
       2,
       {"qbuild.yaml:5:14: unknown quant \"Q4_K_X\"", "did you mean \"Q4_K_"}},
      {"UnknownKey",
       [](const Project& p) { replace_in(p, "qbuild.yaml", "quants:", "quant:"); },
       2,
       {"qbuild.yaml:5:5", "\"quant\"", "did you mean \"quants\"?"}},
      {"MissingTokenizer",
       [](const Project& p) { fs::remove(p.path("bard/tokenizer.json")); },
       2,
       {"tokenizer.json", "bard"}},
      {"MissingConfig",
       [](const Project& p) { fs::remove(p.path("bard/config.json")); },
       2,
       {"config.json", "bard"}},
      {"UnsupportedArchitecture",
       [](const Project& p) {
         replace_in(p, "bard/config.json", "LlamaForCausalLM", "MambaForCausalLM");
         replace_in(p, "bard/config.json", "\"llama\"", "\"mamba\"");
       },
       2,
       {"config.json", "mamba", "llama"}},
      {"ConfigOfMoreLayersThanTheWeights",
       [](const Project& p) {
         replace_in(p, "bard/config.json", "\"num_hidden_layers\": 6", "\"num_hidden_layers\": 9");
       },
       2,
       {"qbuild.yaml:4:13", "model.layers.6.input_layernorm.weight is missing", "9 layers"}},
      {"ConfigOfFewerLayersThanTheWeights",
       [](const Project& p) {
         replace_in(p, "bard/config.json", "\"num_hidden_layers\": 6", "\"num_hidden_layers\": 2");
       },
       2,
       {"qbuild.yaml:4:13", "model.layers.2", "2 layers"}},
      {"GitLfsPointer",
       [](const Project& p) {
         p.write(
             "bard/model.safetensors",
             "version https://git-lfs.github.com/spec/v1\noid sha256:"
             "4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\nsize 8139224\n");
       },
       2,
       {"model.safetensors is a Git LFS pointer, not the file itself", "git lfs pull"}},
      {"TruncatedWeights",
       [](const Project& p) { fs::resize_file(p.path("bard/model.safetensors"), 4'000'000); },
       2,
       {"model.safetensors"}},
      {"UnknownTarget", [](const Project&) {}, 2, {"brad", "did you mean \"bard\"?"}},
  };
}

void PrintTo(const Case& one, std::ostream* out) {
  *out << one.name;
}

class FirstHour : public ::testing::TestWithParam<Case> {};

TEST_P(FirstHour, OneClearMessageWithAPlaceAndAWayOut) {
  const Case& one = GetParam();
  const Project project;
  project.add_model("bard");
  project.write("qbuild.yaml", kManifest);
  one.arrange(project);
  const RunResult run =
      one.name == "UnknownTarget" ? project.run({"build", "brad"}) : project.run({"build"});
  EXPECT_EQ(run.exit_code, one.exit_code) << run.out << run.err;
  for (const std::string& part : one.says) EXPECT_THAT(run.err, HasSubstr(part));
  EXPECT_TRUE(project.digests("out").empty());
}

INSTANTIATE_TEST_SUITE_P(Errors, FirstHour, ::testing::ValuesIn(cases()),
                         [](const auto& one) { return one.param.name; });

TEST(FirstHour, AStoreThatCannotBeWrittenNamesItselfAndTheVariable) {
  if (geteuid() == 0)
    GTEST_SKIP() << "root may write everywhere; run as an ordinary user to test permissions";
  const Project project;
  project.add_model("bard");
  project.write("qbuild.yaml", kManifest);
  fs::create_directories(project.path("locked"));
  fs::permissions(project.path("locked"), fs::perms::owner_read | fs::perms::owner_exec);
  const RunResult run = project.run({"build", "--store", "locked/store"});
  EXPECT_EQ(run.exit_code, 2);
  EXPECT_THAT(run.err, HasSubstr("locked/store"));
  EXPECT_THAT(run.err, HasSubstr("QBUILD_STORE"));
}

TEST(FirstHour, AFileWhereTheStoreShouldBeIsSaid) {
  const Project project;
  project.add_model("bard");
  project.write("qbuild.yaml", kManifest);
  project.write("file", "x");
  const RunResult run = project.run({"build", "--store", "file/store"});
  EXPECT_EQ(run.exit_code, 2);
  EXPECT_THAT(run.err, HasSubstr("file/store"));
}

TEST(FirstHour, HelpIsForPeople) {
  const Project project;
  const RunResult help = project.run({"--help"});
  EXPECT_EQ(help.exit_code, 0);
  for (const char* word :
       {"build", "publish", "plan", "why", "check", "graph", "inspect", "status", "log", "store",
        "--json", "--threads", "--backend", "--store", "--out", "--fail-fast"})
    EXPECT_THAT(help.out, HasSubstr(word));
  const RunResult wrong = project.run({"--frobnicate"});
  EXPECT_EQ(wrong.exit_code, 2);
  EXPECT_THAT(wrong.err, HasSubstr("--frobnicate"));
}

}  // namespace
}  // namespace qbuild::e2e
