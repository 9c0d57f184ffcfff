#include "manifests/key_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace qbuild::manifests {
namespace {

using testing::IsSupersetOf;

// Issue text: the words of a manifest.
TEST(KeyTable, HasTheWordsOfAManifest) {
  EXPECT_THAT(key_names(Section::kManifest),
              IsSupersetOf({"version", "include", "sets", "defaults", "models", "licenses"}));
  EXPECT_THAT(key_names(Section::kModel),
              IsSupersetOf({"source", "template", "quants", "benchmark", "gates", "licenses",
                            "license", "card", "publish", "matrix"}));
  EXPECT_THAT(key_names(Section::kPublish),
              IsSupersetOf({"repo", "hub", "layout", "file", "private", "message"}));
}

TEST(KeyTable, EveryKeyOfDefaultsIsOneOfAModel) {
  for (const std::string_view name : key_names(Section::kDefaults))
    EXPECT_NE(find_key(Section::kModel, name), nullptr) << name;
}

TEST(KeyTable, HasNoWordOfALaterIssue) {
  for (const char* const name : {"divergence", "effort"})
    EXPECT_EQ(find_key(Section::kModel, name), nullptr) << name;
}

}  // namespace
}  // namespace qbuild::manifests
