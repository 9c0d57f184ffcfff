#include "engine/action_runner.h"

#include <fmt/core.h>

#include <mutex>

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
    {
      // A bar that moves ten times a second is enough; a rule need not count its calls.
      const std::lock_guard lock(mutex_);
      constexpr std::int64_t kIntervalNs = 100'000'000;
      const std::int64_t now_ns = seams_.clock.monotonic_ns();
      if (done != total && now_ns - last_progress_ns_ < kIntervalNs) return;
      last_progress_ns_ = now_ns;
    }
    sink_({id_, ExecutorEvent::Progress{done, total, std::string(unit)}});
  }
  void log(std::string_view line) override { sink_({id_, ExecutorEvent::Log{std::string(line)}}); }
  [[nodiscard]] std::stop_token stop() const override { return stop_; }
  [[nodiscard]] FileSystem& file_system() override { return seams_.files; }
  [[nodiscard]] Clock& clock() override { return seams_.clock; }
  [[nodiscard]] ProcessRunner& processes() override { return seams_.processes; }

 private:
  std::string id_;
  Seams seams_;
  std::stop_token stop_;
  const EventSink& sink_;
  std::mutex mutex_;
  std::int64_t last_progress_ns_ = 0;
};

}  // namespace

void run_action(const ActionRequest& request, const RuleSet& rules, const Seams& seams,
                std::stop_token stop, const EventSink& sink) {
  sink({request.id, ExecutorEvent::Started{}});
  ReportingContext context(request.id, seams, stop, sink);
  const std::int64_t begin_ns = seams.clock.monotonic_ns();
  ExecutorEvent::Done done;
  const std::optional<Error> error = run_fenced(
      [&] {
        const Rule* const rule = rules.find(request.rule);
        if (rule == nullptr) {
          throw Error(ErrorKind::kUnsupported,
                      fmt::format("there is no rule \"{}\" here; install qbuild and qbuild-worker "
                                  "of the same version",
                                  request.rule));
        }
        done.result = rule->run(request, context);
      },
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
