#include "manifests/scope.h"

#include <gtest/gtest.h>

namespace qbuild::manifests {
namespace {

class ScopeTest : public testing::Test {
 protected:
  YamlNode parsed(const std::string& text) {
    const std::uint32_t file = diagnostics_.add_file({"/p/sub/a.yaml", "sub/a.yaml"});
    TreeSize size;
    return parse_yaml(text, file, size, diagnostics_).value();
  }

  Diagnostics diagnostics_;
  LoadState state_{diagnostics_};
  Scope scope_{state_};
};

TEST_F(ScopeTest, PathsAreRelativeToTheirFile) {
  const YamlNode node = parsed("{text: ../x/./y.txt, name: n}");
  const auto path = scope_.path(node, Section::kPerplexity, "text");
  ASSERT_TRUE(path);
  EXPECT_EQ(path->text, "../x/./y.txt");
  EXPECT_EQ(path->path, "/p/x/y.txt");
  EXPECT_EQ(path->at, (Place{0, 1, 8}));
}

TEST_F(ScopeTest, AbsolutePathsStayAndFoldersLoseTheirSlash) {
  EXPECT_EQ(scope_.path(parsed("{text: /d/e.txt}"), Section::kPerplexity, "text")->path,
            "/d/e.txt");
  EXPECT_EQ(scope_.path(parsed("{source: tiny/}"), Section::kModel, "source")->path, "/p/sub/tiny");
  EXPECT_EQ(scope_.path(parsed("{source: .}"), Section::kModel, "source")->path, "/p/sub");
}

TEST_F(ScopeTest, ValuesOfTheWrongKindAreAbsent) {
  const YamlNode node = parsed("{context: many, chunks: 0, text: [x], name: 7}");
  EXPECT_EQ(scope_.whole(node, Section::kPerplexity, "context"), std::nullopt);
  EXPECT_EQ(scope_.whole(node, Section::kPerplexity, "chunks"), std::nullopt);
  EXPECT_EQ(scope_.value(node, Section::kPerplexity, "text"), nullptr);
  EXPECT_FALSE(scope_.text(node, Section::kPerplexity, "name"));
  EXPECT_TRUE(diagnostics_.empty());
}

TEST_F(ScopeTest, ABadNameIsTold) {
  parsed("x");
  EXPECT_TRUE(scope_.check_name("a model", {"fine", {0, 1, 1}}));
  EXPECT_FALSE(scope_.check_name("a model", {"a/b", {0, 1, 1}}));
  EXPECT_FALSE(diagnostics_.empty());
}

TEST_F(ScopeTest, APathThatCannotBeIsTold) {
  const YamlNode node = parsed("{text: " + std::string(300, 'x') + "}");
  EXPECT_FALSE(scope_.path(node, Section::kPerplexity, "text"));
  EXPECT_EQ(diagnostics_.sorted().at(0).message,
            "\"" + std::string(60, 'x') + "...\": a name in a path has at most 255 bytes");
}

TEST_F(ScopeTest, TextsAndPathsAreNotMadeOnceTheBudgetIsSpent) {
  const YamlNode node = parsed("{text: x}");
  state_.budget.refuse(node.at, "too much");
  EXPECT_FALSE(scope_.text(node, Section::kPerplexity, "text"));
  EXPECT_FALSE(scope_.resolved({"x", node.at}));
}

TEST_F(ScopeTest, SetsAreFoundByTheirNames) {
  const YamlNode node = parsed("{b: [Q8_0], a: [Q4_0, Q6_K]}");
  const SetTable sets(node);
  ASSERT_NE(sets.find("a"), nullptr);
  EXPECT_EQ(sets.find("a")->items.size(), 2u);
  EXPECT_EQ(sets.find("c"), nullptr);
  EXPECT_EQ(sets.names(), (std::vector<std::string_view>{"b", "a"}));
}

}  // namespace
}  // namespace qbuild::manifests
