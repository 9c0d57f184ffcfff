// Events as JSON: the same objects for --json and for the journal. docs/engine.md lists them.

#include "engine/progress.h"

namespace qbuild::engine {
namespace {

Json failure_to_json(const Failure& failure) {
  Json tail = Json::array();
  for (const std::string& line : failure.log_tail) tail.push_back(line);
  return Json::object({{"kind", error_kind_name(failure.kind)},
                       {"message", failure.message},
                       {"log_tail", std::move(tail)}});
}

struct EventToJson {
  Json operator()(const RunStarted& event) const {
    return Json::object({{"event", "started_run"},
                         {"version", kEventVersion},
                         {"run", event.run_id},
                         {"actions", std::uint64_t{event.actions}}});
  }
  Json operator()(const ActionStarted& event) const {
    return Json::object({{"event", "started"},
                         {"target", event.target},
                         {"rule", event.rule},
                         {"attempt", event.attempt},
                         {"why", to_json(event.why)}});
  }
  Json operator()(const ActionProgress& event) const {
    return Json::object({{"event", "progress"},
                         {"target", event.target},
                         {"done", event.done},
                         {"total", event.total},
                         {"unit", event.unit}});
  }
  Json operator()(const ActionLogged& event) const {
    return Json::object({{"event", "log"}, {"target", event.target}, {"line", event.line}});
  }
  Json operator()(const ActionRetried& event) const {
    return Json::object({{"event", "retry"},
                         {"target", event.target},
                         {"message", event.message},
                         {"wait_seconds", event.wait_seconds}});
  }
  Json operator()(const ActionFinished& event) const {
    Json json = Json::object({{"event", "finished"},
                              {"target", event.target},
                              {"rule", event.rule},
                              {"status", status_name(event.status)},
                              {"executed", event.executed},
                              {"seconds", event.seconds}});
    if (!event.reason.empty()) json["reason"] = event.reason;
    if (event.failure) json["error"] = failure_to_json(*event.failure);
    return json;
  }
  Json operator()(const RunFinished& event) const {
    Json json = Json::object({{"event", "summary"}});
    const Json counters = to_json(event.counters);
    for (const auto& [name, value] : counters.as_object()) json[name] = value;
    json["exit_code"] = event.exit_code;
    return json;
  }
};

class JsonProgress final : public Progress {
 public:
  explicit JsonProgress(Print print) : print_(std::move(print)) {}
  void on(const Event& event) override { print_(to_json(event).dump() + "\n"); }

 private:
  Print print_;
};

}  // namespace

Json to_json(const Event& event) {
  return std::visit(EventToJson{}, event);
}

std::unique_ptr<Progress> make_json_progress(Print print) {
  return std::make_unique<JsonProgress>(std::move(print));
}

}  // namespace qbuild::engine
