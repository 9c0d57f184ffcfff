#include "rules/quality.h"

#include <gmock/gmock.h>

#include "kernels/backend.h"
#include "kernels/numerics.h"
#include "rules/quantize.h"
#include "tests/rules/support.h"

namespace qbuild::rules {
namespace {

using engine::ActionRequest;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class Quality : public testing::Test {
 protected:
  Quality() {
    const std::string text = read_text(fs::path(kBard) / "heldout.txt");
    write_text(first_, text.substr(0, 400));
    write_text(second_, text.substr(5000, 400));
  }

  ActionRequest request(const std::vector<std::string>& names = {"first.txt"}) {
    ActionRequest asked;
    asked.target = "bard:source:quality";
    asked.context = Json::object({{"source", kBard}});
    Json texts = Json::array();
    for (const std::string& name : names) {
      texts.push_back(Json::object({{"name", name}, {"context", 32}, {"chunks", 2}}));
      asked.inputs.push_back(file_input("text." + name, name == "first.txt" ? first_ : second_));
    }
    asked.params = Json::object({{"activations", "packed"}, {"texts", std::move(texts)}});
    return asked;
  }
  std::string run(const ActionRequest& asked) {
    return rule_->run(asked, context_).inline_files.at("result.json");
  }
  Error failure(const ActionRequest& asked) {
    return error_of([&] { (void)run(asked); });
  }

  TemporaryFolder folder_;
  fs::path first_ = folder_.path() / "a.txt";
  fs::path second_ = folder_.path() / "b.txt";
  TestContext context_;
  std::unique_ptr<engine::Rule> rule_ = make_quality_rule();
};

std::vector<std::string> keys(const Json& object) {
  std::vector<std::string> names;
  for (const auto& [name, value] : object.as_object()) names.push_back(name);
  return names;
}

TEST_F(Quality, SaysHowItWasMeasuredAndNothingOfTheMachine) {
  const Json result = Json::parse(run(request()));
  EXPECT_THAT(keys(result), ElementsAre("numerics", "activations", "texts"));
  EXPECT_EQ(result.at("numerics"), Json(kernels::kNumericsVersion));
  EXPECT_EQ(result.at("activations").as_string(), "packed");
  const Json& text = result.at("texts").as_array().at(0);
  EXPECT_THAT(keys(text), ElementsAre("name", "perplexity", "standard_error", "mean_nll", "tokens",
                                      "tokens_scored", "chunks", "context"));
  EXPECT_EQ(text.at("name").as_string(), "first.txt");
  EXPECT_EQ(text.at("chunks").as_int(), 2);
  EXPECT_EQ(text.at("context").as_int(), 32);
  EXPECT_GT(text.at("perplexity").as_double(), 1);
  EXPECT_LT(text.at("perplexity").as_double(), 500);
  EXPECT_EQ(context_.last_progress(), "2/2 chunks");
  EXPECT_THAT(context_.lines(), ElementsAre(StartsWith("first.txt: perplexity ")));
}

TEST_F(Quality, ThreadsChangeNoDigit) {
  ActionRequest two = request();
  two.threads = 2;
  EXPECT_EQ(run(two), run(request()));
}

TEST_F(Quality, BackendsChangeNoDigit) {
  ActionRequest scalar = request();
  scalar.backend = "scalar";
  const std::string expected = run(scalar);
  for (const kernels::Backend backend : kernels::all_backends()) {
    if (!kernels::backend_obstacle(backend).empty()) continue;
    ActionRequest asked = request();
    asked.backend = kernels::backend_name(backend);
    EXPECT_EQ(run(asked), expected) << asked.backend;
  }
}

TEST_F(Quality, MeasuresAQuantizedFileCloseToItsSource) {
  const ActionRequest make =
      quantize_request(kBard, "Q8_0", make_scratch(folder_.path(), "scratch"));
  const auto made = make_quantize_rule()->run(make, context_);
  ActionRequest asked = request();
  asked.context = Json::object();
  asked.inputs.push_back(file_input("model", made.files.at(0).path));
  const auto perplexity = [&](const ActionRequest& of) {
    return Json::parse(run(of)).at("texts").as_array().at(0).at("perplexity").as_double();
  };
  EXPECT_NEAR(perplexity(asked) / perplexity(request()), 1, 0.02);
}

TEST_F(Quality, TheErrorOfTheWeightsAloneIsAnotherMeasurement) {
  ActionRequest asked = request();
  asked.params["activations"] = "f32";
  EXPECT_EQ(Json::parse(run(asked)).at("activations").as_string(), "f32");
}

TEST_F(Quality, SeveralTextsComeInTheOrderAskedFor) {
  const Json result = Json::parse(run(request({"second.txt", "first.txt"})));
  const auto& texts = result.at("texts").as_array();
  ASSERT_EQ(texts.size(), 2u);
  EXPECT_EQ(texts[0].at("name").as_string(), "second.txt");
  EXPECT_EQ(texts[1].at("name").as_string(), "first.txt");
  EXPECT_EQ(texts[1], Json::parse(run(request())).at("texts").as_array()[0]);
}

TEST_F(Quality, ATextThatIsTooShortIsRefused) {
  write_text(first_, "Ay.");
  EXPECT_EQ(failure(request()).kind(), ErrorKind::kInvalidInput);
}

TEST_F(Quality, AModelWithoutATokenizerIsSaid) {
  const fs::path checkpoint = copy_of_bard(folder_.path());
  fs::remove(checkpoint / "tokenizer.json");
  ActionRequest asked = request();
  asked.context["source"] = checkpoint.string();
  const Error error = failure(asked);
  EXPECT_EQ(error.kind(), ErrorKind::kNotFound);
  EXPECT_THAT(error.message(), HasSubstr(checkpoint.string() + " has no tokenizer.json"));
}

TEST_F(Quality, StopsWhenAsked) {
  context_.request_stop();
  EXPECT_EQ(failure(request()).kind(), ErrorKind::kCancelled);
}

}  // namespace
}  // namespace qbuild::rules
