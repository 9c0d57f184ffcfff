#include "rules/command.h"

#include <fmt/core.h>
#include <signal.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "base/error.h"
#include "engine/grace.h"
#include "rules/gguf_artifact.h"
#include "rules/rule_table.h"
#include "rules/tool_log.h"
#include "rules/tool_outputs.h"

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

class CommandRule final : public engine::Rule {
 public:
  [[nodiscard]] const engine::RuleTraits& traits() const override { return traits_; }

  ActionResult run(const ActionRequest& request, ActionContext& context) const override {
    const fs::path out = request.scratch / "out";
    context.file_system().create_directories(out);
    run_tool(request, context, out);
    ActionResult result;
    result.files = collect_outputs(context.file_system(), out, request.params.at("outputs"));
    for (const ProducedFile& file : result.files) {
      result.bytes_hashed += file.size_bytes;
      result.bytes_written += file.size_bytes;
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
  static void run_tool(const ActionRequest& request, ActionContext& context, const fs::path& out) {
    ProcessSpec spec;
    const std::string source = request.context.get_string("source");
    for (const Json& argument : request.params.at("run").as_array())
      spec.argv.push_back(substitute(argument.as_string(), source, out.string()));
    spec.environment = tool_environment(request.params.find("environment"));
    spec.working_directory = request.context.get_string("directory");
    spec.pipe_stdout = true;
    spec.pipe_stderr = true;
    // It leads a group of its own, so that whoever kills this process would not reach it.
    spec.end_with_parent = true;
    // What still writes to its outputs would write to the store.
    spec.end_strays = true;
    if (!spec.argv.empty() && spec.argv[0].find('/') != std::string::npos && spec.argv[0][0] != '/')
      spec.argv[0] = (spec.working_directory / spec.argv[0]).string();
    const auto child = context.processes().start(spec);
    ProcessExit exit;
    {
      ToolLog output(*child, context);
      {
        const StopsTool stops(context.stop(), *child);
        exit = child->wait();
      }
      output.finish();
    }
    for (const Stray& stray : exit.strays) context.log(stray_text(stray));
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
