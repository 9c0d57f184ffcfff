// The core of the public Mustache specification: every case of tests/templates/spec, with its
// settings (escaping on, strict off).

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>

#include "base/json.h"
#include "templates/template.h"

namespace qbuild::templates {
namespace {

Json load_cases(std::string_view file) {
  const auto path = std::filesystem::path(QBUILD_SOURCE_DIR) / "tests/templates/spec" /
                    (std::string(file) + ".json");
  std::ifstream in(path, std::ios::binary);
  EXPECT_TRUE(in) << path;
  return Json::parse(std::string(std::istreambuf_iterator<char>(in), {}));
}

struct SpecificationFile {
  std::string_view name;
  std::size_t cases;  // so that a file which lost its cases does not pass
};

class Specification : public testing::TestWithParam<SpecificationFile> {};

TEST_P(Specification, RendersEveryCaseAsExpected) {
  const Json file = load_cases(GetParam().name);
  const Json::Array& cases = file.at("tests").as_array();
  EXPECT_EQ(cases.size(), GetParam().cases);
  for (const Json& one : cases) {
    const std::string& name = one.at("name").as_string();
    SCOPED_TRACE(name);
    const PartialLoader partials = [&](std::string_view partial) -> std::optional<std::string> {
      const Json* const known = one.find("partials");
      const Json* const text = known == nullptr ? nullptr : known->find(partial);
      if (text == nullptr) return std::nullopt;
      return text->as_string();
    };
    const RenderOptions options{.escape = Escape::kHtml, .strictness = Strictness::kLenient};
    EXPECT_EQ(Template::parse(one.at("template").as_string(), name)
                  .render(one.at("data"), options, partials),
              one.at("expected").as_string());
  }
}

INSTANTIATE_TEST_SUITE_P(
    Core, Specification,
    testing::Values(SpecificationFile{"comments", 11}, SpecificationFile{"delimiters", 14},
                    SpecificationFile{"interpolation", 30}, SpecificationFile{"inverted", 21},
                    SpecificationFile{"partials", 11}, SpecificationFile{"sections", 25},
                    SpecificationFile{"later", 24}),
    [](const auto& parameter) { return std::string(parameter.param.name); });

}  // namespace
}  // namespace qbuild::templates
