#include "rules/speed.h"

#include <fmt/core.h>

#include "base/thread_pool.h"
#include "models/throughput.h"
#include "rules/evaluated_model.h"
#include "rules/rule_table.h"

namespace qbuild::rules {
namespace {

using engine::ActionContext;
using engine::ActionRequest;
using engine::ActionResult;

Json rate_json(const models::Rate& rate) {
  Json samples = Json::array();
  for (const double sample : rate.samples) samples.push_back(sample);
  return Json::object({{"tokens", rate.tokens},
                       {"tokens_per_second", rate.mean},
                       {"deviation", rate.standard_deviation},
                       {"samples", std::move(samples)}});
}

class SpeedRule final : public engine::Rule {
 public:
  [[nodiscard]] const engine::RuleTraits& traits() const override { return traits_; }

  ActionResult run(const ActionRequest& request, ActionContext& context) const override {
    const fs::path model = model_path(request);
    const models::NetworkOptions options{.backend = backend_of(request)};
    models::ThroughputOptions test;
    test.prompt = static_cast<std::uint32_t>(request.params.at("prompt").as_uint());
    test.generate = static_cast<std::uint32_t>(request.params.at("generate").as_uint());
    test.repeat = static_cast<std::uint32_t>(request.params.at("repeat").as_uint());
    test.first_token = first_token(models::load_tokenizer(context.file_system(), model));
    ThreadPool pool(request.threads);
    const auto load = [&] { return models::Network::load(context.file_system(), model, options); };
    const auto measured =
        models::measure_throughput(load, pool, context.clock(), test, context.stop(),
                                   [&](const std::string& what) { context.log(what); });
    Json result = Json::object({{"load_seconds", measured.load_seconds}});
    if (measured.prompt) result["prompt"] = rate_json(*measured.prompt);
    if (measured.generate) result["generate"] = rate_json(*measured.generate);
    result["memory"] = Json::object({{"before", measured.memory.before},
                                     {"minimum", measured.memory.minimum},
                                     {"maximum", measured.memory.maximum},
                                     {"mean", measured.memory.mean}});
    result["threads"] = request.threads;
    result["repeat"] = test.repeat;
    ActionResult done;
    done.inline_files["result.json"] = result.dump_pretty();
    return done;
  }

 private:
  engine::RuleTraits traits_ = speed_traits();
};

}  // namespace

std::unique_ptr<engine::Rule> make_speed_rule() {
  return std::make_unique<SpeedRule>();
}

}  // namespace qbuild::rules
