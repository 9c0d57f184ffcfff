#include "engine/report.h"

#include <algorithm>

namespace qbuild::engine {
namespace {

constexpr int kExitOk = 0;
constexpr int kExitFailed = 1;
constexpr int kExitHeld = 3;
constexpr int kExitInterrupted = 130;  // as shells report a program that SIGINT ended

}  // namespace

Json to_json(const Counters& counters) {
  return Json::object({{"executed", counters.executed},
                       {"reused", counters.reused},
                       {"failed", counters.failed},
                       {"skipped", counters.skipped},
                       {"held", counters.held},
                       {"bytes_hashed", counters.bytes_hashed},
                       {"bytes_read", counters.bytes_read},
                       {"bytes_written", counters.bytes_written},
                       {"requests", counters.requests},
                       {"pieces_computed", counters.pieces_computed},
                       {"pieces_copied", counters.pieces_copied},
                       {"seconds", counters.seconds}});
}

int exit_code(const RunReport& report) {
  const auto any = [&](Status status) {
    return std::any_of(report.nodes.begin(), report.nodes.end(),
                       [&](const auto& entry) { return entry.second.status == status; });
  };
  if (report.interrupted) return kExitInterrupted;
  if (any(Status::kFailed) || any(Status::kSkipped)) return kExitFailed;
  return any(Status::kHeld) ? kExitHeld : kExitOk;
}

}  // namespace qbuild::engine
