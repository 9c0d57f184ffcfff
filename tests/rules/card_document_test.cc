#include "rules/card_document.h"

#include <gmock/gmock.h>

#include <sstream>

#include "formats/model_card.h"
#include "rules/published.h"
#include "tests/rules/support.h"

namespace qbuild::rules {
namespace {

using engine::ActionRequest;
using ::testing::HasSubstr;

const fs::path kCardFolder = fs::path(QBUILD_SOURCE_DIR) / "templates/card";

class CardDocument : public testing::Test {
 protected:
  [[nodiscard]] Json document() const {
    return card_document(request_,
                         formats::read_front_matter(read_text(folder_.path() / "README.md")));
  }
  Json& variant(std::size_t index) { return request_.params["variants"].as_array()[index]; }
  void make_folder(std::size_t index, const std::string& name) {
    variant(index) = Json::object({{"name", name}, {"folder", "awq"}, {"label", name}});
  }
  void set_quality(const std::string& label, double first, const std::vector<std::string>& texts) {
    input_of(request_, label).inline_files["result.json"] = quality_result(first, texts).dump();
  }

  TemporaryFolder folder_;
  ActionRequest request_ = card_request(folder_.path());
};

struct Documented {
  std::string path;  // "variants[].name"
  std::string kind;
};

// The rows of the table in templates/card/README.md; a path that begins with a point goes on from
// the one before it.
std::vector<Documented> documented() {
  std::vector<Documented> rows;
  std::istringstream text(read_text(kCardFolder / "README.md"));
  for (std::string line; std::getline(text, line);) {
    if (!line.starts_with("| `")) continue;
    const auto second = line.find(" | ");
    const std::string kind = line.substr(second + 3, line.find(" | ", second + 3) - second - 3);
    std::string before;
    for (auto at = line.find('`'); at < second; at = line.find('`', at)) {
      const auto end = line.find('`', at + 1);
      std::string path = line.substr(at + 1, end - at - 1);
      if (path.starts_with('.')) path = before.substr(0, before.rfind('.')) + path;
      before = path;
      rows.push_back({path, kind});
      at = end + 1;
    }
  }
  return rows;
}

// Every value at the path: several where it goes through a list. A member that is absent is a null
// pointer.
std::vector<const Json*> values_at(const Json& document, std::string_view path) {
  std::vector<const Json*> values{&document};
  std::istringstream parts{std::string(path)};
  for (std::string part; std::getline(parts, part, '.');) {
    const bool each = part.ends_with("[]");
    if (each) part.resize(part.size() - 2);
    std::vector<const Json*> next;
    for (const Json* const value : values) {
      if (value == nullptr || value->is_null()) continue;
      const Json* const member = value->find(part);
      if (!each || member == nullptr)
        next.push_back(member);
      else
        for (const Json& item : member->as_array()) next.push_back(&item);
    }
    values = std::move(next);
  }
  return values;
}

bool is_of_kind(const Json& value, std::string_view kind) {
  const auto says = [&](std::string_view word) {
    return kind.find(word) != std::string_view::npos;
  };
  return (value.is_null() && says("null")) || (value.is_string() && says("text")) ||
         (value.is_number() && (says("number") || kind == "1")) ||
         (value.is_bool() && says("true or false")) || (value.is_object() && says("mapping")) ||
         (value.is_array() && says("list"));
}

void expect_as_documented(const Json& document) {
  const auto rows = documented();
  EXPECT_GT(rows.size(), 40u);
  for (const Documented& row : rows)
    for (const Json* const value : values_at(document, row.path)) {
      if (value == nullptr)
        EXPECT_THAT(row.kind, HasSubstr("may be left out")) << row.path << " is missing";
      else
        EXPECT_TRUE(is_of_kind(*value, row.kind))
            << row.path << " should be " << row.kind << ", is " << value->dump();
    }
}

// The members of `a` are those of `b`, also further down where both have a value.
void expect_same_members(const Json& a, const Json& b, const std::string& at) {
  if (a.is_object() && b.is_object()) {
    for (const auto& [key, value] : a.as_object()) {
      ASSERT_NE(b.find(key), nullptr) << at << "." << key << " is in one alone";
      expect_same_members(value, b.at(key), at + "." + key);
    }
    for (const auto& [key, value] : b.as_object())
      ASSERT_NE(a.find(key), nullptr) << at << "." << key << " is in one alone";
  } else if (a.is_array() && b.is_array() && !a.as_array().empty() && !b.as_array().empty()) {
    expect_same_members(a.as_array()[0], b.as_array()[0], at + "[0]");
  }
}

TEST_F(CardDocument, HasTheKeysAndKindsOfItsDescription) {
  expect_as_documented(document());
}

TEST_F(CardDocument, HasThemWithoutMeasurementsToo) {
  std::erase_if(request_.inputs, [](const auto& input) {
    return input.label.starts_with("quality.") || input.label.starts_with("speed.") ||
           input.label == "source_quality";
  });
  const Json bare = document();
  expect_as_documented(bare);
  EXPECT_TRUE(bare.at("benchmark").is_null());
  EXPECT_TRUE(bare.at("machine").is_null());
  EXPECT_FALSE(bare.at("shows").at("perplexity").as_bool());
}

TEST_F(CardDocument, HasTheMembersOfTheExample) {
  expect_same_members(document(), Json::parse(read_text(kCardFolder / "document.example.json")),
                      "");
}

TEST_F(CardDocument, TheCommandsShowTheUsualVariant) {
  EXPECT_EQ(document().at("example"),
            Json::object({{"name", "Q4_K_M"}, {"label", "Q4_K_M"}, {"path", "bard-Q4_K_M.gguf"}}));
}

TEST_F(CardDocument, WithoutTheUsualVariantTheCommandsShowTheMedianSize) {
  variant(1)["label"] = "Q6_K";  // 60 bytes, beside 100
  EXPECT_EQ(document().at("example").at("label").as_string(), "Q6_K");
  input_of(request_, "model.Q4_K_M").artifact.files.at(0).size_bytes = 200;
  EXPECT_EQ(document().at("example").at("label").as_string(), "Q8_0");
}

TEST_F(CardDocument, CountsTheTokensThatWereScored) {
  const Json made = document();
  EXPECT_EQ(made.at("benchmark").at("texts").as_array().at(0).at("tokens").as_int(), 500);
}

TEST_F(CardDocument, ALicenceLinkWorksFromTheRepositoryOrIsLeftOut) {
  const auto link_of = [&](const std::string& link) {
    return card_document(request_, Json::object({{"license_link", link}}))
        .at("model")
        .at("license_link");
  };
  EXPECT_EQ(link_of("https://a.org/l"), Json("https://a.org/l"));
  EXPECT_TRUE(link_of("LICENSE").is_null());
  request_.params["base_model"] = "acme/bard";
  EXPECT_EQ(link_of("a LICENSE"), Json("https://huggingface.co/acme/bard/blob/main/a%20LICENSE"));
}

TEST_F(CardDocument, TheBaseModelIsTheManifestsNotTheSourcesOwn) {
  EXPECT_TRUE(document().at("model").at("base_model").is_null());
  request_.params["base_model"] = "acme/bard";
  EXPECT_EQ(document().at("model").at("base_model"), Json("acme/bard"));
}

TEST_F(CardDocument, TheCommandsShowAGgufWhereAFolderIsSmaller) {
  make_folder(1, "Q4_K_M");
  const Json made = document();
  EXPECT_EQ(made.at("variants").as_array()[1].at("path").as_string(), "awq/");
  EXPECT_EQ(made.at("variants").as_array()[1].at("file").as_string(), "awq/");
  EXPECT_EQ(made.at("example").at("name").as_string(), "Q8_0");
  expect_as_documented(made);
}

TEST_F(CardDocument, WithoutAGgufThereIsNoExample) {
  make_folder(0, "Q8_0");
  make_folder(1, "Q4_K_M");
  EXPECT_TRUE(document().at("example").is_null());
}

TEST_F(CardDocument, WithoutAVariantThereIsNoExample) {
  hold(request_, "Q8_0");
  hold(request_, "Q4_K_M");
  const Json made = document();
  EXPECT_TRUE(made.at("example").is_null());
  EXPECT_TRUE(made.at("variants").as_array().empty());
}

TEST_F(CardDocument, OneTextNeedsNoFurtherTables) {
  EXPECT_EQ(document().at("more_texts"), Json::array());
}

TEST_F(CardDocument, EachFurtherTextGetsATableOfItsOwn) {
  set_quality("source_quality", 40, {"a.txt", "b.txt"});
  set_quality("quality.Q8_0", 41, {"a.txt", "b.txt", "c.txt"});
  set_quality("quality.Q4_K_M", 42, {"a.txt", "b.txt", "c.txt"});
  const Json made = document();
  EXPECT_EQ(made.at("more_texts"), Json::parse(R"([{"name":"b.txt","results":[
                {"name":"Q8_0","value":"42.000","error":"0.250","ratio":"1.0244"},
                {"name":"Q4_K_M","value":"43.000","error":"0.250","ratio":"1.0488"}]},
              {"name":"c.txt","results":[
                {"name":"Q8_0","value":"43.000","error":"0.250","ratio":null},
                {"name":"Q4_K_M","value":"44.000","error":"0.250","ratio":null}]}])"));
  expect_as_documented(made);
}

TEST_F(CardDocument, AFurtherTextLeavesOutHeldAndUnmeasuredVariants) {
  set_quality("source_quality", 40, {"a.txt", "b.txt"});
  set_quality("quality.Q8_0", 41, {"a.txt", "b.txt"});
  set_quality("quality.Q4_K_M", 42, {"a.txt", "b.txt"});
  hold(request_, "Q4_K_M");
  EXPECT_EQ(document().at("more_texts").as_array().at(0).at("results").as_array().size(), 1u);
}

TEST_F(CardDocument, ARowOfAHeldVariantIsTheOnePublished) {
  Json row = document().at("variants").as_array()[1];
  row["size"] = "59 B";
  hold(request_, "Q4_K_M",
       to_json(PublishedVariant{.name = "Q4_K_M", .record = "old", .files = {}, .card = row}));
  const Json made = document();
  const Json& held = made.at("variants").as_array().at(1);
  EXPECT_EQ(held.at("size").as_string(), "59 B");
  EXPECT_EQ(held.at("published_earlier").at("reason").as_string(),
            "its newer form is withheld (it did not pass a gate)");
  EXPECT_TRUE(made.at("shows").at("published_earlier").as_bool());
  EXPECT_EQ(card_origins(request_).find("variants[name=Q4_K_M]"), nullptr);
  expect_as_documented(made);
}

TEST_F(CardDocument, AHeldVariantWhoseFileIsThePublishedOneHasNoNewerForm) {
  const Json row = document().at("variants").as_array()[1];
  Json earlier = to_json(PublishedVariant{
      .name = "Q4_K_M",
      .record = "old",
      .files = {{.path = "bard-Q4_K_M.gguf", .sha256 = sha256("Q4_K_M"), .size_bytes = 60}},
      .card = row});
  earlier["held_by"] = "gate perplexity_ratio: 1.05 is above 1.03";
  hold(request_, "Q4_K_M", earlier);
  const Json made = document();
  EXPECT_EQ(
      made.at("variants").as_array().at(1).at("published_earlier").at("reason").as_string(),
      "this file was published before it was held (gate perplexity_ratio: 1.05 is above 1.03)");
}

TEST_F(CardDocument, AnAcceptedLicenceIsAttributed) {
  request_.params["license"] =
      Json::object({{"accept", "llama3"}, {"reason", "our lawyers read it"}});
  EXPECT_EQ(document().at("model").at("attribution").as_string(),
            "The licence llama3 was accepted for publication: our lawyers read it");
}

TEST_F(CardDocument, LinksAreEncoded) {
  EXPECT_EQ(percent_encoded("a b/ü(1)~_-.gguf"), "a%20b/%C3%BC%281%29~_-.gguf");
}

TEST_F(CardDocument, SaysWhichRecordEachNumberIsFrom) {
  const Json origins = card_origins(request_);
  EXPECT_EQ(origins.at("source.perplexity").as_string(), "key of source_quality");
  EXPECT_EQ(origins.at("variants[name=Q8_0]").as_string(), "key of model.Q8_0");
  EXPECT_EQ(origins.at("variants[name=Q8_0].speed").as_string(), "key of speed.Q8_0");
}

}  // namespace
}  // namespace qbuild::rules
