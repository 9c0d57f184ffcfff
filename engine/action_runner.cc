#include "engine/action_runner.h"

#include <fmt/core.h>

#include <deque>
#include <mutex>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/machine.h"
#include "engine/fence.h"

namespace qbuild::engine {
namespace {

class ReportingContext final : public ActionContext {
 public:
  ReportingContext(std::string id, const Seams& seams, std::stop_token stop, const EventSink& sink)
      : id_(std::move(id)), seams_(seams), stop_(std::move(stop)), sink_(sink) {}

  void progress(std::uint64_t done, std::uint64_t total, std::string_view unit) override {
    const std::lock_guard lock(mutex_);
    if (has_ended_) return;
    // A bar that moves ten times a second is enough; a rule need not count its calls.
    constexpr std::int64_t kIntervalNs = 100'000'000;
    const std::int64_t now_ns = seams_.clock.monotonic_ns();
    if (done != total && now_ns - last_progress_ns_ < kIntervalNs) return;
    last_progress_ns_ = now_ns;
    sink_({id_, ExecutorEvent::Progress{done, total, std::string(unit)}});
  }
  void log(std::string_view line) override {
    const std::lock_guard lock(mutex_);
    if (!has_ended_) sink_({id_, ExecutorEvent::Log{std::string(line)}});
  }
  // Nothing is reported any more: threads that work for several actions may still be about to.
  void end() {
    const std::lock_guard lock(mutex_);
    has_ended_ = true;
  }
  [[nodiscard]] std::stop_token stop() const override { return stop_; }
  [[nodiscard]] FileSystem& file_system() override { return seams_.files; }
  [[nodiscard]] Clock& clock() override { return seams_.clock; }
  [[nodiscard]] ProcessRunner& processes() override { return seams_.processes; }

 private:
  std::string id_;
  Seams seams_;
  std::stop_token stop_;
  const EventSink& sink_;
  std::mutex mutex_;  // held while something is reported, so that nothing is after the end
  std::int64_t last_progress_ns_ = 0;
  bool has_ended_ = false;
};

const Rule& rule_of(const ActionRequest& request, const RuleSet& rules) {
  const Rule* const rule = rules.find(request.rule);
  if (rule == nullptr) {
    throw Error(ErrorKind::kUnsupported,
                fmt::format("there is no rule \"{}\" here; install qbuild and qbuild-worker "
                            "of the same version",
                            request.rule));
  }
  return *rule;
}

// The actions that run together, and which of them have ended. Of one thread.
class Group {
 public:
  Group(std::span<const ActionRequest> requests, const Seams& seams, const std::stop_token& stop,
        const EventSink& sink)
      : clock_(seams.clock), stop_(stop), sink_(sink), begin_ns_(clock_.monotonic_ns()) {
    for (const ActionRequest& request : requests) {
      sink_({request.id, ExecutorEvent::Started{}});
      contexts_.emplace_back(request.id, seams, stop, sink);
      actions_.push_back({request, contexts_.back()});
    }
    has_ended_.assign(actions_.size(), false);
  }

  [[nodiscard]] std::span<const TogetherAction> actions() const { return actions_; }

  void end(std::size_t place, ActionOutcome outcome) {
    if (place >= actions_.size() || has_ended_[place])
      throw Error(ErrorKind::kInternal,
                  fmt::format("the rule ended action {} of {} when it could not end", place + 1,
                              actions_.size()));
    has_ended_[place] = true;
    contexts_[place].end();
    const double seconds = static_cast<double>(clock_.monotonic_ns() - begin_ns_) * 1e-9;
    // Through the fence: after a stop every error counts as one.
    const std::optional<Error> error = run_fenced(
        [&] {
          if (outcome.error) throw *outcome.error;
          if (!outcome.result)
            throw Error(ErrorKind::kInternal, "the rule did not say how it ended");
        },
        [&] { return stop_.stop_requested(); });
    const std::string& id = actions_[place].request.id;
    if (error) {
      sink_({id, ExecutorEvent::Failed{*error, seconds}});
    } else {
      sink_({id, ExecutorEvent::Done{*std::move(outcome.result), seconds, peak_resident_bytes()}});
    }
  }

  void end_rest(const std::optional<Error>& error) {
    for (std::size_t i = 0; i < actions_.size(); ++i)
      if (!has_ended_[i]) end(i, {.result = std::nullopt, .error = error});
  }

 private:
  Clock& clock_;
  const std::stop_token& stop_;
  const EventSink& sink_;
  const std::int64_t begin_ns_;
  std::deque<ReportingContext> contexts_;  // which stay where they are
  std::vector<TogetherAction> actions_;
  std::vector<bool> has_ended_;
};

}  // namespace

void run_together(std::span<const ActionRequest> requests, const RuleSet& rules, const Seams& seams,
                  const std::stop_token& stop, const EventSink& sink) {
  if (requests.empty()) return;
  Group group(requests, seams, stop, sink);
  const std::optional<Error> error = run_fenced(
      [&] {
        rule_of(requests.front(), rules)
            .run_together(group.actions(), [&](std::size_t place, ActionOutcome outcome) {
              group.end(place, std::move(outcome));
            });
      },
      [&] { return stop.stop_requested(); });
  group.end_rest(error);
}

void run_action(const ActionRequest& request, const RuleSet& rules, const Seams& seams,
                std::stop_token stop, const EventSink& sink) {
  sink({request.id, ExecutorEvent::Started{}});
  ReportingContext context(request.id, seams, stop, sink);
  const std::int64_t begin_ns = seams.clock.monotonic_ns();
  ExecutorEvent::Done done;
  const std::optional<Error> error =
      run_fenced([&] { done.result = rule_of(request, rules).run(request, context); },
                 [&] { return stop.stop_requested(); });
  const double seconds = static_cast<double>(seams.clock.monotonic_ns() - begin_ns) * 1e-9;
  if (error) {
    sink({request.id, ExecutorEvent::Failed{*error, seconds}});
    return;
  }
  done.seconds = seconds;
  done.peak_memory_bytes = peak_resident_bytes();
  sink({request.id, std::move(done)});
}

}  // namespace qbuild::engine
