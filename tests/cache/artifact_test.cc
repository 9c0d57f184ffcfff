#include "cache/artifact.h"

#include "tests/cache/support.h"

namespace qbuild::cache {
namespace {

using testing::HasSubstr;

Artifact small() {
  Artifact artifact = artifact_of({{"config.json", "{}"}, {"weights/a.bin", "aaa"}});
  artifact.facets = {{"tensors", "00ff"}};
  artifact.facts = Json::object({{"layers", Json(4)}});
  return artifact;
}

TEST(Artifact, ReadsBackWhatItWrites) {
  const Artifact artifact = small();
  EXPECT_EQ(artifact_from_json(to_json(artifact)), artifact);
  EXPECT_EQ(artifact_from_json(to_json(Artifact{})), Artifact{});
}

TEST(Artifact, FindsFilesAndAddsUpTheirSizes) {
  const Artifact artifact = small();
  ASSERT_NE(artifact.find("weights/a.bin"), nullptr);
  EXPECT_EQ(artifact.find("weights/a.bin")->size_bytes, 3u);
  EXPECT_EQ(artifact.find("weights"), nullptr);
  EXPECT_EQ(artifact.total_bytes(), 5u);
}

TEST(Artifact, DigestIsOfNamesSizesAndContentAlone) {
  Artifact changed = small();
  changed.facets.clear();
  changed.facts = Json();
  EXPECT_EQ(changed.digest(), small().digest());
  changed.files[0].name = "confiG.json";
  EXPECT_NE(changed.digest(), small().digest());
  changed = small();
  changed.files[1].size_bytes = 4;
  EXPECT_NE(changed.digest(), small().digest());
  changed = small();
  changed.files[1].sha256 = sha256("bbb");
  EXPECT_NE(changed.digest(), small().digest());
}

// The digest is part of keys: it may not change while the bytes do not.
TEST(Artifact, DigestStaysWhatItWas) {
  EXPECT_EQ(small().digest(),
            sha256("qbuild-artifact 1\n" + sha256("{}").hex() + " 2 config.json\n" +
                   sha256("aaa").hex() + " 3 weights/a.bin\n"));
}

TEST(Artifact, TakesCanonicalNamesOnly) {
  for (const char* good : {"model.gguf", "a/b/c", "...", ".hidden", "with space", "\xC3\xBC"})
    EXPECT_TRUE(is_canonical_name(good)) << good;
  for (const char* bad : {"", "/", "/a", "a/", "a//b", ".", "..", "../a", "a/../b", "a/./b", "a\\b",
                          "a\nb", "\x7F", "\xFF", "a/.."})
    EXPECT_FALSE(is_canonical_name(bad)) << bad;
  EXPECT_FALSE(is_canonical_name(std::string("a\0b", 3)));
  EXPECT_TRUE(is_canonical_name(std::string(255, 'a')));
  EXPECT_FALSE(is_canonical_name(std::string(256, 'a')));
  std::string deep = "a";
  while (deep.size() <= 1024) deep += "/a";
  EXPECT_FALSE(is_canonical_name(deep));
}

TEST(Artifact, RefusesToWriteWhatItWouldNotRead) {
  Artifact artifact = small();
  artifact.files[0].name = "../escape";
  EXPECT_THAT(error_of([&] { (void)to_json(artifact); })->message(),
              HasSubstr("no canonical file name"));
  artifact = small();
  std::swap(artifact.files[0], artifact.files[1]);
  EXPECT_THAT(error_of([&] { (void)to_json(artifact); })->message(),
              HasSubstr("twice or out of order"));
  artifact = small();
  artifact.facets["x"] = "not hex";
  EXPECT_EQ(error_of([&] { (void)to_json(artifact); })->message(),
            "artifact: facet \"x\" is no lower-case hex digest");
  artifact = small();
  artifact.facts = Json(3);
  EXPECT_EQ(error_of([&] { (void)to_json(artifact); })->kind(), ErrorKind::kInvalidInput);
}

TEST(Artifact, RefusesAFileThatIsAlsoAFolder) {
  // "a-b" sorts between "a" and "a/b", so neighbours alone do not show it.
  const Artifact artifact = artifact_of({{"a", "1"}, {"a-b", "2"}, {"a/b", "3"}});
  EXPECT_EQ(error_of([&] { (void)to_json(artifact); })->message(),
            "artifact: a folder of \"a/b\" is a file too");
}

TEST(Artifact, TreatsHostileJsonAsCorrupt) {
  const std::string good = to_json(small()).dump();
  ASSERT_FALSE(error_of([&] { (void)artifact_from_json(Json::parse(good)); }));
  const auto replaced = [&](std::string_view what, std::string_view with) {
    std::string text = good;
    const std::size_t at = text.find(what);
    EXPECT_NE(at, std::string::npos) << what;
    return text.replace(at, what.size(), with);
  };
  for (const std::string& bad :
       {std::string("null"), std::string("[]"), std::string("{}"),
        replaced("config.json", "/etc/passwd"), replaced("config.json", "weights/b"),
        replaced("\"size\":2", "\"size\":-2"), replaced("\"size\":2", "\"size\":\"2\""),
        replaced("\"size\":2", "\"size\":2,\"mode\":1"),
        replaced("\"sha256\":\"", "\"sha256\":\"x"), replaced("00ff", "00FF"),
        replaced("{\"layers\":4}", "[4]"), replaced("\"facts\":", "\"other\":")}) {
    const std::optional<Error> error =
        error_of([&] { (void)artifact_from_json(Json::parse(bad)); });
    ASSERT_TRUE(error) << bad;
    EXPECT_EQ(error->kind(), ErrorKind::kCorrupt) << bad;
  }
}

}  // namespace
}  // namespace qbuild::cache
