#include "manifests/file_names.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/manifests/broken.h"

namespace qbuild::manifests {
namespace {

TEST(QuantLabel, IsTheLastPartOfTheNameThatIsAQuant) {
  EXPECT_EQ(quant_label("tiny-Q4_K_M.gguf"), "Q4_K_M");
  EXPECT_EQ(quant_label("tiny.q8_0.gguf"), "Q8_0");
  EXPECT_EQ(quant_label("tiny-F16-Q6_K.gguf"), "Q6_K");
  EXPECT_EQ(quant_label("tiny-BF16.gguf"), "BF16");
  EXPECT_EQ(quant_label("tiny-UD-Q4_K_XL.gguf"), "UD-Q4_K_XL");
  EXPECT_EQ(quant_label("tiny-IQ4_XS"), "IQ4_XS");
  EXPECT_EQ(quant_label("tiny-Q4_0-00001-of-00002.gguf"), "Q4_0");
  EXPECT_EQ(quant_label("tiny-Q8_0_imat.gguf"), "Q8_0_IMAT");
}

TEST(QuantLabel, IsNoneWhereNoQuantStands) {
  EXPECT_EQ(quant_label("tiny.gguf"), std::nullopt);
  EXPECT_EQ(quant_label(""), std::nullopt);
  EXPECT_EQ(quant_label("tiny-fp16.gguf"), std::nullopt);
  EXPECT_EQ(quant_label("tiny-Q4_K.gguf"), std::nullopt);  // a type, not a recipe
}

TEST(QuantLabel, IsNoneWhereLlamaCppWouldNotFindIt) {
  EXPECT_EQ(quant_label("tiny-Q8_0x.gguf"), std::nullopt);
  EXPECT_EQ(quant_label("tiny-Q8_0_2.gguf"), std::nullopt);
}

TEST(Repository, IsJudgedAsTheHubJudgesIt) {
  for (const char* const good : {"acme/tiny-GGUF", "a/b", "a.b/c_d.e"})
    EXPECT_EQ(repo_problem(good), std::nullopt) << good;
  for (const char* const bad : {"", "acme", "a/b/c", "/b", "a/", "-a/b", "a/b-", "a/.b", "a..b/c",
                                "a/b--c", "a/b.git", "a b/c", "a/b\n"})
    EXPECT_NE(repo_problem(bad), std::nullopt) << bad;
  EXPECT_NE(repo_problem("a/" + std::string(97, 'b')), std::nullopt);
}

TEST(FileName, IsOnePartOfAPath) {
  EXPECT_EQ(file_name_problem("tiny-Q8_0.gguf"), std::nullopt);
  for (const char* const bad : {"a/b.gguf", "a\\b.gguf", ".gguf", " a.gguf", "a\tb.gguf"})
    EXPECT_NE(file_name_problem(bad), std::nullopt) << bad;
  EXPECT_NE(file_name_problem(std::string(201, 'a')), std::nullopt);
}

const BrokenManifest kBroken[] = {
    {"OneNameForAll",
     R"(version: 1
models:
  a: {source: tiny, quants: [Q8_0, Q6_K], publish: {repo: acme/a, file: '{model}-Q8_0'}}
)",
     R"(qbuild.yaml:3:36: "a-Q8_0.gguf" and "a-Q8_0.gguf" (at qbuild.yaml:3:30) are one name where case is ignored; "publish.file" needs {variant})"},
    {"OneLabelTwice",
     R"(version: 1
models:
  a: {source: tiny, quants: [Q8_0, {name: my-Q8_0, type: Q8_0}], publish: {repo: acme/a}}
)",
     R"(qbuild.yaml:3:36: the file names "tiny-my-Q8_0.gguf" and "tiny-Q8_0.gguf" (at qbuild.yaml:3:30) have one quant label, Q8_0: users could not choose between them)"},
    {"NoLabel",
     R"(version: 1
models:
  a: {source: tiny, quants: [{name: mine, type: Q8_0}], publish: {repo: acme/a}}
)",
     R"(qbuild.yaml:3:30: the file name "tiny-mine.gguf" has no quant label that the Hub and llama.cpp would find, such as Q4_K_M before the ending; change the variant's name or "publish.file")"},
    {"LabelThatIsHidden",
     R"(version: 1
models:
  a: {source: tiny, quants: [Q8_0], publish: {repo: acme/a, file: '{model}-{variant}x'}}
)",
     R"(qbuild.yaml:3:30: the file name "a-Q8_0x.gguf" has no quant label that the Hub and llama.cpp would find, such as Q4_K_M before the ending; change the variant's name or "publish.file")"},
    {"FolderInFlat",
     R"(version: 1
models:
  a: {source: tiny, quants: [{method: command, run: [x], outputs: ['*.bin']}], publish: {repo: acme/a}}
)",
     R"(qbuild.yaml:3:30: the variant "x" is a folder of files, which the layout "flat" cannot hold; publish with "folders" or "per-variant")"},
    {"RepositoryOfAnotherModel",
     R"(version: 1
models:
  a: {source: tiny, quants: [Q8_0], publish: {repo: acme/a}}
  b: {source: small, quants: [Q8_0], publish: {repo: Acme/A}}
)",
     R"(qbuild.yaml:4:54: the repository Acme/A is filled by the model "a" already; give the model "b" one of its own)"},
    {"FolderNamedAsTheCard",
     R"(version: 1
models:
  a: {source: tiny, quants: [{name: README.md, method: command, run: [x], outputs: ['*.bin']}], publish: {repo: acme/a, layout: folders}}
)",
     R"(qbuild.yaml:3:30: "README.md" is the name of a file that every repository gets)"},
};

class FileNameErrors : public BrokenManifestTest {};

TEST_P(FileNameErrors, AreToldWithPlaceAndWayOut) {
  expect_errors();
}

INSTANTIATE_TEST_SUITE_P(Manifests, FileNameErrors, testing::ValuesIn(kBroken),
                         BrokenManifestName());

}  // namespace
}  // namespace qbuild::manifests
