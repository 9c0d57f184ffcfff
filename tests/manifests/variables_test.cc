#include "manifests/variables.h"

#include <gtest/gtest.h>

namespace qbuild::manifests {
namespace {

struct Expanded {
  std::string text;
  std::string problem;
};

Expanded expanded(const std::string& text, Variables allowed) {
  Diagnostics diagnostics;
  YamlNode node;
  node.kind = YamlNode::Kind::kScalar;
  node.at = {diagnostics.add_file({"/a.yaml", "a.yaml"}), 1, 1};
  node.text = text;
  const VariableValues values{.matrix = {{"size", "0.5b"}, {"odd", "{model}"}},
                              .model = "m",
                              .variant = "v",
                              .source_name = "s"};
  const auto done = expand(node, allowed, values, diagnostics);
  if (done) return {*done, ""};
  return {"", diagnostics.sorted().at(0).message};
}

constexpr Variables kAll =
    kModelName | kVariantName | kSourceName | kMatrixVariables | kDate | kRunPaths;

TEST(Variables, AreReplaced) {
  EXPECT_EQ(expanded("{model}-{variant}.{source.name}_{size}", kAll).text, "m-v.s_0.5b");
}

TEST(Variables, OfLaterAreKept) {
  EXPECT_EQ(expanded("{date} {source} {out} {model}", kAll).text, "{date} {source} {out} m");
}

TEST(Variables, DoubledBracesAreBraces) {
  EXPECT_EQ(expanded("{{x}} {{{model}}}", kAll).text, "{x} {m}");
  EXPECT_EQ(expanded("{{model}}", kAll).text, "{model}");
}

TEST(Variables, AValueIsNotReadAgain) {
  EXPECT_EQ(expanded("{odd}", kAll).text, "{model}");
}

TEST(Variables, WhereNoneAreAllowedBracesAreCharacters) {
  EXPECT_EQ(expanded("{model} {{ }", 0).text, "{model} {{ }");
}

TEST(Variables, ThatAreUnknownOrElsewhereAreTold) {
  EXPECT_EQ(expanded("{modle}", kAll).problem,
            "unknown variable \"modle\"; did you mean \"model\"?");
  EXPECT_EQ(expanded("{date}", kModelName).problem, "the variable {date} cannot be used here");
  EXPECT_EQ(expanded("{size}", kModelName).problem, "unknown variable \"size\"; known: model");
}

TEST(Variables, ASingleBraceIsTold) {
  for (const char* const text : {"{", "a}b", "{}", "{ model }", "{model", "{mo del}"})
    EXPECT_NE(expanded(text, kAll).problem.find("a single "), std::string::npos) << text;
}

TEST(Variables, WhatWouldBeReplacedLaterCannotBeSpelled) {
  EXPECT_NE(expanded("{{date}}", kAll).problem, "");
  EXPECT_NE(expanded("{{out}} {out}", kAll).problem, "");
  EXPECT_EQ(expanded("{{date}}", kModelName).text, "{date}");
}

TEST(Variables, ATextThatGrowsTooLongIsTold) {
  std::string text;
  for (int i = 0; i < 3000; ++i) text += "{size}";
  EXPECT_EQ(expanded(text, kAll).problem,
            "with its variables replaced the text is longer than 8192 bytes");
}

TEST(Names, HaveLettersDigitsAndLittleElse) {
  for (const char* const good : {"a", "Qwen2.5-0.5b", "_x", "0"})
    EXPECT_EQ(name_problem(good), std::nullopt) << good;
  for (const char* const bad : {"", ".", "..", "-a", "a b", "a:b", "a/b", "a*", "a\n",
                                "gr\xc3\xb6\xc3\x9f"
                                "e"})
    EXPECT_NE(name_problem(bad), std::nullopt) << bad;
  EXPECT_EQ(name_problem(std::string(96, 'a')), std::nullopt);
  EXPECT_NE(name_problem(std::string(97, 'a')), std::nullopt);
}

TEST(Names, AreFoldedToCompareThem) {
  EXPECT_EQ(folded("Q4_K_M-\xc3\x84"), "q4_k_m-\xc3\x84");
}

TEST(Paths, HaveBoundedBytesPartsAndNames) {
  const std::string name(255, 'n');
  for (const std::string& good : {std::string("a/../../b"), std::string("/"), std::string(), name,
                                  name + "/" + name, std::string("a//b/")})
    EXPECT_EQ(path_problem(good), std::nullopt) << good;
  std::string parts = "a";
  for (int i = 1; i < 128; ++i) parts += "/a";
  EXPECT_EQ(path_problem(parts), std::nullopt);
  EXPECT_EQ(path_problem(parts + "/a"), "a path has at most 128 parts");
  EXPECT_EQ(path_problem("x/" + name + "n"), "a name in a path has at most 255 bytes");
  EXPECT_EQ(path_problem(std::string(4096, '/')), "a path has at most 4095 bytes");
}

}  // namespace
}  // namespace qbuild::manifests
