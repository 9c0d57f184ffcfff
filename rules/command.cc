#include "rules/command.h"

#include <fmt/core.h>
#include <signal.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "base/error.h"
#include "base/glob.h"
#include "engine/grace.h"
#include "rules/gguf_artifact.h"
#include "rules/rule_table.h"
#include "rules/tool_log.h"

namespace qbuild::rules {
namespace {

using engine::ActionContext;
using engine::ActionRequest;
using engine::ActionResult;
using engine::ProducedFile;

// "{source}" and "{out}" by what they stand for; what was put in is not looked at again.
std::string substitute(std::string_view argument, std::string_view source, std::string_view out) {
  const std::pair<std::string_view, std::string_view> variables[]{{"{source}", source},
                                                                  {"{out}", out}};
  std::string text;
  for (std::size_t at = 0; at < argument.size();) {
    const std::string_view rest = argument.substr(at);
    const auto* const found =
        std::find_if(std::begin(variables), std::end(variables),
                     [&](const auto& variable) { return rest.starts_with(variable.first); });
    const bool is_variable = found != std::end(variables);
    text += is_variable ? found->second : rest.substr(0, 1);
    at += is_variable ? found->first.size() : 1;
  }
  return text;
}

std::vector<std::string> tool_environment(const Json* declared) {
  std::vector<std::string> environment;
  for (const std::string& variable : current_environment())
    for (const char* const passed : {"PATH=", "HOME=", "LANG=", "TMPDIR="})
      if (variable.starts_with(passed)) environment.push_back(variable);
  if (declared != nullptr && declared->is_object())
    for (const auto& [name, value] : declared->as_object()) {
      const std::string assigned = name + "=";
      std::erase_if(environment,
                    [&](const std::string& entry) { return entry.starts_with(assigned); });
      environment.push_back(assigned + value.as_string());
    }
  return environment;
}

// Ends the tool's whole group when a stop is asked for: politely, then for good.
class StopsTool {
 public:
  StopsTool(std::stop_token stop, ChildProcess& child)
      : thread_([this, stop = std::move(stop), &child] {
          std::unique_lock lock(mutex_);
          if (!changed_.wait(lock, stop, [&] { return done_; }) && stop.stop_requested()) {
            child.signal_group(SIGTERM);
            if (!changed_.wait_for(lock, engine::kToolGrace, [&] { return done_; }))
              child.signal_group(SIGKILL);
          }
        }) {}
  ~StopsTool() {
    {
      const std::lock_guard lock(mutex_);
      done_ = true;
    }
    changed_.notify_all();
    thread_.join();
  }
  StopsTool(const StopsTool&) = delete;
  StopsTool& operator=(const StopsTool&) = delete;

 private:
  std::mutex mutex_;
  std::condition_variable_any changed_;
  bool done_ = false;
  std::thread thread_;
};

// Relative names of all regular files below `folder`, sorted; anything that is no file or folder is
// refused.
void collect(const fs::path& folder, const fs::path& prefix, std::vector<std::string>& names) {
  for (const auto& entry : fs::directory_iterator(folder / prefix)) {
    const fs::path name = prefix / entry.path().filename();
    if (entry.is_symlink() || !(entry.is_directory() || entry.is_regular_file()))
      throw Error(
          ErrorKind::kInvalidInput,
          fmt::format("the tool wrote {}, which is no regular file", Json(name.string()).dump()));
    if (entry.is_directory())
      collect(folder, name, names);
    else
      names.push_back(name.generic_string());
  }
}

Digest hash_file(FileSystem& files, const fs::path& path, std::uint64_t& size_bytes) {
  const auto file = files.open(path);
  std::vector<std::byte> buffer(1u << 20);
  Sha256 hash;
  size_bytes = 0;
  while (const std::size_t got = file->read_at(size_bytes, buffer)) {
    hash.update(Bytes(buffer).first(got));
    size_bytes += got;
  }
  return hash.finish();
}

std::vector<std::string> declared_outputs(const std::vector<std::string>& names,
                                          const Json& patterns) {
  if (names.empty())
    throw Error(ErrorKind::kInvalidInput, "the tool exited with 0 but wrote nothing to {out}");
  for (const std::string& name : names) {
    if (!cache::is_canonical_name(name))
      throw Error(
          ErrorKind::kInvalidInput,
          fmt::format("the tool wrote a file with an unusable name: {}", Json(name).dump()));
    const auto& list = patterns.as_array();
    if (std::none_of(list.begin(), list.end(),
                     [&](const Json& p) { return glob_match(p.as_string(), name); }))
      throw Error(
          ErrorKind::kInvalidInput,
          fmt::format(
              "the tool wrote {}, which its outputs do not declare; add a pattern to outputs",
              Json(name).dump()));
  }
  for (const Json& pattern : patterns.as_array())
    if (std::none_of(names.begin(), names.end(),
                     [&](const auto& n) { return glob_match(pattern.as_string(), n); }))
      throw Error(ErrorKind::kInvalidInput,
                  fmt::format("the tool wrote no file that matches its output \"{}\"",
                              pattern.as_string()));
  return names;
}

class CommandRule final : public engine::Rule {
 public:
  [[nodiscard]] const engine::RuleTraits& traits() const override { return traits_; }

  ActionResult run(const ActionRequest& request, ActionContext& context) const override {
    const fs::path out = request.scratch / "out";
    const fs::path log = request.scratch / "log.txt";
    context.file_system().create_directories(out);
    run_tool(request, context, out, log);
    std::vector<std::string> names;
    collect(out, {}, names);
    std::sort(names.begin(), names.end());
    ActionResult result;
    for (const std::string& name : declared_outputs(names, request.params.at("outputs"))) {
      ProducedFile file{.name = name, .path = out / name, .sha256 = {}, .size_bytes = 0};
      file.sha256 = hash_file(context.file_system(), file.path, file.size_bytes);
      result.bytes_hashed += file.size_bytes;
      result.bytes_written += file.size_bytes;
      result.files.push_back(std::move(file));
    }
    // A lone GGUF is described like one of ours, so that it can be measured and listed.
    if (result.files.size() == 1 && result.files[0].name.ends_with(".gguf")) {
      const GgufDescription gguf = describe_gguf(context.file_system(), result.files[0].path);
      result.facets = gguf.facets;
      result.facts = gguf.facts;
    }
    return result;
  }

 private:
  static void run_tool(const ActionRequest& request, ActionContext& context, const fs::path& out,
                       const fs::path& log) {
    ProcessSpec spec;
    const std::string source = request.context.get_string("source");
    for (const Json& argument : request.params.at("run").as_array())
      spec.argv.push_back(substitute(argument.as_string(), source, out.string()));
    spec.environment = tool_environment(request.params.find("environment"));
    spec.working_directory = request.context.get_string("directory");
    spec.output_log = log;
    // It leads a group of its own, so that whoever kills this process would not reach it.
    spec.end_with_parent = true;
    if (!spec.argv.empty() && spec.argv[0].find('/') != std::string::npos && spec.argv[0][0] != '/')
      spec.argv[0] = (spec.working_directory / spec.argv[0]).string();
    const auto child = context.processes().start(spec);
    ProcessExit exit;
    {
      ToolLog output(context.file_system(), log, context);
      {
        const StopsTool stops(context.stop(), *child);
        exit = child->wait();
      }
      output.finish();
    }
    if (context.stop().stop_requested()) throw Error(ErrorKind::kCancelled, "stopped");
    if (exit.signal != 0)
      throw Error(ErrorKind::kInvalidInput,
                  fmt::format("{} was ended by signal {}", spec.argv[0], exit.signal));
    if (exit.exit_code != 0)
      throw Error(ErrorKind::kInvalidInput,
                  fmt::format("{} exited with {}", spec.argv[0], exit.exit_code));
  }

  engine::RuleTraits traits_ = command_traits();
};

}  // namespace

std::unique_ptr<engine::Rule> make_command_rule() {
  return std::make_unique<CommandRule>();
}

}  // namespace qbuild::rules
