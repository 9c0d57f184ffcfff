#include "rules/quantize.h"

#include <fmt/core.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/check.h"
#include "base/error.h"
#include "base/thread_pool.h"
#include "kernels/nvfp4_scale.h"
#include "rules/evaluated_model.h"
#include "rules/quantize_job.h"
#include "rules/rule_table.h"
#include "rules/tensor_scale.h"
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

// Feeds the jobs tensor by tensor: each is read once, and encoded once in each type that is wanted
// and is not there already.
class Feeding {
 public:
  Feeding(const WeightSource& source, TensorStream& stream) : source_(source), stream_(stream) {}

  void run(std::span<const std::unique_ptr<QuantizeJob>> jobs, const std::stop_token& stop) {
    for (std::size_t tensor = 0; tensor < source_.tensors().size(); ++tensor) {
      if (stop.stop_requested()) throw Error(ErrorKind::kCancelled, "stopped");
      const std::uint64_t before = stream_.bytes_read();
      feed(jobs, tensor);
      jobs.front()->note_read(stream_.bytes_read() - before);
    }
  }

 private:
  // For the jobs that want it scaled. The checksum of the tensor, or "" if there are none.
  std::string begin_scaled(std::span<const std::unique_ptr<QuantizeJob>> jobs, std::size_t tensor) {
    const auto is_scaled = [tensor](const auto& job) { return job->encoding(tensor).is_scaled; };
    if (std::none_of(jobs.begin(), jobs.end(), is_scaled)) return "";
    const std::uint64_t matrices = matrices_of(source_.tensors()[tensor]);
    auto [checksum, numbers] = stream_.survey(tensor, matrices);
    for (float& number : numbers) number = kernels::nvfp4_scale(number);
    const auto scales = std::make_shared<const std::vector<float>>(std::move(numbers));
    for (const auto& job : jobs)
      if (is_scaled(job)) job->begin_scaled(tensor, checksum, scales);
    return checksum;
  }

  void feed(std::span<const std::unique_ptr<QuantizeJob>> jobs, std::size_t tensor) {
    const bool may_copy = std::any_of(jobs.begin(), jobs.end(),
                                      [&](const auto& job) { return job->may_copy(tensor); });
    std::string checksum = begin_scaled(jobs, tensor);
    if (checksum.empty() && may_copy) checksum = stream_.checksum(tensor);
    std::vector<QuantizeJob*> waiting;
    for (const auto& job : jobs)
      if (may_copy && job->copy(tensor, checksum))
        job->end_tensor(tensor, checksum, QuantizeJob::Origin::kCopied);
      else
        waiting.push_back(job.get());
    if (waiting.empty()) return;
    std::vector<Encoding> wanted;
    wanted.reserve(waiting.size());
    for (QuantizeJob* const job : waiting) wanted.push_back(job->encoding(tensor));
    checksum = stream_.convert(tensor, wanted, [&](std::size_t i, const EncodedPiece& piece) {
      waiting[i]->append(piece);
    });
    for (std::size_t i = 0; i < waiting.size(); ++i) {
      const auto here = wanted.begin() + static_cast<std::ptrdiff_t>(i);
      const bool is_first = std::find(wanted.begin(), here, *here) == here;
      waiting[i]->end_tensor(
          tensor, checksum,
          is_first ? QuantizeJob::Origin::kComputed : QuantizeJob::Origin::kShared);
    }
  }

  const WeightSource& source_;
  TensorStream& stream_;
};

class QuantizeRule final : public engine::Rule {
 public:
  [[nodiscard]] const engine::RuleTraits& traits() const override { return traits_; }

  ActionResult run(const ActionRequest& request, ActionContext& context) const override {
    const engine::TogetherAction alone{request, context};
    return std::move(make({&alone, 1}).at(0));
  }

  // Those of one source are made in one pass. What stops the pass (a disk that is full, weights
  // that one type cannot hold) may be one file's matter alone: then each is made by itself, from
  // what is finished of it.
  void run_together(std::span<const engine::TogetherAction> actions,
                    const engine::ActionEnded& ended) const override {
    auto results = actions.size() == 1 ? std::nullopt : make_unless_one_fails(actions);
    if (!results) return Rule::run_together(actions, ended);
    for (std::size_t i = 0; i < results->size(); ++i)
      ended(i, {.result = std::move((*results)[i]), .error = {}});
  }

 private:
  // Nothing: one of them failed, or all. Whoever was asked to stop does not begin again.
  static std::optional<std::vector<ActionResult>> make_unless_one_fails(
      std::span<const engine::TogetherAction> actions) {
    try {
      return make(actions);
    } catch (const Error& error) {
      if (error.kind() == ErrorKind::kCancelled) throw;
      for (const auto& [request, context] : actions)
        context.log("made by itself, since together: " + error.message());
      return std::nullopt;
    }
  }

  // All of one source.
  static std::vector<ActionResult> make(std::span<const engine::TogetherAction> actions) {
    const ActionRequest& first = actions.front().request;
    FileSystem& files = actions.front().context.file_system();
    const auto source = open_weights(files, first.context.at("source").as_string());
    // Of one scope, all have the same donors.
    FoundTensors artifacts(files, engine::load_donors(files, first));
    std::vector<std::unique_ptr<QuantizeJob>> jobs;
    for (const auto& [request, context] : actions) {
      check(request.context.at("source") == first.context.at("source"), "a batch has one source");
      check_unchanged(request, files);
      jobs.push_back(std::make_unique<QuantizeJob>(request, context, *source, artifacts));
    }
    ThreadPool pool(first.threads);
    TensorStream stream(*source, backend_of(first), pool);
    Feeding(*source, stream).run(jobs, actions.front().context.stop());
    std::vector<ActionResult> results;
    results.reserve(jobs.size());
    for (const auto& job : jobs) results.push_back(job->finish());
    for (const auto& [request, context] : actions) check_unchanged(request, files);
    return results;
  }

  engine::RuleTraits traits_ = quantize_traits();
};

}  // namespace

std::unique_ptr<engine::Rule> make_quantize_rule() {
  return std::make_unique<QuantizeRule>();
}

}  // namespace qbuild::rules
