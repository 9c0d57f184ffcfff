#include "rules/published.h"

#include <gmock/gmock.h>

#include "base/error.h"

namespace qbuild::rules {
namespace {

using ::testing::HasSubstr;

Published sample() {
  Published published;
  published.other_files = {"README.md", "qbuild.json"};
  published.variants.push_back({.name = "Q4_K_M",
                                .record = std::string(64, 'a'),
                                .files = {{"m-Q4_K_M.gguf", sha256("weights"), 7}},
                                .card = Json::object({{"name", "Q4_K_M"}, {"size", "7 B"}})});
  return published;
}

TEST(Published, ReadsBackWhatItWrote) {
  const Published read = published_from_json(Json::parse(to_json(sample()).dump_pretty()));
  EXPECT_EQ(to_json(read).dump(), to_json(sample()).dump());
  ASSERT_NE(read.find("Q4_K_M"), nullptr);
  EXPECT_EQ(read.find("Q4_K_M")->files.at(0).sha256, sha256("weights"));
  EXPECT_EQ(read.find("Q8_0"), nullptr);
}

TEST(Published, SomebodyElsesFileOfThatNameIsNotTakenForOurs) {
  for (const char* text :
       {"{}", "[]", R"({"format":"qbuild-published","version":2,"files":[],"variants":[]})",
        R"({"format":"other","version":1,"files":[],"variants":[]})",
        R"({"format":"qbuild-published","version":1,"files":[],"variants":[{"name":"x"}]})"}) {
    try {
      (void)published_from_json(Json::parse(text));
      ADD_FAILURE() << "accepted " << text;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kCorrupt);
      EXPECT_THAT(error.message(),
                  HasSubstr("qbuild.json was not written by this version of qbuild"));
      EXPECT_THAT(error.message(),
                  HasSubstr("delete it from the repository to publish over what is there"));
    }
  }
}

}  // namespace
}  // namespace qbuild::rules
