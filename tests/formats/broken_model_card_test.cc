// Front matter that is wrong, and what is said of it.

#include "formats/model_card.h"
#include "tests/formats/broken_file.h"

namespace qbuild::formats {
namespace {

using Kind = ErrorKind;

std::string front(const std::string& yaml) {
  return "---\n" + yaml + "\n---\n# Title\n";
}

class BrokenFrontMatter : public BrokenFileTest {};

TEST_P(BrokenFrontMatter, IsRefused) {
  expect_refusal("/m/README.md", [](FileSystem& files) {
    return read_front_matter(read_file(files, "/m/README.md", std::uint64_t{4} << 20U));
  });
}

INSTANTIATE_TEST_SUITE_P(
    Yaml, BrokenFrontMatter,
    testing::Values(BrokenFile{"List", front("- a"), Kind::kInvalidInput,
                               "front matter: 2:1: it is no mapping"},
                    BrokenFile{"Word", front("words"), Kind::kInvalidInput,
                               "front matter: 2:1: it is no mapping"},
                    BrokenFile{"CutInAList", front("a: 1\nb: [1, 2"), Kind::kInvalidInput,
                               "front matter: 4:1: end of sequence flow not found"},
                    BrokenFile{"UnknownEscape", front("a: \"\\q\""), Kind::kInvalidInput,
                               "front matter: 2:7: unknown escape character: q"},
                    BrokenFile{"TabForSpaces", front("a:\n\tb: 1"), Kind::kInvalidInput,
                               "front matter: 3:3: illegal map value"},
                    BrokenFile{"KeyTwice", front("a: 1\nb: 2\n\"a\": 3"), Kind::kInvalidInput,
                               "front matter: 4:1: the key \"a\" twice"},
                    BrokenFile{"KeyOfTwoLinesTwice", front("\"a\\nb\": 1\n\"a\\nb\": 2"),
                               Kind::kInvalidInput, "front matter: 3:1: the key \"a\\x0ab\" twice"},
                    BrokenFile{"KeyThatIsAList", front("? [a]\n: b"), Kind::kInvalidInput,
                               "front matter: 2:3: a key must be a word"},
                    BrokenFile{"NotUtf8", front("a: b\nc: \xff"), Kind::kInvalidInput,
                               "front matter: 3:4: this is not UTF-8"},
                    BrokenFile{"NoCharacter", front("a: b\nc: \"x\uFFFF\""), Kind::kInvalidInput,
                               "front matter: 3:4: this holds a code point that is no character"},
                    BrokenFile{"NoCharacterOfAnotherPlane", front("a: \U0010FFFE"),
                               Kind::kInvalidInput,
                               "front matter: 2:4: this holds a code point that is no character"},
                    BrokenFile{"NoCharacterInAKey", front("a\uFDD0: 1"), Kind::kInvalidInput,
                               "front matter: 2:1: this holds a code point that is no character"},
                    BrokenFile{"Alias", front("a: &x [1]\nb: *x"), Kind::kInvalidInput,
                               "front matter: 3:4: aliases are not read here"},
                    BrokenFile{"BillionLaughs",
                               front("a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\nd: [*c, *c]"),
                               Kind::kInvalidInput, "front matter: 3:8: aliases are not read here"},
                    BrokenFile{"MergeOfAnAlias", front("a: &a {b: 1}\nc:\n  <<: *a"),
                               Kind::kInvalidInput, "front matter: 4:7: aliases are not read here"},
                    BrokenFile{"TenThousandLevels", front("a: " + std::string(10'000, '[')),
                               Kind::kInvalidInput, "front matter: 2:5: a key must be a word"},
                    BrokenFile{"TwoMegabytes", front("a: " + std::string(2'000'000, 'x')),
                               Kind::kExhausted,
                               "front matter: 2000004 bytes; at most 786432 are read"}),
    BrokenFileName());

}  // namespace
}  // namespace qbuild::formats
