#include "tests/tidy/documents.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace qbuild::tidy {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(Documents, AcceptsCitationsFromTheRootAndFromTheirOwnFolder) {
  EXPECT_THAT(find_missing_documents({{"docs/a.md", "# A\n"},
                                      {"cache/README.md", "# B\n"},
                                      {"cache/a.h", "// Source: docs/a.md.\n  // README.md, 3.\n"},
                                      {"base/a.cmake", "# docs/a.md has it\n"}}),
              IsEmpty());
}

TEST(Documents, FindsCitationsOfWhatIsNotThere) {
  EXPECT_THAT(find_missing_documents({{"docs/a.md", "# A\n"},
                                      {"base/a.h", "int x;\n// Source: a.md 3.1\n"},
                                      {"cache/a.cc", "  // (docs/b.md) and docs/a.md\n"},
                                      {"dev", "# see c.md\n"}}),
              ElementsAre("base/a.h:2: cites a.md, which is not there",
                          "cache/a.cc:1: cites docs/b.md, which is not there",
                          "dev:1: cites c.md, which is not there"));
}

TEST(Documents, TakesOtherTextForNoCitation) {
  EXPECT_THAT(find_missing_documents({{"a.cc", "f(\"b.md\");\n// a place: \"c.md\", 3\n"},
                                      {"b.sh", "# a.md.mustache\ncat c.md\n"}}),
              IsEmpty());
}

TEST(Documents, FindsLinksToWhatIsNotThere) {
  EXPECT_THAT(
      find_missing_documents(
          {{"docs/a/b.md", "[x](../c.md#part) [y](https://x.org/d.md) [z](#b)\n[w](c.md)\n"},
           {"docs/c.md", "[a folder](a) [code](../base/x.h)\n"}}),
      ElementsAre("docs/a/b.md:2: links to c.md, which is not there",
                  "docs/c.md:1: links to ../base/x.h, which is not there"));
}

TEST(Documents, AcceptsQuotesThatAreInTheFile) {
  EXPECT_THAT(find_stale_quotes({{"examples/x.cc", "int f() {\n  int a = 1;\n\n  return a;\n}\n"},
                                 {"docs/a.md",
                                  "<!-- quoted from examples/x.cc -->\n```cpp\n  int a = 1;\n\n"
                                  "  return a;\n```\nint b;\n"},
                                 {"base/a.h",
                                  "// Quoted from examples/x.cc:\n//\n//   int a = 1;\n//\n"
                                  "//   return a;\n//\n// More.\n"}}),
              IsEmpty());
}

TEST(Documents, FindsQuotesThatAreNot) {
  EXPECT_THAT(
      find_stale_quotes({{"examples/x.cc", "int a = 1;\nint b = 2;\n"},
                         {"base/a.h", "// Quoted from examples/x.cc:\n//\n//   int a = 2;\n"},
                         {"docs/a.md", "<!-- quoted from examples/x.cc -->\nint a = 1;\n"},
                         {"docs/b.md", "\n<!-- quoted from y.cc -->\n```cpp\nint a = 1;\n```\n"}}),
      ElementsAre("base/a.h:1: what is quoted is not in examples/x.cc",
                  "docs/a.md:1: what is quoted is not in examples/x.cc",
                  "docs/b.md:2: y.cc is not there"));
}

const std::vector<TypeFacts> kTypes{{"F16", 1, 2}, {"Q4_K", 256, 144}};

TEST(Documents, AcceptsPagesThatSayWhatATypeIs) {
  EXPECT_THAT(
      find_wrong_type_pages(
          {{"docs/types/README.md",
            "| F16 | 1 | 2 | 16 | [plain](plain.md#f16) | norms |\n"
            "| Q4_K | 256 | 144 | 4.5 | [K](k.md#q4_k) | most |\n| form | x |\n"},
           {"docs/types/plain.md", "## F16\n\n1 value in 2 bytes: 16 bits per weight.\n"},
           {"docs/types/k.md",
            "# K\n## Search\ntext\n## Q4_K\n256 values in 144 bytes: 4.5 bits per weight.\n"}},
          kTypes),
      IsEmpty());
}

TEST(Documents, FindsPagesThatSayOtherwise) {
  EXPECT_THAT(
      find_wrong_type_pages(
          {{"docs/types/README.md",
            "| F16 | 1 | 2 | 16 | [plain](other.md#f16) | norms |\n"
            "| Q4_K | 256 | 144 | 4.25 | [K](k.md#q4_k) | most |\n| Q9_K | 1 |\n"},
           {"docs/types/k.md",
            "## Q4_K\n\n256 values in 144 bytes: 4.25 bits per weight.\n\n## IQ9_XS\n"},
           {"docs/types/plain.md", "## F16\n1 value in 2 bytes: 16 bits per weight.\n## F16\n"}},
          kTypes),
      ElementsAre(
          "docs/types/: 2 headings \"## F16\" instead of one",
          "docs/types/README.md: 0 rows \"| F16 | 1 | 2 | 16 | ...](plain.md#f16) |\" instead of "
          "one",
          "docs/types/k.md:1: \"256 values in 144 bytes: 4.25 bits per weight.\" instead of \"256 "
          "values in 144 bytes: 4.5 bits per weight.\"",
          "docs/types/README.md: 0 rows \"| Q4_K | 256 | 144 | 4.5 | ...](k.md#q4_k) |\" instead "
          "of "
          "one",
          "docs/types/k.md:5: there is no type IQ9_XS",
          "docs/types/README.md:3: there is no type Q9_K"));
}

TEST(Documents, FindsTypesWithoutAPage) {
  EXPECT_THAT(find_wrong_type_pages({}, {{"F32", 1, 4}}),
              ElementsAre("docs/types/: 0 headings \"## F32\" instead of one",
                          "docs/types/README.md: 0 rows \"| F32 | 1 | 4 | 32 | ...](#f32) |\" "
                          "instead of one"));
}

}  // namespace
}  // namespace qbuild::tidy
