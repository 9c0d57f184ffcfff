#include "hub/git_attributes.h"

#include "tests/hub/support.h"

namespace qbuild::hub {
namespace {

TEST(GitAttributesText, BeginsWithTheHubsOwnLines) {
  const std::string text = default_git_attributes();
  // The Hub's file has 1519 bytes; the line for *.gguf follows it.
  EXPECT_EQ(text.substr(1519), "*.gguf filter=lfs diff=lfs merge=lfs -text\n");
  EXPECT_EQ(text.substr(0, 41), "*.7z filter=lfs diff=lfs merge=lfs -text\n");
}

TEST(GitAttributesText, DefaultsCoverWeightsAndNotText) {
  const GitAttributes attributes(default_git_attributes());
  for (const char* lfs : {"model.gguf", "Q4_K_M/model-Q4_K_M.gguf", "model.safetensors", "a.bin",
                          "x.tar.gz", "saved_model/variables/a", "saved_model/a/b/c",
                          "events.tfevents.1", "a.lfs.b", "tokenizer.model"})
    EXPECT_TRUE(attributes.is_lfs(lfs)) << lfs;
  for (const char* regular : {"README.md", "config.json", "model.ggufx", "gguf", "a/saved_model/x",
                              "tokenizer.json", ".gitattributes"})
    EXPECT_FALSE(attributes.is_lfs(regular)) << regular;
}

TEST(GitAttributesText, TheLastMatchingLineDecides) {
  const GitAttributes attributes(
      "# a comment\n"
      "\n"
      "*.json filter=lfs -text\n"
      "config.json -filter\r\n"
      "*.txt text\n"
      "docs/** filter=lfs\n"
      "docs/*.md !filter");
  EXPECT_TRUE(attributes.is_lfs("a/b.json"));
  EXPECT_FALSE(attributes.is_lfs("config.json"));
  EXPECT_FALSE(attributes.is_lfs("a.txt"));
  EXPECT_TRUE(attributes.is_lfs("docs/a/b.md"));
  EXPECT_FALSE(attributes.is_lfs("docs/b.md"));
}

TEST(GitAttributesText, AnyTextParses) {
  for (const char* text :
       {"", "\"", "\"\\", "[", "* ", "   \n\n#", "\"a b\" filter=lfs", "\xFF\x00 filter=lfs"})
    EXPECT_FALSE(GitAttributes(text).is_lfs("README.md")) << text;
}

TEST(GitAttributesText, ALineForOnePathMatchesThatPath) {
  for (const std::string path : {"a/b.dat", "with space.dat", "we*ird[1]?.dat", "qu\"ote\\.dat",
                                 "#hash.dat", "!bang.dat", "dir/\xC3\xBC x.dat"}) {
    const GitAttributes attributes(attributes_line(path));
    EXPECT_TRUE(attributes.is_lfs(path)) << attributes_line(path);
    EXPECT_FALSE(attributes.is_lfs("other/name.dat"));
  }
  EXPECT_FALSE(GitAttributes(attributes_line("we*ird.dat")).is_lfs("we-ird.dat"));
}

struct PatternCase {
  const char* pattern;
  const char* path;
  bool matches;
};

TEST(GitAttributesPattern, FollowsGit) {
  const PatternCase cases[] = {
      {"*.bin", "a.bin", true},
      {"*.bin", "d/a.bin", true},
      {"*.bin", "a.bin.txt", false},
      {"/*.bin", "d/a.bin", false},
      {"/*.bin", "a.bin", true},
      {"d/*.bin", "d/e/a.bin", false},
      {"d/**/a", "d/a", true},
      {"d/**/a", "d/x/y/a", true},
      {"**/a", "a", true},
      {"**/a", "x/y/a", true},
      {"d/**", "d/x/y", true},
      {"d/**", "d", false},
      {"a?c", "abc", true},
      {"a?c", "a/c", false},
      {"[a-c]x", "bx", true},
      {"[!a-c]x", "bx", false},
      {"[!a-c]x", "dx", true},
      {"[]x]y", "]y", true},
      {"[ab", "[ab", true},
      {"\\*", "*", true},
      {"\\*", "x", false},
      {"a**b", "axxb", true},
      {"d/a**b", "d/a/b", false},
      {"", "a", false},
      {"*", "", true},
      {"dir/", "dir", false},
      {"[a-]z", "-z", true},
  };
  for (const PatternCase& c : cases)
    EXPECT_EQ(attribute_pattern_matches(c.pattern, c.path), c.matches)
        << c.pattern << " on " << c.path;
}

TEST(GitAttributesPattern, ManyStarsStayCheap) {
  std::string pattern;
  for (int i = 0; i < 200; ++i) pattern += "*a";
  EXPECT_FALSE(attribute_pattern_matches(pattern + "b", std::string(1000, 'a')));
  EXPECT_TRUE(attribute_pattern_matches(pattern, std::string(1000, 'a')));
}

TEST(GitAttributesText, AZeroByteNearTheFrontIsBinary) {
  EXPECT_FALSE(looks_binary(""));
  EXPECT_FALSE(looks_binary("text\n"));
  EXPECT_TRUE(looks_binary(std::string("a\0b", 3)));
  EXPECT_FALSE(looks_binary(std::string(8000, 'a') + std::string(1, '\0')));
  EXPECT_TRUE(looks_binary(std::string(7999, 'a') + std::string(1, '\0')));
}

TEST(GitAttributesText, ThePointerIsGitLfss) {
  EXPECT_EQ(lfs_pointer(sha256("x"), 12345),
            "version https://git-lfs.github.com/spec/v1\noid sha256:" + sha256("x").hex() +
                "\nsize 12345\n");
}

}  // namespace
}  // namespace qbuild::hub
