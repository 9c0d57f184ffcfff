#include "manifests/keys.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <set>
#include <sstream>

#include "tests/manifests/reference.h"

namespace qbuild::manifests {
namespace {

const std::string kReadme = std::string(QBUILD_SOURCE_DIR) + "/manifests/README.md";

std::string read_readme() {
  std::ifstream file(kReadme);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

// The part of the reference that stands between the marks.
std::string tables_of(const std::string& readme) {
  const auto begin = readme.find(kReferenceBegin);
  const auto end = readme.find(kReferenceEnd);
  if (begin == std::string::npos || end == std::string::npos) return "";
  return readme.substr(begin + kReferenceBegin.size(), end - begin - kReferenceBegin.size());
}

// QBUILD_WRITE_REFERENCE=1 writes what the test expects.
TEST(Keys, TheReferenceListsThemAsTheyAre) {
  const std::string expected = "\n" + reference_tables();
  if (std::getenv("QBUILD_WRITE_REFERENCE") != nullptr) {
    std::string readme = read_readme();
    const std::string old = tables_of(readme);
    readme.replace(readme.find(kReferenceBegin) + kReferenceBegin.size(), old.size(), expected);
    std::ofstream(kReadme) << readme;
  }
  EXPECT_EQ(tables_of(read_readme()), expected)
      << "run this test with QBUILD_WRITE_REFERENCE=1 to write the tables again";
}

TEST(Keys, EverySectionHasKeysAndEveryKeyASection) {
  std::set<Section> reached{Section::kManifest};
  for (const KeySpec& key : all_keys()) reached.insert(key.inside);
  for (const SectionInfo& info : all_sections()) {
    EXPECT_FALSE(key_names(info.section).empty()) << info.name;
    EXPECT_TRUE(reached.contains(info.section)) << info.name << " stands nowhere";
  }
}

TEST(Keys, EachIsExplainedWithAnExample) {
  for (const KeySpec& key : all_keys()) {
    EXPECT_FALSE(key.meaning.empty()) << key.name;
    EXPECT_FALSE(key.example.empty()) << key.name;
    EXPECT_NE(key.accepts, 0u) << key.name;
    EXPECT_EQ((key.accepts & kListShape) != 0, key.elements != 0) << key.name;
    const bool has_mapping = ((key.accepts | key.elements) & kMappingShape) != 0;
    EXPECT_EQ(has_mapping, key.inside != Section::kNone) << key.name;
    if ((key.accepts & kWholeShape) != 0) {
      EXPECT_LE(key.least, key.most) << key.name;
    }
  }
}

TEST(Keys, NoneStandsTwiceInASection) {
  for (const SectionInfo& info : all_sections()) {
    const auto names = key_names(info.section);
    EXPECT_EQ(std::set(names.begin(), names.end()).size(), names.size()) << info.name;
  }
}

TEST(Keys, AnyNameIsFoundWhereTheUserChoosesThem) {
  EXPECT_NE(find_key(Section::kModels, "whatever"), nullptr);
  EXPECT_EQ(find_key(Section::kModel, "whatever"), nullptr);
  EXPECT_EQ(find_key(Section::kMatrix, "exclude")->inside, Section::kExclude);
}

TEST(Keys, NoneIsAWordOfALaterTime) {
  EXPECT_TRUE(is_later_key("divergence"));
  EXPECT_FALSE(is_later_key("matrix"));
  for (const KeySpec& key : all_keys()) EXPECT_FALSE(is_later_key(key.name)) << key.name;
}

TEST(Keys, ShapesReadAsASentence) {
  EXPECT_EQ(shapes_text(kTextShape), "text");
  EXPECT_EQ(shapes_text(kTextShape | kListShape), "text or a list");
  EXPECT_EQ(shapes_text(kFalseShape | kListShape | kMappingShape), "false, a list or a mapping");
  EXPECT_EQ(variables_text(kModelName | kDate), "{model}, {date}");
  EXPECT_EQ(variables_text(0), "");
}

}  // namespace
}  // namespace qbuild::manifests
