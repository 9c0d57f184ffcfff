#include "rules/evaluated_model.h"

#include <gtest/gtest.h>

#include "tests/rules/support.h"

namespace qbuild::rules {
namespace {

engine::ActionRequest request_with(const std::vector<fs::path>& paths) {
  engine::ActionRequest request;
  request.target = "bard:awq:quality";
  request.context = Json::object();
  engine::ResolvedInput model;
  model.label = "model";
  model.paths = paths;
  request.inputs.push_back(std::move(model));
  return request;
}

TEST(EvaluatedModel, IsTheOnlyFileOfAVariant) {
  EXPECT_EQ(model_path(request_with({"/store/ab"})), "/store/ab");
}

TEST(EvaluatedModel, IsTheFolderOfACheckpointWhereTheContextNamesOne) {
  engine::ActionRequest request = request_with({"/models/bard/a", "/models/bard/b"});
  request.context["source"] = "/models/bard";
  EXPECT_EQ(model_path(request), "/models/bard");
}

TEST(EvaluatedModel, AVariantOfSeveralFilesCannotBeMeasured) {
  for (const auto& paths : {std::vector<fs::path>{"/a", "/b"}, {}, {""}}) {
    const Error error = error_of([&] { (void)model_path(request_with(paths)); });
    EXPECT_EQ(error.kind(), ErrorKind::kUnsupported);
    EXPECT_EQ(error.message(),
              "bard:awq:quality: only a variant that is one GGUF file can be measured");
  }
}

TEST(EvaluatedModel, RunsOnTheBackendThatWasAskedFor) {
  engine::ActionRequest request = request_with({});
  EXPECT_EQ(backend_of(request), kernels::best_backend());
  request.backend = "scalar";
  EXPECT_EQ(backend_of(request), kernels::Backend::kScalar);
  request.backend = "abacus";
  EXPECT_EQ(error_of([&] { (void)backend_of(request); }).kind(), ErrorKind::kInvalidInput);
}

TEST(EvaluatedModel, ChunksBeginAsTheModelsTextsDo) {
  const auto files = make_posix_file_system();
  const auto tokenizer = models::load_tokenizer(*files, kBard);
  EXPECT_EQ(first_token(tokenizer), 1021);
}

}  // namespace
}  // namespace qbuild::rules
