#include "manifests/schema.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <set>
#include <sstream>

#include "manifests/keys.h"

namespace qbuild::manifests {
namespace {

const std::string kFile = std::string(QBUILD_SOURCE_DIR) + "/manifests/qbuild.schema.json";

std::string read_schema() {
  std::ifstream file(kFile);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

// QBUILD_WRITE_REFERENCE=1 writes what the test expects.
TEST(Schema, TheFileIsWhatTheTableOfKeysSays) {
  if (std::getenv("QBUILD_WRITE_REFERENCE") != nullptr)
    std::ofstream(kFile) << make_schema().dump_pretty();
  EXPECT_EQ(read_schema(), make_schema().dump_pretty())
      << "run this test with QBUILD_WRITE_REFERENCE=1 to write the file again";
}

TEST(Schema, HasEveryKeyOfTheTableAndNoOther) {
  const Json schema = Json::parse(read_schema());
  const Json& sections = schema.at("$defs");
  EXPECT_EQ(sections.as_object().size(), all_sections().size());
  for (const SectionInfo& info : all_sections()) {
    const Json& section = sections.at(info.name);
    std::set<std::string> expected;
    for (const std::string_view name : key_names(info.section))
      if (name != "*") expected.emplace(name);
    std::set<std::string> found;
    if (const Json* const properties = section.find("properties"))
      for (const auto& [name, value] : properties->as_object()) found.insert(name);
    EXPECT_EQ(found, expected) << info.name;
    const bool is_open = find_key(info.section, "no such key") != nullptr;
    EXPECT_EQ(section.at("additionalProperties").is_object(), is_open) << info.name;
  }
}

TEST(Schema, EveryReferenceLeadsSomewhere) {
  const std::string text = read_schema();
  const Json schema = Json::parse(text);
  const std::string_view mark = "\"#/$defs/";
  std::size_t count = 0;
  for (auto at = text.find(mark); at != std::string::npos; at = text.find(mark, at + 1)) {
    const auto begin = at + mark.size();
    const std::string name = text.substr(begin, text.find('"', begin) - begin);
    EXPECT_NE(schema.at("$defs").find(name), nullptr) << name;
    ++count;
  }
  EXPECT_GT(count, 15u);
}

TEST(Schema, OffersTheWordsThatAreKnown) {
  const Json schema = make_schema();
  const Json& layout = schema.at("$defs").at("publish").at("properties").at("layout");
  EXPECT_EQ(layout.at("enum").dump(), R"(["flat","folders","per-variant"])");
  const Json& type = schema.at("$defs").at("rule").at("properties").at("type");
  EXPECT_EQ(type.at("enum").as_array().size(), 28u);
}

}  // namespace
}  // namespace qbuild::manifests
