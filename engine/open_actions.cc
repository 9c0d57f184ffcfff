#include "engine/open_actions.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/shown.h"
#include "engine/progress_lines.h"

namespace qbuild::engine {
namespace {

using std::chrono::milliseconds;

std::string text_of(milliseconds time) {
  return duration_text(static_cast<double>(time.count()) * 1e-3);
}

Error late_neighbour() {
  return {ErrorKind::kExhausted,
          "the worker was stopped: an action that ran together with this one took too long"};
}

}  // namespace

void OpenActions::add(const Batch& batch) {
  for (const ActionRequest& request : batch.actions)
    open_.push_back({request.id, request.time_limit});
  order_ = batch.order;
  has_begun_ = false;
  has_blamed_ = false;
}

const OpenActions::Open* OpenActions::find(std::string_view id) const {
  const auto found =
      std::find_if(open_.begin(), open_.end(), [&](const Open& open) { return open.id == id; });
  return found == open_.end() ? nullptr : &*found;
}

milliseconds OpenActions::shortest_limit() const {
  check(!open_.empty(), "a limit is asked for while something is open");
  if (order_ == Batch::Order::kInTurn) return open_.front().limit;
  return std::min_element(open_.begin(), open_.end(),
                          [](const Open& a, const Open& b) { return a.limit < b.limit; })
      ->limit;
}

milliseconds OpenActions::until_late(milliseconds since_begin) {
  watched_ = shortest_limit();
  if (order_ == Batch::Order::kInTurn) return watched_;
  return std::max(watched_ - since_begin, milliseconds(0));
}

milliseconds OpenActions::greeting_limit() const {
  return std::min(shortest_limit(), kGreetingLimit);
}

void OpenActions::check_turn(const ExecutorEvent& event) const {
  const Open* const action = find(event.id);
  if (action == nullptr) {
    throw Error(
        ErrorKind::kCorrupt,
        fmt::format("it reported on an action that it was not given: \"{}\"", shown(event.id)));
  }
  const bool may_be_any = order_ == Batch::Order::kTogether;
  const bool begins = std::holds_alternative<ExecutorEvent::Started>(event.what);
  if ((!may_be_any && action != &open_.front()) || begins == action->is_started) {
    throw Error(ErrorKind::kCorrupt,
                fmt::format("it reported on an action out of turn: \"{}\"", shown(event.id)));
  }
}

void OpenActions::start(std::string_view id) {
  for (Open& action : open_)
    if (action.id == id) action.is_started = true;
  has_begun_ = true;
}

void OpenActions::end(std::string_view id) {
  std::erase_if(open_, [&](const Open& action) { return action.id == id; });
}

std::vector<std::string> OpenActions::started() const {
  std::vector<std::string> ids;
  for (const Open& action : open_)
    if (action.is_started) ids.push_back(action.id);
  return ids;
}

bool OpenActions::is_late(const Open& action) const {
  if (order_ == Batch::Order::kTogether) return action.limit <= watched_;
  return !has_blamed_ && &action == &open_.front();
}

Error OpenActions::too_late(const Open& action) const {
  return {ErrorKind::kExhausted,
          fmt::format("did not end within {}{}", text_of(action.limit),
                      action.limit == kDefaultTimeLimit
                          ? ", which is the limit of whatever has no resources.time_limit"
                          : " (resources.time_limit)")};
}

ExecutorEvent OpenActions::end_late(ExecutorEvent event) {
  const Open* const action = find(event.id);
  check(action != nullptr, "what ends was open");
  if (auto* const failed = std::get_if<ExecutorEvent::Failed>(&event.what)) {
    if (is_late(*action)) {
      failed->error = too_late(*action);
    } else if (order_ == Batch::Order::kTogether) {
      event.what = ExecutorEvent::BrokeDown{late_neighbour()};
    } else {
      // What the worker began in spite of it is blameless.
      event.what = ExecutorEvent::NotRun{};
    }
  }
  has_blamed_ = true;
  end(event.id);
  return event;
}

std::vector<ExecutorEvent> OpenActions::give_up(const Breakdown& breakdown) {
  std::vector<ExecutorEvent> events;
  const bool is_in_doubt = order_ == Batch::Order::kTogether && breakdown.is_greeted;
  for (const Open& action : open_) {
    if (breakdown.is_cancelled) {
      events.push_back(
          {action.id, ExecutorEvent::Failed{Error(ErrorKind::kCancelled, "interrupted"), 0}});
    } else {
      events.push_back(is_in_doubt ? left_together(action, breakdown)
                                   : left_in_turn(action, breakdown));
    }
  }
  open_.clear();
  return events;
}

ExecutorEvent OpenActions::left_in_turn(const Open& action, const Breakdown& breakdown) const {
  const bool is_late = breakdown.was_told_to_end && !has_blamed_;
  // What was not begun is blameless, unless nothing ever was: then the worker is no worker.
  const bool one_is_to_blame = is_late || open_.front().is_started;
  if (&action == &open_.front() && one_is_to_blame) {
    if (!is_late) return {action.id, ExecutorEvent::Failed{breakdown.error, 0}};
    if (breakdown.is_greeted) return {action.id, ExecutorEvent::Failed{too_late(action), 0}};
    return {action.id, ExecutorEvent::Failed{
                           Error(ErrorKind::kExhausted,
                                 fmt::format("the worker did not greet within {}",
                                             text_of(std::min(action.limit, kGreetingLimit)))),
                           0}};
  }
  if (one_is_to_blame || breakdown.has_worked || breakdown.was_told_to_end)
    return {action.id, ExecutorEvent::NotRun{}};
  return {action.id, ExecutorEvent::Failed{breakdown.error, 0}};
}

ExecutorEvent OpenActions::left_together(const Open& action, const Breakdown& breakdown) const {
  const bool was_told = breakdown.was_told_to_end;
  if (was_told && is_late(action)) return {action.id, ExecutorEvent::Failed{too_late(action), 0}};
  if (action.is_started)
    return {action.id, ExecutorEvent::BrokeDown{was_told ? late_neighbour() : breakdown.error}};
  if (has_begun_ || breakdown.has_worked || was_told) return {action.id, ExecutorEvent::NotRun{}};
  return {action.id, ExecutorEvent::Failed{breakdown.error, 0}};
}

std::vector<ExecutorEvent> OpenActions::fail_all(const Error& error) {
  std::vector<ExecutorEvent> events;
  const Error failure(error.kind(), fmt::format("worker: {}", error.message()));
  for (const Open& action : open_) events.push_back({action.id, ExecutorEvent::Failed{failure, 0}});
  open_.clear();
  return events;
}

}  // namespace qbuild::engine
