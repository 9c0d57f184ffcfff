// Attacks by values: names that leave their place, numbers beyond all bounds, expressions that cost
// more than they say.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "manifests/limits.h"
#include "manifests/tensor_pattern.h"
#include "tests/manifests/hostile.h"

namespace qbuild::manifests {
namespace {

std::string model_named(const std::string& name) {
  return "version: 1\nmodels:\n  ? \"" + name + "\"\n  : {source: tiny, quants: [Q8_0]}\n";
}

std::string variant_named(const std::string& name) {
  return with_model("    quants: [{name: \"" + name + "\", type: Q8_0}]\n");
}

std::string published_as(const std::string& file) {
  return with_model("    quants: [Q8_0]\n    publish: {repo: acme/x, hub: hub, file: \"" + file +
                    "\"}\n");
}

std::string published_in(const std::string& repo) {
  return with_model("    quants: [Q8_0]\n    publish: {hub: hub, repo: \"" + repo + "\"}\n");
}

std::string with_source(const std::string& source) {
  return "version: 1\nmodels:\n  a: {quants: [Q8_0], source: \"" + source + "\"}\n";
}

std::string with_text(const std::string& lines) {
  return with_model("    quants: [Q8_0]\n    benchmark: {perplexity: {text: text.txt, " + lines +
                    "}}\n");
}

std::string with_command(const std::string& keys) {
  return with_model("    quants: [{method: command, name: c, run: [x], " + keys + "}]\n");
}

std::string with_rule(const std::string& match) {
  return with_model("    quants: [{name: c, base: Q8_0, rules: [{type: Q4_0, match: '" + match +
                    "'}]}]\n");
}

const HostileManifest kRows[] = {
    // Names.
    {"ModelOfThreeHundredBytes", [] { return model_named(std::string(300, 'm')); },
     R"(qbuild.yaml:3:5: "mmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmm..." cannot be the name of a model: it is longer than 96 characters)"},
    {"ModelThatLeavesItsFolder", [] { return model_named(".."); },
     R"(qbuild.yaml:3:5: ".." cannot be the name of a model: it begins with ".")"},
    {"ModelThatClimbs", [] { return model_named("../../etc"); },
     R"(qbuild.yaml:3:5: "../../etc" cannot be the name of a model: it begins with ".")"},
    {"ModelAtTheRoot", [] { return model_named("/etc/passwd"); },
     R"(qbuild.yaml:3:5: "/etc/passwd" cannot be the name of a model: it may have letters, digits, ".", "_" and "-" only)"},
    {"ModelWithABackslash", [] { return model_named("a\\\\b"); },
     "qbuild.yaml:3:5: \"a\\b\" cannot be the name of a model: it may have letters, digits, \".\", "
     "\"_\" and \"-\" only"},
    {"ModelWithABell", [] { return model_named("a\\ab"); },
     "qbuild.yaml:3:5: \"a\\x07b\" cannot be the name of a model: it may have letters, digits, "
     "\".\", \"_\" and \"-\" only"},
    {"ModelThatReadsBackwards", [] { return model_named("a\\u202eb"); },
     "qbuild.yaml:3:5: \"a\\u202eb\" cannot be the name of a model: it may have letters, digits, "
     "\".\", \"_\" and \"-\" only"},
    {"ModelWithoutAName", [] { return model_named(""); },
     R"(qbuild.yaml:3:5: "" cannot be the name of a model: it is empty)"},
    {"ModelThatIsAnOption", [] { return model_named("--store=x"); },
     R"(qbuild.yaml:3:5: "--store=x" cannot be the name of a model: it begins with "-")"},
    {"ModelsThatDifferByCase",
     [] {
       return std::string(
           "version: 1\ndefaults: {quants: [Q8_0]}\nmodels:\n  Bard: {source: "
           "tiny}\n  bARD: {source: tiny}\n");
     },
     R"(qbuild.yaml:5:3: the model "bARD" stands twice; the first is at qbuild.yaml:4:3)"},
    {"VariantOfThreeHundredBytes", [] { return variant_named(std::string(300, 'v')); },
     R"(qbuild.yaml:5:21: "vvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvv..." cannot be the name of a variant: it is longer than 96 characters)"},
    {"VariantThatLeavesItsFolder", [] { return variant_named("../x"); },
     R"(qbuild.yaml:5:21: "../x" cannot be the name of a variant: it begins with ".")"},
    {"VariantThatIsAStep", [] { return variant_named("publish"); },
     R"(qbuild.yaml:5:14: "publish" is the name of a step; give the variant another one)"},
    {"VariantsThatDifferByCase",
     [] {
       return with_model("    quants: [{name: Fine, type: Q8_0}, {name: fINE, type: Q4_0}]\n");
     },
     R"(qbuild.yaml:5:40: the variant "fINE" stands twice; the first is at qbuild.yaml:5:14)"},
    {"TextNamedAsAFolder", [] { return with_text("name: a/b"); },
     R"(qbuild.yaml:6:52: "a/b" cannot be the name of a text: it may have letters, digits, ".", "_" and "-" only)"},
    {"ListedModelNamedByAClimb",
     [] { return std::string("version: 1\ndefaults: {quants: [Q8_0]}\nmodels: [../..]\n"); },
     R"(qbuild.yaml:3:10: no name follows from "../.."; declare the model in a mapping with a name of its own)"},
    // What is published.
    {"FileThatLeavesItsRepository", [] { return published_as("../../{variant}"); },
     R"(qbuild.yaml:6:45: "../../Q8_0.gguf" cannot be the name of a file: it begins with a dot or a space)"},
    {"FileAtTheRoot", [] { return published_as("/tmp/{variant}"); },
     R"(qbuild.yaml:6:45: "/tmp/Q8_0.gguf" cannot be the name of a file: folders come from the layout; it may not contain a slash)"},
    {"FileBehindABackslash", [] { return published_as("..\\\\{variant}"); },
     "qbuild.yaml:6:45: \"..\\Q8_0.gguf\" cannot be the name of a file: it begins with a dot or a "
     "space"},
    {"FileThatIsHidden", [] { return published_as(".{variant}"); },
     R"(qbuild.yaml:6:45: ".Q8_0.gguf" cannot be the name of a file: it begins with a dot or a space)"},
    {"FileOfThreeHundredBytes", [] { return published_as(std::string(300, 'f') + "-{variant}"); },
     R"(qbuild.yaml:6:45: "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff..." cannot be the name of a file: it is longer than 200 bytes)"},
    {"FileWithANewLine", [] { return published_as("a\\n{variant}"); },
     "qbuild.yaml:6:45: \"a\\x0aQ8_0.gguf\" cannot be the name of a file: it contains a control "
     "character"},
    {"FileWithAnEscape", [] { return published_as("a\\e[2J{variant}"); },
     "qbuild.yaml:6:45: \"a\\x1b[2JQ8_0.gguf\" cannot be the name of a file: it contains a control "
     "character"},
    {"FileWithAnEscapeOfOneCharacter", [] { return published_as("a\\x9b2J{variant}"); },
     "qbuild.yaml:6:45: \"a\\x9b2JQ8_0.gguf\" cannot be the name of a file: it contains a control "
     "character"},
    {"FileThatReadsBackwards", [] { return published_as("fugg.\\u202e{variant}"); },
     "qbuild.yaml:6:45: \"fugg.\\u202eQ8_0.gguf\" cannot be the name of a file: it contains a "
     "control character"},
    {"FileByAVariableThatClimbs",
     [] {
       return std::string(
           "version: 1\nmodels:\n  'm-{a}': {source: tiny, quants: [Q8_0], matrix: {a: "
           "['../x']}, publish: {repo: acme/x, hub: hub, file: '{a}-{variant}'}}\n");
     },
     R"(qbuild.yaml:3:3: "m-../x" cannot be the name of a model: it may have letters, digits, ".", "_" and "-" only)"},
    {"RepositoriesThatDifferByCase",
     [] {
       return with_model(
           "    quants: [Q8_0]\n    publish: {repo: acme/x, hub: hub, file: 'x-{variant}'}\n  b:\n"
           "    source: tiny\n    quants: [Q8_0]\n    publish: {repo: ACME/X, hub: hub}\n");
     },
     R"(qbuild.yaml:10:21: the repository ACME/X is filled by the model "a" already; give the model "b" one of its own)"},
    {"FilesOfOneName",
     [] {
       return with_model(
           "    quants: [Q8_0, Q4_0]\n    publish: {repo: acme/x, hub: hub, file: x-q8_0}\n");
     },
     R"(qbuild.yaml:5:20: "x-q8_0.gguf" and "x-q8_0.gguf" (at qbuild.yaml:5:14) are one name where case is ignored; "publish.file" needs {variant})"},
    {"FileOverTheCard",
     [] {
       return with_model(
           "    quants: [{method: command, name: README.md, run: [x], outputs: ['*']}]\n"
           "    publish: {repo: acme/x, hub: hub, layout: folders}\n");
     },
     R"(qbuild.yaml:5:14: "README.md" is the name of a file that every repository gets)"},
    {"RepositoryThatClimbs", [] { return published_in("../../etc/x"); },
     R"(qbuild.yaml:6:31: "../../etc/x" is no repository: it must be "owner/name")"},
    {"RepositoryWithoutAnOwner", [] { return published_in("/x"); },
     R"(qbuild.yaml:6:31: "/x" is no repository: owner and name have 1 to 96 letters, digits, "_", "-" and ".", do not begin or end with "-" or ".", and contain no "--" or "..")"},
    {"RepositoryOfDots", [] { return published_in("../.."); },
     R"(qbuild.yaml:6:31: "../.." is no repository: owner and name have 1 to 96 letters, digits, "_", "-" and ".", do not begin or end with "-" or ".", and contain no "--" or "..")"},
    {"RepositoryOfThreeHundredBytes", [] { return published_in("acme/" + std::string(300, 'r')); },
     R"(qbuild.yaml:6:31: "acme/rrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrr..." is no repository: owner and name have 1 to 96 letters, digits, "_", "-" and ".", do not begin or end with "-" or ".", and contain no "--" or "..")"},
    {"RepositoryWithANewLine", [] { return published_in("acme/x\\ny"); },
     "qbuild.yaml:6:31: \"acme/x\\x0ay\" is no repository: owner and name have 1 to 96 letters, "
     "digits, \"_\", \"-\" and \".\", do not begin or end with \"-\" or \".\", and contain no "
     "\"--\" or \"..\""},
    {"OutputThatClimbs", [] { return with_command("outputs: ['a/../../b']"); },
     R"(qbuild.yaml:5:61: "a/../../b" is no pattern of outputs: it leaves {out})"},
    {"OutputAtTheRoot", [] { return with_command("outputs: ['/etc/*']"); },
     R"(qbuild.yaml:5:61: "/etc/*" is no pattern of outputs: it is not relative to {out})"},
    {"OutputByAVariableThatClimbs",
     [] {
       return std::string(
           "version: 1\nmodels:\n  'm-{a}': {source: tiny, matrix: {a: ['../x']}, quants: "
           "[{method: command, name: c, run: [x], outputs: ['{a}']}]}\n");
     },
     R"(qbuild.yaml:3:3: "m-../x" cannot be the name of a model: it may have letters, digits, ".", "_" and "-" only)"},
    {"EnvironmentOfNoName", [] { return with_command("outputs: [y], environment: {'LD=x': '1'}"); },
     R"(qbuild.yaml:5:79: "LD=x" is no name for an environment variable)"},
    // Paths.
    {"PathLongerThanTheSystemTakes", [] { return with_source(repeated("abcdefg/", 600)); },
     R"(qbuild.yaml:3:31: "abcdefg/abcdefg/abcdefg/abcdefg/abcdefg/abcdefg/abcdefg/abcd...": a path has at most 4095 bytes)"},
    {"PathOfManyParts", [] { return with_source(repeated("./", 2000)); },
     R"(qbuild.yaml:3:31: "././././././././././././././././././././././././././././././...": a path has at most 128 parts)"},
    {"PathWithALongName", [] { return with_source(std::string(300, 's')); },
     R"(qbuild.yaml:3:31: "ssssssssssssssssssssssssssssssssssssssssssssssssssssssssssss...": a name in a path has at most 255 bytes)"},
    // Numbers.
    {"NumberBeyondWords", [] { return with_text("context: 99999999999999999999999"); },
     R"(qbuild.yaml:6:55: expected a whole number for "context", found a number beyond all bounds; for example 512)"},
    {"NumberBelowWords", [] { return with_text("context: -99999999999999999999999"); },
     R"(qbuild.yaml:6:55: expected a whole number for "context", found a number beyond all bounds; for example 512)"},
    {"NumberWithEightThousandDigits",
     [] { return with_text("context: " + std::string(8000, '9')); },
     R"(qbuild.yaml:6:55: expected a whole number for "context", found a number beyond all bounds; for example 512)"},
    {"NumberOfZeros", [] { return with_text("context: " + std::string(8000, '0')); },
     R"(qbuild.yaml:6:55: "context" must be from 8 to 1048576, not "000000000000000000000000000000000000000000000000000000000000...")"},
    {"NumberInHexadecimal", [] { return with_text("context: 0x200"); },
     R"(qbuild.yaml:6:55: expected a whole number for "context", found text; for example 512)"},
    {"NumberThatIsNone", [] { return with_text("context: .nan"); },
     R"(qbuild.yaml:6:55: expected a whole number for "context", found text; for example 512)"},
    {"NumberBelowItsRange", [] { return with_text("context: -1"); },
     R"(qbuild.yaml:6:55: "context" must be from 8 to 1048576, not -1)"},
    {"NumberAboveItsRange", [] { return with_text("context: 4294967808"); },
     R"(qbuild.yaml:6:55: "context" must be from 8 to 1048576, not 4294967808)"},
    {"VersionBeyondWords",
     [] {
       return std::string(
           "version: 99999999999999999999\nmodels: {a: {source: tiny, quants: Q8_0}}\n");
     },
     R"(qbuild.yaml:1:10: expected a whole number for "version", found a number beyond all bounds; for example 1)"},
    {"GateBeyondAllBounds",
     [] { return with_model("    quants: Q8_0\n    gates: {perplexity_ratio: {max: 1e400}}\n"); },
     R"(qbuild.yaml:6:37: expected a number for "max", found a number beyond all bounds; for example 1.03)"},
    {"GateOfInfinity",
     [] { return with_model("    quants: Q8_0\n    gates: {perplexity_ratio: {max: .inf}}\n"); },
     R"(qbuild.yaml:6:37: expected a number for "max", found text; for example 1.03)"},
    {"MemoryBeyondWords",
     [] { return with_command("outputs: [y], resources: {memory: 99999999999999999TiB}"); },
     R"(qbuild.yaml:5:85: "99999999999999999TiB" is no size; write it as in "8GiB")"},
    {"MemoryBelowNothing", [] { return with_command("outputs: [y], resources: {memory: -1GiB}"); },
     R"(qbuild.yaml:5:85: "-1GiB" is no size; write it as in "8GiB")"},
    {"MemoryWithAnExponent",
     [] { return with_command("outputs: [y], resources: {memory: 1e400GiB}"); },
     R"(qbuild.yaml:5:85: "1e400GiB" is no size; write it as in "8GiB")"},
    {"LayersBeyondWords",
     [] {
       return with_model(
           "    quants: [{name: c, base: Q8_0, rules: [{match: a, type: Q4_0, layers: "
           "'0-99999999999'}]}]\n");
     },
     R"(qbuild.yaml:5:75: "0-99999999999" is no list of layers; write them as in "0-3,-4..-1")"},
    {"LayersWithoutEnd",
     [] {
       return with_model(
           "    quants: [{name: c, base: Q8_0, rules: [{match: a, type: Q4_0, "
           "layers: '" +
           repeated("1,", 4000) + "1'}]}]\n");
     },
     R"(qbuild.yaml:5:75: "1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,..." is no list of layers; write them as in "0-3,-4..-1")"},
    // Regular expressions.
    {"ExpressionThatRepeatsRepetitions", [] { return with_rule("((a{1,99}){1,99}){1,99}"); },
     R"(qbuild.yaml:5:64: "((a{1,99}){1,99}){1,99}" is too large a regular expression: at most 512 bytes, and 50000 parts with its repetitions; take several rules)"},
    {"ExpressionOfAHugeRepetition", [] { return with_rule("a{99999999999999999999}"); },
     R"(qbuild.yaml:5:64: "a{99999999999999999999}" is too large a regular expression: at most 512 bytes, and 50000 parts with its repetitions; take several rules)"},
    {"ExpressionOfManyClasses", [] { return with_rule(repeated("\\w", 200)); },
     "qbuild.yaml:5:64: "
     "\"\\w\\w\\w\\w\\w\\w\\w\\w\\w\\w\\w\\w\\w\\w\\w\\w\\w\\w\\w\\w\\w\\w\\w\\w\\w\\w\\w\\w\\w\\w."
     "..\" is too large a regular expression: at most 512 bytes, and 50000 parts with its "
     "repetitions; take several rules"},
    {"ExpressionOfManyBytes", [] { return with_rule(std::string(513, 'a')); },
     R"(qbuild.yaml:5:64: "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa..." is too large a regular expression: at most 512 bytes, and 50000 parts with its repetitions; take several rules)"},
    {"ExpressionThatRefersBack", [] { return with_rule("(a+)\\1"); },
     "qbuild.yaml:5:64: \"(a+)\\1\" is no regular expression (ECMAScript without back-references)"},
    {"ExpressionThatIsOpen", [] { return with_rule(std::string(500, '(')); },
     R"(qbuild.yaml:5:64: "((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((..." is no regular expression (ECMAScript without back-references))"},
    {"ExpressionsWithoutEnd",
     [] {
       std::string rules;
       for (int i = 0; i < 600; ++i)
         rules +=
             "      - {match: '" + repeated("[a]", 160) + std::to_string(i) + "', type: Q8_0}\n";
       return with_model("    quants:\n    - name: c\n      base: Q8_0\n      rules:\n" + rules);
     },
     R"(qbuild.yaml:57:17: "[a][a][a][a][a][a][a][a][a][a][a][a][a][a][a][a][a][a][a][a]..." is one regular expression too many for one load; take several manifests)"},
};

class HostileValues : public HostileManifestTest {};

TEST_P(HostileValues, AreAnsweredInBounds) {
  expect_errors();
}

INSTANTIATE_TEST_SUITE_P(Manifests, HostileValues, testing::ValuesIn(kRows), HostileManifestName());

}  // namespace
}  // namespace qbuild::manifests
