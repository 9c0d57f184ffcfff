#include "engine/worker_protocol.h"

#include <fmt/core.h>

#include "base/error.h"
#include "base/json.h"
#include "engine/action_log.h"

namespace qbuild::engine {
namespace {

// Of a line that is shown in a message.
constexpr std::size_t kShownBytes = 80;

std::string as_line(const Json& json) {
  return json.dump() + "\n";
}

std::string shown(std::string_view line) {
  std::string text;
  for (const char c : line.substr(0, kShownBytes)) {
    text += static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) > 0x7e ? '?' : c;
  }
  return line.size() > kShownBytes ? text + "..." : text;
}

template <typename Body>
auto parse_line(std::string_view line, Body&& body) {
  try {
    return body(Json::parse(line));
  } catch (const Error& error) {
    throw Error(ErrorKind::kCorrupt,
                fmt::format("a line that is no event: \"{}\" ({})", shown(line), error.message()));
  }
}

// Longer than the machine has been there: nobody's.
constexpr double kMaxSeconds = 1e9;

double seconds_from_json(const Json& json) {
  const double seconds = json.as_double();
  if (!(seconds >= 0 && seconds <= kMaxSeconds))
    throw Error(ErrorKind::kCorrupt, fmt::format("an action of {} seconds", seconds));
  return seconds;
}

ErrorKind kind_from_json(const Json& json) {
  const std::optional<ErrorKind> kind = error_kind_from_name(json.as_string());
  if (!kind) throw Error(ErrorKind::kCorrupt, "unknown kind of error " + json.dump());
  return *kind;
}

struct EventToJson {
  const std::string& id;

  [[nodiscard]] Json begin(const char* name) const {
    return Json::object({{"event", name}, {"id", id}});
  }
  Json operator()(const ExecutorEvent::Started& /*event*/) const { return begin("started"); }
  // Of these two no worker speaks: they are said of one.
  Json operator()(const ExecutorEvent::NotRun& /*event*/) const { return begin("not_run"); }
  Json operator()(const ExecutorEvent::BrokeDown& /*event*/) const { return begin("broke_down"); }
  Json operator()(const ExecutorEvent::Progress& event) const {
    Json json = begin("progress");
    json["done"] = event.done;
    json["total"] = event.total;
    json["unit"] = event.unit;
    return json;
  }
  Json operator()(const ExecutorEvent::Log& event) const {
    Json json = begin("log");
    json["line"] = bounded_line(event.line);
    return json;
  }
  Json operator()(const ExecutorEvent::Done& event) const {
    Json json = begin("done");
    json["result"] = to_json(event.result);
    json["seconds"] = event.seconds;
    json["peak_memory_bytes"] = event.peak_memory_bytes;
    return json;
  }
  Json operator()(const ExecutorEvent::Failed& event) const {
    Json json = begin("failed");
    json["kind"] = error_kind_name(event.error.kind());
    json["message"] = bounded_line(event.error.message());
    json["seconds"] = event.seconds;
    return json;
  }
};

}  // namespace

std::string batch_line(const Batch& batch) {
  Json requests = Json::array();
  for (const ActionRequest& request : batch.actions) requests.push_back(to_json(request));
  Json line = Json::object({{"batch", std::move(requests)}});
  if (batch.order == Batch::Order::kTogether) line["together"] = true;
  return as_line(line);
}

std::string hello_line() {
  return as_line(Json::object({{"event", "hello"}, {"protocol", kWorkerProtocol}}));
}

std::string event_line(const ExecutorEvent& event) {
  return as_line(std::visit(EventToJson{event.id}, event.what));
}

Batch parse_batch(std::string_view line) {
  return parse_line(line, [](const Json& json) {
    Batch batch;
    for (const Json& request : json.at("batch").as_array()) {
      batch.actions.push_back(request_from_json(request));
    }
    if (json.get_bool("together", false)) batch.order = Batch::Order::kTogether;
    return batch;
  });
}

void check_hello(std::string_view line) {
  const std::int64_t protocol = parse_line(line, [](const Json& json) {
    if (json.at("event").as_string() != "hello") throw Error(ErrorKind::kCorrupt, "no greeting");
    return json.at("protocol").as_int();
  });
  if (protocol != kWorkerProtocol) {
    throw Error(
        ErrorKind::kUnsupported,
        fmt::format("the worker speaks protocol {}, this program {}; install both from one version",
                    protocol, kWorkerProtocol));
  }
}

ExecutorEvent parse_event(std::string_view line) {
  return parse_line(line, [](const Json& json) {
    ExecutorEvent event;
    event.id = json.at("id").as_string();
    const std::string& name = json.at("event").as_string();
    if (name == "started") {
      event.what = ExecutorEvent::Started{};
    } else if (name == "progress") {
      event.what = ExecutorEvent::Progress{.done = json.at("done").as_uint(),
                                           .total = json.at("total").as_uint(),
                                           .unit = bounded_line(json.at("unit").as_string())};
    } else if (name == "log") {
      event.what = ExecutorEvent::Log{bounded_line(json.at("line").as_string())};
    } else if (name == "done") {
      event.what = ExecutorEvent::Done{.result = result_from_json(json.at("result")),
                                       .seconds = seconds_from_json(json.at("seconds")),
                                       .peak_memory_bytes = json.at("peak_memory_bytes").as_uint()};
    } else if (name == "failed") {
      event.what = ExecutorEvent::Failed{
          Error(kind_from_json(json.at("kind")), bounded_line(json.at("message").as_string())),
          seconds_from_json(json.at("seconds"))};
    } else {
      throw Error(ErrorKind::kCorrupt, fmt::format("unknown event \"{}\"", name));
    }
    return event;
  });
}

}  // namespace qbuild::engine
