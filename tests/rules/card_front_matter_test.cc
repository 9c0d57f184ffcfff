#include <gmock/gmock.h>

#include "formats/model_card.h"
#include "rules/card_document.h"
#include "tests/rules/support.h"

namespace qbuild::rules {
namespace {

using engine::ActionRequest;

class CardFrontMatter : public testing::Test {
 protected:
  [[nodiscard]] Json front_matter(const ActionRequest& request) const {
    return card_front_matter(request, card_document(request, own_), own_);
  }

  TemporaryFolder folder_;
  ActionRequest request_ = card_request(folder_.path());
  Json own_ = formats::read_front_matter(read_text(folder_.path() / "README.md"));
};

TEST_F(CardFrontMatter, CarriesOverWhatHoldsForEveryForm) {
  const Json card = front_matter(request_);
  EXPECT_EQ(card.at("license").as_string(), "apache-2.0");
  EXPECT_EQ(card.at("language"), (Json::Array{"en", "fr"}));
  EXPECT_EQ(card.at("pipeline_tag").as_string(), "text-generation");
  EXPECT_EQ(card.find("license_name"), nullptr);
}

TEST_F(CardFrontMatter, NamesWhatWasQuantizedIfTheManifestDoes) {
  // The source's own base_model is what the source was made from.
  EXPECT_EQ(front_matter(request_).find("base_model"), nullptr);
  EXPECT_EQ(front_matter(request_).find("base_model_relation"), nullptr);
  request_.params["base_model"] = "acme/bard";
  EXPECT_EQ(front_matter(request_).at("base_model"), Json("acme/bard"));
  EXPECT_EQ(front_matter(request_).at("base_model_relation"), Json("quantized"));
}

TEST_F(CardFrontMatter, ALicenceLinkThatLeadsNowhereIsLeftOut) {
  own_["license_name"] = "bard-licence";
  own_["license_link"] = "LICENSE";
  EXPECT_EQ(front_matter(request_).find("license_link"), nullptr);
  EXPECT_EQ(front_matter(request_).at("license_name"), Json("bard-licence"));
  own_["license_link"] = "https://a.org/l";
  EXPECT_EQ(front_matter(request_).at("license_link"), Json("https://a.org/l"));
}

TEST_F(CardFrontMatter, SaysWhoQuantizedAndWhat) {
  const Json card = front_matter(request_);
  EXPECT_EQ(card.at("library_name").as_string(), "gguf");
  EXPECT_EQ(card.at("quantized_by").as_string(), "acme");
  EXPECT_EQ(card.at("tags"), (Json::Array{"gguf", "quantized", "llama"}));
}

TEST_F(CardFrontMatter, AVariantThatIsNoGgufTakesTheTagAway) {
  request_.params["variants"].as_array()[1] =
      Json::object({{"name", "Q4_K_M"}, {"folder", "awq"}, {"label", "awq"}});
  own_["tags"] = Json::Array{"llama"};
  const Json card = front_matter(request_);
  EXPECT_EQ(card.find("library_name"), nullptr);
  EXPECT_EQ(card.at("tags"), (Json::Array{"quantized", "llama"}));
}

TEST_F(CardFrontMatter, HasAnEvaluationPerMeasuredVariant) {
  input_of(request_, "quality.Q4_K_M").inline_files.clear();
  const Json index = front_matter(request_).at("model-index");
  ASSERT_EQ(index.as_array().size(), 1u);
  const Json& entry = index.as_array()[0];
  EXPECT_EQ(entry.at("name").as_string(), "bard-GGUF Q8_0");
  const Json& result = entry.at("results").as_array().at(0);
  EXPECT_EQ(result.at("task").at("type").as_string(), "text-generation");
  EXPECT_EQ(result.at("dataset").at("name").as_string(), "heldout.txt (context 256, 3 chunks)");
  EXPECT_EQ(result.at("metrics").as_array().at(0).at("value").as_double(), 41);
}

TEST_F(CardFrontMatter, WithoutMeasurementsThereIsNoEvaluation) {
  for (const char* const label : {"quality.Q8_0", "quality.Q4_K_M"})
    input_of(request_, label).inline_files.clear();
  EXPECT_EQ(front_matter(request_).find("model-index"), nullptr);
}

TEST_F(CardFrontMatter, AnEmptySourceCardIsEnough) {
  own_ = Json::object();
  const Json card = front_matter(request_);
  EXPECT_EQ(card.find("license"), nullptr);
  EXPECT_EQ(card.at("tags"), (Json::Array{"gguf", "quantized"}));
}

TEST_F(CardFrontMatter, ReadsBackFromYamlAsItWas) {
  const Json card = front_matter(request_);
  EXPECT_EQ(formats::read_front_matter(formats::emit_front_matter(card) + "# text\n"), card);
}

}  // namespace
}  // namespace qbuild::rules
