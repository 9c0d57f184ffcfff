#include "rules/source.h"
#include "tests/rules/gguf_files.h"

namespace qbuild::rules {
namespace {

using ::testing::HasSubstr;
using ::testing::UnorderedElementsAre;

using SourceGguf = GgufFiles;

TEST_F(SourceGguf, TheImportTellsWhatTheHeaderSays) {
  const fs::path exact = kept(make(kBard, "BF16"), "bard-BF16.gguf");
  const SourceModel source = import_folder(exact);
  const SourceModel checkpoint = import_folder(kBard);
  EXPECT_EQ(source.name, "bard");
  EXPECT_TRUE(source.is_gguf);
  EXPECT_EQ(source.architecture, "llama");
  EXPECT_EQ(source.cannot_run, "");
  EXPECT_EQ(source.parameters, checkpoint.parameters);
  EXPECT_EQ(source.context_length, checkpoint.context_length);
  EXPECT_EQ(source.network.block_count, 6u);
  EXPECT_EQ(source.network.head_count_kv, 4u);
  ASSERT_EQ(source.artifact.files.size(), 1u);
  EXPECT_EQ(source.artifact.files[0].name, "bard-BF16.gguf");
  EXPECT_EQ(source.paths[0], exact);
}

TEST_F(SourceGguf, UnderAnotherNameItsWeightsAreTheSame) {
  const fs::path one = kept(make(kBard, "BF16"), "bard-BF16.gguf");
  const auto before = import_folder(one).artifact.facets;
  const fs::path other = kept(one, "renamed.gguf");
  EXPECT_EQ(import_folder(other).artifact.facets, before);
}

TEST_F(SourceGguf, AllPartsAreItsFiles) {
  const fs::path exact = kept(make(kBard, "BF16"), "bard-BF16.gguf");
  const SourceModel source = import_folder(split_gguf(exact, 2));
  EXPECT_EQ(source.name, "bard");
  std::vector<std::string> names;
  for (const auto& file : source.artifact.files) names.push_back(file.name);
  EXPECT_THAT(names, UnorderedElementsAre("bard-BF16-00001-of-00002.gguf",
                                          "bard-BF16-00002-of-00002.gguf"));
}

TEST_F(SourceGguf, ItsLicenceIsTheCardsOrTheMetadatas) {
  const fs::path source =
      foreign("mammoth.gguf", {{"general.license", formats::GgufValue::text("mit")},
                               {"general.tags", formats::GgufValue::strings({"ice", "age"})}});
  EXPECT_EQ(import_folder(source).license(), "mit");
  EXPECT_THAT(import_folder(source).cannot_run, HasSubstr("mammoth"));
  write_text(folder_.path() / "README.md", "---\nlicense: apache-2.0\n---\n");
  EXPECT_EQ(import_folder(source).license(), "apache-2.0");
}

}  // namespace
}  // namespace qbuild::rules
