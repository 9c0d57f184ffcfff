// Attacks by YAML itself: size, nesting, aliases, and bytes that are no text.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "manifests/limits.h"
#include "tests/manifests/hostile.h"

namespace qbuild::manifests {
namespace {

constexpr std::string_view kGood = "version: 1\nmodels:\n  a: {source: tiny, quants: [Q8_0]}\n";
constexpr std::size_t kHundredMegabytes = 100'000'000;

std::string good_and(std::string_view more) {
  return std::string(kGood) + std::string(more);
}

// Each list holds the one before nine times.
std::string laughs() {
  std::string text = "a0: &a0 [ha, ha, ha, ha, ha, ha, ha, ha, ha]\n";
  for (int i = 1; i < 40; ++i) {
    const std::string number = std::to_string(i);
    text += "a" + number + ": &a" + number + " [" +
            repeated("*a" + std::to_string(i - 1) + ", ", 9) + "]\n";
  }
  return text;
}

std::string indented_levels(std::size_t levels) {
  std::string text;
  for (std::size_t i = 0; i < levels; ++i) text += std::string(i, ' ') + "a:\n";
  return text;
}

const HostileManifest kRows[] = {
    {"BillionLaughs", laughs,
     "qbuild.yaml:5:5: more than 100000 values, those behind aliases included"},
    {"AliasesOfALongText",
     [] {
       return "a: &a " + std::string(1'000'000, 'x') + "\nb: [" + repeated("*a, ", 90000) + "]\n";
     },
     "qbuild.yaml:2:129: more than 32 MiB of values, those behind aliases included"},
    {"AnchorsInAnchors",
     [] {
       return "a: " + repeated("&x [", 60) + repeated("1, ", 5000) + std::string(60, ']') + "\n";
     },
     "qbuild.yaml:1:168: more than 100000 values, those behind aliases included"},
    {"AnchorInsideOfItself", [] { return std::string("a: &a {b: [1, *a]}\n"); },
     "qbuild.yaml:1:15: an alias inside of what it stands for"},
    {"AnchorsOfOneNode", [] { return "a: " + repeated("&a ", 100000) + "x\n"; },
     "qbuild.yaml:1:7: this is not YAML: cannot assign multiple anchors to the same node"},
    {"MergeOfSeveral",
     [] {
       return good_and("  b: &b {source: tiny}\n  c:\n    <<: [*b, *b]\n    quants: [Q8_0]\n");
     },
     "qbuild.yaml:6:5: merge keys (<<) are not read; use defaults or include"},
    {"TenThousandLists", [] { return "a: " + std::string(10000, '['); },
     "qbuild.yaml:1:5: a key must be text, not a list or a mapping"},
    {"TenThousandClosedLists",
     [] { return "a:\n  - " + std::string(10000, '[') + std::string(10000, ']') + "\n"; },
     "qbuild.yaml:2:67: nested deeper than 64 levels"},
    {"TenThousandMappings",
     [] { return "a: " + repeated("{a: ", 10000) + "x" + std::string(10000, '}') + "\n"; },
     "qbuild.yaml:1:256: nested deeper than 64 levels"},
    {"TenThousandMixed", [] { return "a: " + repeated("[{a: ", 5000) + "\n"; },
     "qbuild.yaml:1:5: a key must be text, not a list or a mapping"},
    {"TenThousandDashes", [] { return repeated("- ", 10000) + "x\n"; },
     "qbuild.yaml:1:129: nested deeper than 64 levels"},
    {"TenThousandQuestions", [] { return repeated("? ", 10000) + "x\n"; },
     "qbuild.yaml:1:3: a key must be text, not a list or a mapping"},
    {"ThousandIndentations", [] { return indented_levels(1000); },
     "qbuild.yaml:65:65: nested deeper than 64 levels"},
    {"TenThousandIndentations", [] { return indented_levels(10000); },
     "qbuild.yaml: the file is larger than 2 MiB, too large for a manifest"},
    {"HundredMegabytesInOneText",
     [] { return good_and("x: " + std::string(kHundredMegabytes, 'x') + "\n"); },
     "qbuild.yaml: the file is larger than 2 MiB, too large for a manifest"},
    {"HundredMegabytesOfItems", [] { return "a:\n" + repeated("- a\n", kHundredMegabytes / 4); },
     "qbuild.yaml: the file is larger than 2 MiB, too large for a manifest"},
    {"MillionItems", [] { return "a: [" + std::string(1'000'000, ',') + "]\n"; },
     "qbuild.yaml:1:100002: more than 100000 values, those behind aliases included"},
    {"HundredMegabytesOfKeys", [] { return repeated("k:\n", kHundredMegabytes / 3); },
     "qbuild.yaml: the file is larger than 2 MiB, too large for a manifest"},
    {"TwoHundredThousandKeys", [] { return numbered("k", 200'000, ":\n"); },
     "qbuild.yaml:50001:1: more than 100000 values, those behind aliases included"},
    {"BracketsToTheLimitOfTheFile", [] { return "a: " + std::string(kMaxFileBytes - 100, '['); },
     "qbuild.yaml:1:100004: more than 100000 values, those behind aliases included"},
    {"BracesLineByLine", [] { return "a: " + repeated("{\n", kMaxFileBytes / 2 - 100); },
     "qbuild.yaml:100001:1: more than 100000 values, those behind aliases included"},
    {"ColonsToTheLimitOfTheFile",
     [] { return "a: [" + std::string(kMaxFileBytes - 100, ':') + "]\n"; },
     "qbuild.yaml:1:2097056: this is not YAML: end of sequence flow not found"},
    {"EmptyLinesToTheLimitOfTheFile",
     [] { return good_and(std::string(kMaxFileBytes - 100, '\n')); }, ""},
    {"CommentsToTheLimitOfTheFile",
     [] { return good_and(repeated("#\n", kMaxFileBytes / 2 - 100)); }, ""},
    {"KeyToTheLimitOfTheFile", [] { return std::string(kMaxFileBytes - 100, 'k') + ": 1\n"; },
     "qbuild.yaml:1:2097053: this is not YAML: illegal map value"},
    {"DocumentsToTheLimitOfTheFile", [] { return repeated("--- ", kMaxFileBytes / 4 - 100); },
     "qbuild.yaml:1:5: expected a mapping for the manifest, found text"},
    {"Directives", [] { return repeated("%YAML 1.2\n", 10000) + "---\na: 1\n"; },
     "qbuild.yaml:2:1: this is not YAML: repeated YAML directive"},
    {"NulByte", [] { return good_and(std::string("x: a\0b\n", 7)); },
     "qbuild.yaml:4:5: this is not UTF-8 text"},
    {"NulByEscape", [] { return good_and("x: \"a\\0b\"\n"); },
     "qbuild.yaml:4:4: a text with a NUL character, which no name, path or argument can hold"},
    {"NulInAKey", [] { return good_and("\"x\\x00y\": 1\n"); },
     "qbuild.yaml:4:1: a text with a NUL character, which no name, path or argument can hold"},
    {"InvalidUtf8InAComment", [] { return good_and("# \xc3\x28\n"); },
     "qbuild.yaml:4:3: this is not UTF-8 text"},
    {"InvalidUtf8AfterWindowsLines",
     [] { return std::string("version: 1\r\nmodels:\r\n  größe: \x80\r\n"); },
     "qbuild.yaml:3:10: this is not UTF-8 text"},
    {"InvalidUtf8AfterOldMacLines", [] { return std::string("version: 1\rmodels:\r  a: \x80\r"); },
     "qbuild.yaml:1:25: this is not UTF-8 text"},
    {"Utf16", [] { return std::string("\xff\xfev\0e\0r\0", 8); },
     "qbuild.yaml:1:1: this is not UTF-8 text"},
    {"Latin1", [] { return good_and("  gr\xf6\xdf\x65: {}\n"); },
     "qbuild.yaml:4:5: this is not UTF-8 text"},
    {"ByteOrderMark", [] { return "\xef\xbb\xbf" + std::string(kGood); }, ""},
    {"TwoByteOrderMarks", [] { return "\xef\xbb\xbf\xef\xbb\xbf" + std::string(kGood); }, ""},
    {"WindowsLines",
     [] {
       return std::string(
           "version: 1\r\nmodels:\r\n  a: {source: tiny, quants: [Q8_0]}\r\nx: 1\r\n");
     },
     R"(qbuild.yaml:4:1: unknown key in a manifest: "x"; known: version, include, sets, defaults, models, licenses)"},
    {"TabsAsIndentation",
     [] { return std::string("version: 1\nmodels:\n\ta:\n\t\tsource: tiny\n"); },
     "qbuild.yaml:3:3: this is not YAML: illegal map value; lines are indented by spaces, not by "
     "tabs"},
    {"TabBehindSpaces", [] { return std::string("version: 1\nmodels:\n  a:\n  \tsource: tiny\n"); },
     "qbuild.yaml:4:10: this is not YAML: illegal map value; lines are indented by spaces, not by "
     "tabs"},
    {"TerminalSequenceInAKey", [] { return good_and("\"\\e[31mred\": 1\n"); },
     "qbuild.yaml:4:1: unknown key in a manifest: \"\\x1b[31mred\"; known: version, include, sets, "
     "defaults, models, licenses"},
    {"TerminalSequenceOfOneCharacter", [] { return good_and("\"\\x9b31mred\": 1\n"); },
     "qbuild.yaml:4:1: unknown key in a manifest: \"\\x9b31mred\"; known: version, include, sets, "
     "defaults, models, licenses"},
    {"NewLineInAKey", [] { return good_and("\"a\\nqbuild.yaml:1:1: all is well\": 1\n"); },
     "qbuild.yaml:4:1: unknown key in a manifest: \"a\\x0aqbuild.yaml:1:1: all is well\"; known: "
     "version, include, sets, defaults, models, licenses"},
    {"BellByByte", [] { return good_and("a\x07: 1\n"); },
     "qbuild.yaml:4:1: unknown key in a manifest: \"a\\x07\"; known: version, include, sets, "
     "defaults, models, licenses"},
    {"SurrogateByEscape", [] { return good_and("x: \"\\ud800\"\n"); },
     "qbuild.yaml:4:11: this is not YAML: invalid unicode: 55296"},
    {"TagOfAnotherLanguage",
     [] { return good_and("x: !!python/object/apply:os.system [\"true\"]\n"); },
     R"(qbuild.yaml:4:4: the tag "tag:yaml.org,2002:python/object/apply:os.system": tags are not read; leave it out)"},
    {"TagBomb", [] { return "a: " + std::string(1'000'000, '!') + "\n"; },
     "qbuild.yaml:1:6: this is not YAML: tag handle with no suffix"},
};

class HostileYaml : public HostileManifestTest {};

TEST_P(HostileYaml, IsAnsweredInBounds) {
  expect_errors();
}

INSTANTIATE_TEST_SUITE_P(Manifests, HostileYaml, testing::ValuesIn(kRows), HostileManifestName());

TEST(HostileYamlFloods, FortyThousandUnknownKeysAreCutToTwoHundredAndACount) {
  Project project;
  const std::string errors = errors_in_bounds(project, good_and(numbered("quant", 40000, ": 1\n")));
  EXPECT_EQ(
      first_line(errors),
      R"(qbuild.yaml:4:1: unknown key in a manifest: "quant0"; known: version, include, sets, defaults, models, licenses)");
  EXPECT_EQ(std::count(errors.begin(), errors.end(), '\n'), Diagnostics::kMaxTold);
  EXPECT_THAT(errors, testing::EndsWith("qbuild.yaml: and at least 800 more errors"));
}

TEST(HostileYamlFloods, FortyThousandDuplicateKeysAreCutToTwoHundredAndACount) {
  Project project;
  const std::string errors = errors_in_bounds(project, good_and(repeated("version: 1\n", 40000)));
  EXPECT_EQ(first_line(errors),
            R"(qbuild.yaml:4:1: duplicate key "version"; the first one is at qbuild.yaml:1:1)");
  EXPECT_THAT(errors, testing::EndsWith("qbuild.yaml: and at least 800 more errors"));
}

TEST(HostileYamlFloods, AMessageThatRepeatsAHugeKeyIsShort) {
  Project project;
  const std::string errors =
      errors_in_bounds(project, good_and("? " + std::string(1'000'000, 'k') + "\n: 1\n"));
  EXPECT_EQ(
      errors,
      R"(qbuild.yaml:4:3: unknown key in a manifest: "kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk..."; known: version, include, sets, defaults, models, licenses)");
}

}  // namespace
}  // namespace qbuild::manifests
