#include "manifests/scope.h"

#include <gtest/gtest.h>

namespace qbuild::manifests {
namespace {

class ScopeTest : public testing::Test {
 protected:
  YamlNode parsed(const std::string& text) {
    const std::uint32_t file = diagnostics_.add_file({"/p/sub/a.yaml", "sub/a.yaml"});
    return parse_yaml(text, file, diagnostics_).value();
  }

  Diagnostics diagnostics_;
  Scope scope_{diagnostics_, nullptr, {}};
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

}  // namespace
}  // namespace qbuild::manifests
