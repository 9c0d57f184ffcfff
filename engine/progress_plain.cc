// Lines that stay: for pipes and files.

#include "engine/progress.h"
#include "engine/progress_lines.h"

namespace qbuild::engine {
namespace {

class NullProgress final : public Progress {
 public:
  void on(const Event& /*event*/) override {}
};

class PlainProgress final : public Progress {
 public:
  explicit PlainProgress(Print print) : print_(std::move(print)) {}

  void on(const Event& event) override {
    if (const auto* finished = std::get_if<ActionFinished>(&event)) {
      for (const std::string& line : finished_lines(*finished, /*colour=*/false)) {
        print_(line + "\n");
      }
    } else if (const auto* retried = std::get_if<ActionRetried>(&event)) {
      print_(retried_line(*retried) + "\n");
    }
  }

 private:
  Print print_;
};

}  // namespace

std::unique_ptr<Progress> make_null_progress() {
  return std::make_unique<NullProgress>();
}

std::unique_ptr<Progress> make_plain_progress(Print print) {
  return std::make_unique<PlainProgress>(std::move(print));
}

}  // namespace qbuild::engine
