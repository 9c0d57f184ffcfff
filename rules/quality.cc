#include "rules/quality.h"

#include <fmt/core.h>

#include "base/error.h"
#include "base/thread_pool.h"
#include "kernels/numerics.h"
#include "models/perplexity.h"
#include "rules/evaluated_model.h"
#include "rules/rule_table.h"

namespace qbuild::rules {
namespace {

using engine::ActionContext;
using engine::ActionRequest;
using engine::ActionResult;

// A text beyond this is a mistake: its evaluation would take weeks.
constexpr std::uint64_t kMaxTextBytes = 1u << 30;

Json measure(const models::Network& network, const models::Tokenizer& tokenizer, ThreadPool& pool,
             const Json& text, const ActionRequest& request, ActionContext& context) {
  const std::string name = text.at("name").as_string();
  const std::string content =
      read_file(context.file_system(), request.input("text." + name).paths.at(0), kMaxTextBytes);
  models::PerplexityOptions options;
  options.context = static_cast<std::uint32_t>(text.at("context").as_uint());
  options.chunks = static_cast<std::uint32_t>(text.at("chunks").as_uint());
  options.first_token = first_token(tokenizer);
  const auto tokens = tokenizer.encode(content, models::AddSpecial::kYes);
  const auto result = models::measure_perplexity(
      network, pool, tokens, options, context.stop(),
      [&](const models::PerplexityProgress& progress) {
        context.progress(progress.chunks_done, progress.chunks_total, "chunks");
      });
  context.log(fmt::format("{}: perplexity {:.4f} +/- {:.4f} over {} tokens", name,
                          result.perplexity, result.standard_error, result.tokens_scored));
  return Json::object({{"name", name},
                       {"perplexity", result.perplexity},
                       {"standard_error", result.standard_error},
                       {"mean_nll", result.mean_nll},
                       {"tokens", tokens.size()},
                       {"tokens_scored", result.tokens_scored},
                       {"chunks", result.chunks},
                       {"context", result.context}});
}

class QualityRule final : public engine::Rule {
 public:
  [[nodiscard]] const engine::RuleTraits& traits() const override { return traits_; }

  ActionResult run(const ActionRequest& request, ActionContext& context) const override {
    const std::string activations = request.params.at("activations").as_string();
    const fs::path model = model_path(request);
    const models::NetworkOptions options{.backend = backend_of(request),
                                         .activations = activations == "f32"
                                                            ? kernels::ActivationMode::kF32
                                                            : kernels::ActivationMode::kReference};
    const auto tokenizer = models::load_tokenizer(context.file_system(), model);
    const auto network = models::Network::load(context.file_system(), model, options);
    ThreadPool pool(request.threads);
    Json texts = Json::array();
    for (const Json& text : request.params.at("texts").as_array())
      texts.push_back(measure(network, tokenizer, pool, text, request, context));
    ActionResult done;
    done.inline_files["result.json"] = Json::object({{"numerics", kernels::kNumericsVersion},
                                                     {"activations", activations},
                                                     {"texts", std::move(texts)}})
                                           .dump_pretty();
    done.bytes_read = network.weight_bytes();
    return done;
  }

 private:
  engine::RuleTraits traits_ = quality_traits();
};

}  // namespace

std::unique_ptr<engine::Rule> make_quality_rule() {
  return std::make_unique<QualityRule>();
}

}  // namespace qbuild::rules
