#include "rules/evaluated_model.h"

#include "base/error.h"

namespace qbuild::rules {

fs::path model_path(const engine::ActionRequest& request) {
  if (const std::string folder = request.context.get_string("source"); !folder.empty())
    return folder;
  const engine::ResolvedInput& model = request.input("model");
  if (model.paths.size() != 1 || model.paths[0].empty())
    throw Error(ErrorKind::kUnsupported,
                request.target + ": only a variant that is one GGUF file can be measured");
  return model.paths[0];
}

kernels::Backend backend_of(const engine::ActionRequest& request) {
  return request.backend.empty() ? kernels::best_backend()
                                 : kernels::backend_from_name(request.backend);
}

std::optional<std::int32_t> first_token(const models::Tokenizer& tokenizer) {
  return tokenizer.adds_bos() ? tokenizer.bos() : std::nullopt;
}

}  // namespace qbuild::rules
