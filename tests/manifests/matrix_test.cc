#include "manifests/matrix.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/manifests/broken.h"

namespace qbuild::manifests {
namespace {

std::vector<std::string> combined(const std::string& text) {
  Diagnostics diagnostics;
  const std::uint32_t file = diagnostics.add_file({"/p/a.yaml", "a.yaml"});
  TreeSize size;
  const auto matrix = parse_yaml(text, file, size, diagnostics);
  std::vector<std::string> all;
  for (const auto& one : combinations(*matrix, diagnostics)) {
    std::string line;
    for (const MatrixValue& value : one) line += value.variable + "=" + value.value + " ";
    all.push_back(line);
  }
  EXPECT_TRUE(diagnostics.empty());
  return all;
}

TEST(Matrix, TheFirstVariableChangesSlowest) {
  EXPECT_THAT(combined("{a: [1, 2], b: [x, y]}"),
              testing::ElementsAre("a=1 b=x ", "a=1 b=y ", "a=2 b=x ", "a=2 b=y "));
}

TEST(Matrix, ValuesStayAsTheyAreWritten) {
  EXPECT_THAT(combined("{a: [0.50, 1e3, true, '07']}"),
              testing::ElementsAre("a=0.50 ", "a=1e3 ", "a=true ", "a=07 "));
}

TEST(Matrix, AnExcludeOfSomeVariablesTakesAllThatMatchThem) {
  EXPECT_THAT(combined("{a: [1, 2], b: [x, y], exclude: [{a: 2}]}"),
              testing::ElementsAre("a=1 b=x ", "a=1 b=y "));
  EXPECT_THAT(combined("{a: [1, 2], b: [x, y], exclude: [{a: 2, b: x}, {a: 1, b: y}]}"),
              testing::ElementsAre("a=1 b=x ", "a=2 b=y "));
}

const BrokenManifest kBroken[] = {
    {"ValueTwice",
     R"(version: 1
models:
  'a-{size}': {source: '{size}', quants: [Q8_0], matrix: {size: [tiny, tiny]}}
)",
     R"(qbuild.yaml:3:72: the value "tiny" stands twice)"},
    {"UnknownExclude",
     R"(version: 1
models:
  'a-{size}': {source: '{size}', quants: [Q8_0], matrix: {size: [tiny, small], exclude: [{siz: tiny}, {size: tni}]}}
)",
     R"(qbuild.yaml:3:91: unknown variable "siz"; did you mean "size"?
qbuild.yaml:3:110: unknown value of "size": "tni"; known: tiny, small)"},
    {"NothingLeft",
     R"(version: 1
models:
  'a-{size}': {source: '{size}', quants: [Q8_0], matrix: {size: [tiny], exclude: [{size: tiny}]}}
)",
     "qbuild.yaml:3:82: the excludes leave no combination"},
    {"NamesOfVariables",
     R"(version: 1
models:
  'a-{model}': {source: tiny, quants: [Q8_0], matrix: {model: [x], Size: [y]}}
)",
     R"(qbuild.yaml:3:56: "model" is a variable already; choose another name
qbuild.yaml:3:68: "Size" is no name for a variable: small letters, digits and _ only, not beginning with a digit)"},
    {"OnlyExcludes",
     R"(version: 1
models:
  a: {source: tiny, quants: [Q8_0], matrix: {exclude: [{x: y}]}}
)",
     "qbuild.yaml:3:45: the matrix has no variables"},
    {"ScalarAsValues",
     R"(version: 1
models:
  'a-{size}': {source: tiny, quants: [Q8_0], matrix: {size: 3}}
)",
     R"(qbuild.yaml:3:61: expected a list for "size", found a number; for example [0.5b, 1.5b])"},
    {"EmptyValues",
     R"(version: 1
models:
  'a-{size}': {source: tiny, quants: [Q8_0], matrix: {size: []}}
)",
     R"(qbuild.yaml:3:61: the list for "size" is empty; leave the key out or fill it)"},
};

class MatrixErrors : public BrokenManifestTest {};

TEST_P(MatrixErrors, AreToldWithPlaceAndWayOut) {
  expect_errors();
}

INSTANTIATE_TEST_SUITE_P(Manifests, MatrixErrors, testing::ValuesIn(kBroken), BrokenManifestName());

}  // namespace
}  // namespace qbuild::manifests
