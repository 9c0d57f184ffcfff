#include <fmt/core.h>

#include <algorithm>
#include <cstdio>

#include "base/error.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/inspect_text.h"
#include "cli/output.h"
#include "cli/table.h"
#include "engine/journal.h"
#include "engine/last_run.h"
#include "engine/project_files.h"
#include "rules/display.h"

namespace qbuild::cli {
namespace {

constexpr std::size_t kRunsShown = 10;
constexpr std::uint64_t kMaxLogBytes = 256u << 20;

// The lines of one run, by its id, in the order of the journal.
struct RunLines {
  std::string id;
  std::vector<Json> lines;
};

std::vector<RunLines> runs_of(const std::vector<Json>& journal) {
  std::vector<RunLines> runs;
  for (const Json& line : journal) {
    const std::string id = line.get_string("run");
    const auto found =
        std::find_if(runs.begin(), runs.end(), [&](const RunLines& run) { return run.id == id; });
    RunLines& run = found == runs.end() ? runs.emplace_back(RunLines{id, {}}) : *found;
    run.lines.push_back(line);
  }
  return runs;
}

bool is_finished(const Json& line) {
  return line.get_string("event") == "finished";
}

std::string ending(const RunLines& run) {
  const Json& last = run.lines.back();
  if (last.get_string("event") != "run_finished") return "did not end";
  switch (last.get_int("exit_code", 0)) {
    case 0:
      return "up to date";
    case 3:
      return "held";
    case 130:
      return "interrupted";
    default:
      return "failed";
  }
}

// The one target that a command means.
engine::NodeId one_target(Session& session) {
  const std::string& name = session.options().operands.front();
  if (const auto exact = session.lowered().graph.find(name)) return *exact;
  const auto goals = rules::select_goals(session.lowered(), {name}, rules::WithPublish::kYes);
  if (goals.size() != 1)
    throw Error(ErrorKind::kInvalidInput,
                fmt::format("\"{}\" stands for {} targets; name one", name, goals.size()));
  return goals.front();
}

}  // namespace

int run_inspect(Session& session) {
  print_text(
      inspect_text(session.files(), session.options().operands.front(), session.options().json));
  return 0;
}

int run_status(Session& session) {
  const auto files = engine::ProjectFiles::of(session.project());
  const auto runs = runs_of(engine::read_journal(session.files(), files.journal()));
  if (session.options().json) {
    for (const RunLines& run : runs)
      for (const Json& line : run.lines) print("{}\n", line.dump());
    return 0;
  }
  if (runs.empty()) {
    print("no runs yet\n");
    return 0;
  }
  Table table({"run", "at", "ended", ">executed", ">failed", ">time"});
  const std::size_t first = runs.size() > kRunsShown ? runs.size() - kRunsShown : 0;
  for (std::size_t i = first; i < runs.size(); ++i) {
    const Json& last = runs[i].lines.back();
    table.add({runs[i].id, runs[i].lines.front().get_string("at"), ending(runs[i]),
               std::to_string(last.get_int("executed", 0)),
               std::to_string(last.get_int("failed", 0)),
               rules::display_seconds(last.get_double("seconds", 0))});
  }
  print_text(table.text());
  // A run that only reused has nothing to tell.
  const auto told = std::find_if(runs.rbegin(), runs.rend(), [](const RunLines& run) {
    return std::any_of(run.lines.begin(), run.lines.end(), is_finished);
  });
  if (told == runs.rend()) return 0;
  Table steps({fmt::format("target of {}", told->id), "state", ">time", "cause"});
  for (const Json& line : told->lines)
    if (is_finished(line))
      steps.add({line.get_string("target"), line.get_string("status"),
                 rules::display_seconds(line.get_double("seconds", 0)), line.get_string("reason")});
  print("\n{}", steps.text());
  return 0;
}

int run_log(Session& session) {
  const auto files = engine::ProjectFiles::of(session.project());
  std::string target = session.options().operands.front();
  fs::path path = files.log(target);
  // The manifest is asked only about a name that has no log: a broken one does not hide the others.
  if (!session.files().stat(path)) {
    target = session.lowered().graph.node(one_target(session)).target;
    path = files.log(target);
  }
  if (!session.files().stat(path)) {
    const auto last = engine::read_last_run(session.files(), files, target);
    throw Error(
        ErrorKind::kNotFound,
        fmt::format("{} {}", target, last ? "printed nothing" : "has not run in this project"));
  }
  const std::string text = read_file(session.files(), path, kMaxLogBytes);
  if (session.options().json)
    print("{}\n", Json::object({{"target", target}, {"log", text}}).dump());
  else
    print_text(text);
  return 0;
}

int run_store_stats(Session& session) {
  const cache::StoreStats stats = session.store().stats();
  if (session.options().json) {
    print("{}\n", Json::object({{"root", session.store().root().string()},
                                {"blobs", stats.blobs},
                                {"blob_bytes", stats.blob_bytes},
                                {"records", stats.records},
                                {"record_bytes", stats.record_bytes},
                                {"scratch_bytes", stats.scratch_bytes},
                                {"damaged_bytes", stats.damaged_bytes}})
                      .dump());
    return 0;
  }
  Table table({session.store().root().string(), ">number", ">size"});
  table.add({"blobs", std::to_string(stats.blobs), rules::display_bytes(stats.blob_bytes)});
  table.add({"records", std::to_string(stats.records), rules::display_bytes(stats.record_bytes)});
  table.add({"unfinished", "", rules::display_bytes(stats.scratch_bytes)});
  table.add({"damaged, set aside", "", rules::display_bytes(stats.damaged_bytes)});
  print_text(table.text());
  return 0;
}

int run_store_verify(Session& session) {
  const cache::VerifyReport report = session.store().verify({});
  Json damages = Json::array();
  for (const cache::Damage& damage : report.damages) {
    if (!session.options().json)
      print_error(fmt::format("damaged: {}: {}\n", damage.path.string(), damage.what));
    damages.push_back(Json::object({{"path", damage.path.string()}, {"what", damage.what}}));
  }
  if (session.options().json)
    print("{}\n", Json::object({{"blobs", report.blobs_checked},
                                {"records", report.records_checked},
                                {"bytes_hashed", report.bytes_hashed},
                                {"damages", std::move(damages)}})
                      .dump());
  else
    print("{} and {} read, {} damaged\n", counted(report.blobs_checked, "blob"),
          counted(report.records_checked, "record"), report.damages.size());
  return report.damages.empty() ? 0 : 1;
}

int run_store_path(Session& session) {
  const engine::NodeId id = one_target(session);
  const engine::Node& node = session.lowered().graph.node(id);
  const std::vector<engine::NodeId> goals{id};
  const engine::Plan plan = session.builder().plan(session.lowered().graph, goals);
  const engine::PlanEntry* const entry = plan.find(id);
  const auto record =
      entry != nullptr && entry->key ? session.store().find_record(*entry->key) : std::nullopt;
  if (!record)
    throw Error(ErrorKind::kNotFound,
                fmt::format("{} is not in the store; build it first", node.target));
  Json files = Json::object();
  for (const cache::FileEntry& file : record->artifact.files)
    if (!record->inline_files.contains(file.name))
      files[file.name] = session.store().blob_path(file.sha256).string();
  if (session.options().json) {
    Json inline_files = Json::object();
    for (const auto& [name, bytes] : record->inline_files) inline_files[name] = bytes;
    print("{}\n", Json::object({{"target", node.target},
                                {"key", entry->key->hex()},
                                {"record", session.store().record_path(*entry->key).string()},
                                {"files", std::move(files)},
                                {"inline", std::move(inline_files)}})
                      .dump());
    return 0;
  }
  print("{}\n", session.store().record_path(*entry->key).string());
  for (const auto& [name, path] : files.as_object()) print("{}  {}\n", path.as_string(), name);
  return 0;
}

}  // namespace qbuild::cli
