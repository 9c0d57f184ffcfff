#include "rules/quantize.h"

#include <fmt/core.h>

#include <memory>

#include "base/error.h"
#include "base/thread_pool.h"
#include "rules/evaluated_model.h"
#include "rules/quantize_job.h"
#include "rules/rule_table.h"
#include "rules/tensor_stream.h"
#include "rules/weight_source.h"

namespace qbuild::rules {
namespace {

using engine::ActionContext;
using engine::ActionRequest;
using engine::ActionResult;

// The source as it was imported: what was hashed is what is read.
void check_unchanged(const ActionRequest& request, FileSystem& files) {
  for (const Json& seen : request.context.at("stats").as_array()) {
    const fs::path path = seen.at("path").as_string();
    const auto now = files.stat(path);
    if (!now || now->size_bytes != seen.at("size").as_uint() ||
        now->mtime_ns != seen.at("mtime_ns").as_int())
      throw Error(
          ErrorKind::kTransient,
          fmt::format("{} changed since it was imported; run again when nothing writes to it",
                      path.string()));
  }
}

class QuantizeRule final : public engine::Rule {
 public:
  [[nodiscard]] const engine::RuleTraits& traits() const override { return traits_; }

  ActionResult run(const ActionRequest& request, ActionContext& context) const override {
    check_unchanged(request, context.file_system());
    const auto source =
        open_weights(context.file_system(), request.context.at("source").as_string());
    QuantizeJob job(request, context, *source);
    ThreadPool pool(request.threads);
    TensorStream stream(*source, backend_of(request), pool);
    for (std::size_t tensor = 0; tensor < source->tensors().size(); ++tensor) {
      if (context.stop().stop_requested()) throw Error(ErrorKind::kCancelled, "stopped");
      stream.convert(tensor, {&job.encoding(tensor), 1},
                     [&](std::size_t, const EncodedPiece& piece) { job.append(piece); });
      job.end_tensor(tensor);
    }
    ActionResult result = job.finish();
    check_unchanged(request, context.file_system());
    return result;
  }

 private:
  engine::RuleTraits traits_ = quantize_traits();
};

}  // namespace

std::unique_ptr<engine::Rule> make_quantize_rule() {
  return std::make_unique<QuantizeRule>();
}

}  // namespace qbuild::rules
