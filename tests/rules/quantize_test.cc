#include "rules/quantize.h"

#include <gmock/gmock.h>

#include <cmath>

#include "formats/gguf_reader.h"
#include "kernels/backend.h"
#include "kernels/codec.h"
#include "manifests/quant_names.h"
#include "models/tensor_names.h"
#include "rules/recipe.h"
#include "tests/rules/support.h"

namespace qbuild::rules {
namespace {

using engine::ActionRequest;
using engine::ActionResult;
using ::testing::HasSubstr;

std::vector<float> values_of(const formats::GgufReader& file, const std::string& name) {
  const formats::GgufTensor& tensor = *file.find(name);
  std::vector<std::byte> bytes(tensor.size_bytes);
  file.read(tensor, 0, bytes);
  std::vector<float> values(tensor.values());
  kernels::decode_rows(kernels::Backend::kScalar, tensor.dtype, bytes, values);
  return values;
}

double squared_error(const formats::GgufReader& file, const formats::GgufReader& exact,
                     const std::string& name) {
  const auto values = values_of(file, name);
  const auto right = values_of(exact, name);
  double sum = 0;
  for (std::size_t i = 0; i < values.size(); ++i)
    sum += std::pow(double{values[i]} - double{right[i]}, 2);
  return sum;
}

class Quantize : public testing::Test {
 protected:
  // A request with a scratch folder of its own.
  ActionRequest request(std::string_view recipe, const fs::path& checkpoint = kBard) {
    return quantize_request(checkpoint, recipe,
                            make_scratch(folder_.path(), "scratch" + std::to_string(++scratches_)));
  }
  // Whether nothing comes of the recipe without an importance matrix.
  static bool is_in_need(std::string_view name) {
    const Recipe& recipe = *find_recipe(name);
    const SourceModel source = import_folder(kBard);
    const auto choices = choose_types(recipe, {}, source.tensors, source.network);
    return std::any_of(choices.begin(), choices.end(),
                       [](const TypeChoice& choice) { return choice.needs_importance; });
  }
  ActionRequest request_of_any(std::string_view recipe) {
    ActionRequest asked = request(recipe);
    if (is_in_need(recipe)) add_imatrix(asked, folder_.path() / "bard.imatrix");
    return asked;
  }
  ActionResult run(const ActionRequest& asked) { return rule_->run(asked, context_); }
  Error failure(const ActionRequest& asked) {
    return error_of([&] { (void)run(asked); });
  }
  // With a chat template in the place of the source's.
  ActionRequest with_template(std::string_view text) {
    ActionRequest asked = request("Q8_0");
    const fs::path path = folder_.path() / "chat.jinja";
    write_text(path, text);
    asked.inputs.push_back(file_input("template", path));
    return asked;
  }
  formats::GgufReader reader(const ActionResult& result) {
    return formats::GgufReader::open(context_.file_system(), result.files.at(0).path);
  }

  TemporaryFolder folder_;
  TestContext context_;
  std::unique_ptr<engine::Rule> rule_ = make_quantize_rule();
  int scratches_ = 0;
};

TEST_F(Quantize, EveryRecipeGivesEachTensorTheTypeThatItSays) {
  const SourceModel source = import_folder(kBard);
  for (const std::string_view name : manifests::recipe_names()) {
    const Recipe& recipe = *find_recipe(name);
    const bool has_importance = is_in_need(name);
    const auto types =
        choose_types(recipe, {.has_importance = has_importance}, source.tensors, source.network);
    const formats::GgufReader file = reader(run(request_of_any(recipe.name)));
    std::vector<formats::GgufTensor> tensors;
    for (const formats::GgufTensor& tensor : file.tensors())
      if (tensor.name.ends_with("weight")) tensors.push_back(tensor);
    ASSERT_EQ(tensors.size(), source.tensors.size()) << recipe.name;
    for (std::size_t i = 0; i < types.size(); ++i) {
      EXPECT_EQ(tensors[i].name, source.tensors[i].name) << recipe.name;
      EXPECT_EQ(tensors[i].dtype, types[i].type) << recipe.name << " " << tensors[i].name;
      EXPECT_EQ(tensors[i].shape, source.tensors[i].shape);
    }
    EXPECT_EQ(formats::require_uint(file.metadata(), "general.file_type"), recipe.file_type);
  }
}

TEST_F(Quantize, TheResultIsTheFileAsItLiesThere) {
  const ActionResult result = run(request("Q4_K_M"));
  ASSERT_EQ(result.files.size(), 1u);
  EXPECT_EQ(result.files[0].name, "model.gguf");
  const std::string bytes = read_text(result.files[0].path);
  EXPECT_EQ(result.files[0].sha256, sha256(bytes));
  EXPECT_EQ(result.files[0].size_bytes, bytes.size());
  EXPECT_EQ(result.bytes_written, bytes.size());
  EXPECT_EQ(result.facts.at("architecture").as_string(), "llama");
  const std::string values = std::to_string(import_folder(kBard).parameters);
  EXPECT_EQ(context_.last_progress(), values + "/" + values + " weights");
}

TEST_F(Quantize, TheLogHasALinePerTensor) {
  const auto tensors = reader(run(request("Q8_0"))).tensors().size();
  const auto lines = context_.lines();
  ASSERT_EQ(lines.size(), tensors);
  EXPECT_THAT(lines, testing::Contains("blk.0.attn_q.weight  BF16 -> Q8_0  69.6 kB"));
}

TEST_F(Quantize, TheNumberOfThreadsChangesNoByte) {
  for (const std::string_view recipe : manifests::recipe_names()) {
    const Digest one = run(request_of_any(recipe)).files[0].sha256;
    for (const unsigned threads : {2u, 4u}) {
      ActionRequest more = request_of_any(recipe);
      more.threads = threads;
      EXPECT_EQ(run(more).files[0].sha256, one) << recipe << " " << threads;
    }
  }
}

class QuantizeOn : public Quantize, public testing::WithParamInterface<kernels::Backend> {};

TEST_P(QuantizeOn, GivesTheBytesOfTheScalarBackend) {
  if (const std::string obstacle = kernels::backend_obstacle(GetParam()); !obstacle.empty())
    GTEST_SKIP() << kernels::backend_name(GetParam()) << ": " << obstacle;
  for (const std::string_view recipe : manifests::recipe_names()) {
    ActionRequest scalar = request_of_any(recipe);
    scalar.backend = "scalar";
    ActionRequest other = request_of_any(recipe);
    other.backend = kernels::backend_name(GetParam());
    EXPECT_EQ(run(other).files[0].sha256, run(scalar).files[0].sha256) << recipe;
  }
}

INSTANTIATE_TEST_SUITE_P(Backends, QuantizeOn,
                         testing::Values(kernels::Backend::kAvx2, kernels::Backend::kAvx512),
                         [](const auto& one) {
                           return std::string(kernels::backend_name(one.param));
                         });

TEST_F(Quantize, AnotherChatTemplateChangesThatFacetAlone) {
  auto before = run(request("Q8_0")).facets;
  const ActionResult result = run(with_template("{{ messages }}"));
  EXPECT_NE(result.facets.at("template"), before.at("template"));
  before["template"] = result.facets.at("template");
  EXPECT_EQ(result.facets, before);
  EXPECT_EQ(formats::require_text(reader(result).metadata(), "tokenizer.chat_template"),
            "{{ messages }}");
}

TEST_F(Quantize, AnotherRecipeKeepsTokenizerAndHyperparameters) {
  const auto q8 = run(request("Q8_0")).facets;
  const auto q4 = run(request("Q4_0")).facets;
  EXPECT_NE(q4.at("tensors"), q8.at("tensors"));
  for (const char* const facet : {"tokenizer", "template", "hyperparameters"})
    EXPECT_EQ(q4.at(facet), q8.at(facet)) << facet;
}

TEST_F(Quantize, OverridesReachTheFile) {
  ActionRequest asked = request("Q4_0");
  asked.params["overrides"].push_back(
      Json::object({{"match", "attn_v"}, {"layers", Json::array()}, {"type", "Q8_0"}}));
  Json last = Json::array();
  last.push_back(Json::Array{-1, -1});
  asked.params["overrides"].push_back(
      Json::object({{"match", "ffn_up"}, {"layers", std::move(last)}, {"type", "F16"}}));
  const auto file = reader(run(asked));
  EXPECT_EQ(file.find("blk.0.attn_v.weight")->dtype, DType::kQ8_0);
  EXPECT_EQ(file.find("blk.4.ffn_up.weight")->dtype, DType::kQ4_0);
  EXPECT_EQ(file.find("blk.5.ffn_up.weight")->dtype, DType::kF16);
}

TEST_F(Quantize, TheBestEffortGivesOtherCodesOfTheSameTypesNearerToTheSource) {
  const auto usual = run(request("Q4_K_M"));
  ActionRequest asked = request("Q4_K_M");
  asked.params["effort"] = "best";
  const auto best = run(asked);
  EXPECT_EQ(best.facts.dump(), usual.facts.dump());
  EXPECT_NE(best.facets.at("tensors"), usual.facets.at("tensors"));
  const auto exact = reader(run(request("F32")));
  const std::string name = "blk.0.ffn_up.weight";
  EXPECT_LT(squared_error(reader(best), exact, name), squared_error(reader(usual), exact, name));
}

TEST_F(Quantize, OfNvfp4AFactorStandsBesideEachWeightThatReadersMultiplyByIt) {
  const ActionResult result = run(request("NVFP4"));
  const auto file = reader(result);
  const auto exact = reader(run(request("F32")));
  std::size_t scales = 0;
  for (std::size_t i = 0; i < file.tensors().size(); ++i) {
    const formats::GgufTensor& tensor = file.tensors()[i];
    if (!tensor.name.ends_with(".scale")) continue;
    ++scales;
    const std::string weight = tensor.name.substr(0, tensor.name.size() - 5) + "weight";
    EXPECT_EQ(file.tensors().at(i + 1).name, weight);
    EXPECT_EQ(file.tensors()[i + 1].dtype, DType::kNVFP4);
    EXPECT_EQ(tensor.dtype, DType::kF32);
    EXPECT_EQ(tensor.shape, (std::vector<std::uint64_t>{1}));
    const float scale = values_of(file, tensor.name).at(0);
    const auto values = values_of(file, weight);
    const auto right = values_of(exact, weight);
    double error = 0;
    double energy = 0;
    for (std::size_t k = 0; k < values.size(); ++k) {
      error += std::pow(double{values[k]} * double{scale} - double{right[k]}, 2);
      energy += std::pow(double{right[k]}, 2);
    }
    EXPECT_LT(std::sqrt(error / energy), 0.09) << weight;
  }
  EXPECT_EQ(scales, 6u * 7);  // the embeddings are not multiplied, the output is Q6_K
  EXPECT_EQ(result.facts.at("parameters").as_uint(), import_folder(kBard).parameters);
  EXPECT_EQ(result.facts.at("tensor_count").as_uint(), 57u + scales);
}

TEST_F(Quantize, UnknownWordsAreRefused) {
  const Error recipe = failure(request("Q3_X"));
  EXPECT_EQ(recipe.kind(), ErrorKind::kUnsupported);
  EXPECT_EQ(recipe.message(), "unknown recipe Q3_X");
  ActionRequest asked = request("Q8_0");
  asked.params["overrides"].push_back(
      Json::object({{"match", "."}, {"layers", Json::array()}, {"type", "Q9"}}));
  EXPECT_EQ(failure(asked).message(), "unknown type Q9");
  ActionRequest hasty = request("Q8_0");
  hasty.params["effort"] = "least";
  EXPECT_EQ(failure(hasty).message(), "unknown effort least");
}

TEST_F(Quantize, ANaNNamesItsTensor) {
  const fs::path checkpoint = copy_of_bard(folder_.path());
  put_nan(checkpoint, "model.layers.3.mlp.up_proj.weight");
  const Error error = failure(request("Q4_K_M", checkpoint));
  EXPECT_EQ(error.kind(), ErrorKind::kInvalidInput);
  EXPECT_EQ(error.message(),
            "tensor blk.3.ffn_up.weight (model.layers.3.mlp.up_proj.weight): cannot encode Q4_K: "
            "value 0 is NaN");
}

TEST_F(Quantize, ASourceThatChangedBeforeItRanIsNotRead) {
  const fs::path checkpoint = copy_of_bard(folder_.path());
  const ActionRequest asked = request("Q8_0", checkpoint);
  write_text(checkpoint / "tokenizer_config.json", "{}");
  const Error error = failure(asked);
  EXPECT_EQ(error.kind(), ErrorKind::kTransient);
  EXPECT_EQ(error.message(),
            (checkpoint / "tokenizer_config.json").string() +
                " changed since it was imported; run again when nothing writes to it");
  EXPECT_TRUE(fs::is_empty(asked.scratch));
}

TEST_F(Quantize, ASourceThatChangesWhileItRunsFailsTheAction) {
  const fs::path checkpoint = copy_of_bard(folder_.path());
  const fs::path weights = checkpoint / "model.safetensors";
  const ActionRequest asked = request("Q8_0", checkpoint);
  context_.on_progress([&] {
    fs::last_write_time(weights, fs::last_write_time(weights) + std::chrono::seconds(1));
  });
  const Error error = failure(asked);
  EXPECT_EQ(error.kind(), ErrorKind::kTransient);
  EXPECT_EQ(
      error.message(),
      weights.string() + " changed since it was imported; run again when nothing writes to it");
}

TEST_F(Quantize, TensorsThatContradictTheConfigMakeNoFile) {
  const fs::path checkpoint = copy_of_bard(folder_.path());
  Json config = Json::parse(read_text(checkpoint / "config.json"));
  config["num_hidden_layers"] = 2;
  write_text(checkpoint / "config.json", config.dump());
  const ActionRequest asked = request("Q8_0", checkpoint);
  const Error error = failure(asked);
  EXPECT_EQ(error.kind(), ErrorKind::kInvalidInput);
  EXPECT_EQ(error.message(), (checkpoint / "model.safetensors").string() +
                                 ": model.layers.2.input_layernorm.weight: config.json says 2 "
                                 "layers");
  EXPECT_TRUE(fs::is_empty(asked.scratch));
}

TEST_F(Quantize, ASourceWithoutATokenizerIsSaid) {
  const fs::path checkpoint = copy_of_bard(folder_.path());
  fs::remove(checkpoint / "tokenizer.json");
  const Error error = failure(request("Q8_0", checkpoint));
  EXPECT_EQ(error.kind(), ErrorKind::kNotFound);
  EXPECT_THAT(error.message(), HasSubstr(checkpoint.string() + " has no tokenizer.json"));
}

class QuantizeOnAFakeDisk : public Quantize {
 protected:
  QuantizeOnAFakeDisk() : disk_(context_.use_fake_disk()) {
    for (const auto& entry : fs::directory_iterator(kBard))
      disk_.put("/bard" / entry.path().filename(), read_text(entry.path()));
    disk_.create_directories("/store/tmp/1");
  }
  static ActionRequest on_disk() {
    ActionRequest asked = quantize_request("/bard", "Q8_0", "/store/tmp/1");
    asked.context["stats"] = Json::array();
    return asked;
  }
  FakeFileSystem& disk_;
};

TEST_F(QuantizeOnAFakeDisk, ADiskThatIsTooSmallIsSaidWithItsBytesBeforeTheFirstWeight) {
  disk_.set_free_bytes(1'000'000);
  const Error error = failure(on_disk());
  EXPECT_EQ(error.kind(), ErrorKind::kExhausted);
  EXPECT_THAT(error.message(),
              testing::MatchesRegex("model.gguf: it needs [0-9]+ bytes in /store/tmp/1, [0-9]+ are "
                                    "free; free some, or point --store elsewhere"));
  EXPECT_EQ(context_.last_progress(), "");
}

TEST_F(QuantizeOnAFakeDisk, ADiskThatFillsUpInTheMiddleIsSaidWithTheFileAndItsBytes) {
  disk_.fail(FakeFileSystem::Call::kWrite, 20, ENOSPC);
  const Error error = failure(on_disk());
  EXPECT_EQ(error.kind(), ErrorKind::kExhausted);
  EXPECT_THAT(error.message(), testing::ContainsRegex(
                                   "model.gguf \\(4361024 bytes\\): write "
                                   "/store/tmp/1/model.gguf.[0-9a-f]+: no space left on the disk"));
}

TEST_F(Quantize, StopsBetweenTensors) {
  int seen = 0;
  context_.on_progress([&] {
    if (++seen == 3) context_.request_stop();
  });
  const Error error = failure(request("Q8_0"));
  EXPECT_EQ(error.kind(), ErrorKind::kCancelled);
  EXPECT_EQ(error.message(), "stopped");
  EXPECT_EQ(seen, 3);
}

}  // namespace
}  // namespace qbuild::rules
