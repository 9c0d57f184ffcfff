#include "tests/e2e/project.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "base/digest.h"

namespace qbuild::e2e {

const Json& RunResult::summary() const {
  static const Json kNone;
  if (events.empty() || events.back().get_string("event") != "summary") {
    ADD_FAILURE() << "no summary event; exit code " << exit_code << "\n" << out << err;
    return kNone;
  }
  return events.back();
}

std::int64_t RunResult::counter(std::string_view name) const {
  const Json* const value = summary().find(name);
  if (value == nullptr) {
    ADD_FAILURE() << "the summary has no " << name << ": " << summary().dump();
    return -1;
  }
  return value->as_int();
}

std::vector<std::string> RunResult::executed() const {
  std::vector<std::string> targets;
  for (const Json& event : events)
    if (event.get_string("event") == "finished" && event.get_bool("executed", false))
      targets.push_back(event.get_string("target"));
  std::sort(targets.begin(), targets.end());
  return targets;
}

fs::path program_path() {
  return QBUILD_PROGRAM;
}

fs::path metered_program_path() {
  return QBUILD_METERED_PROGRAM;
}

std::string read_whole(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

Running::Running(std::unique_ptr<ChildProcess> child, fs::path stderr_file, Prints prints)
    : child_(std::move(child)), stderr_file_(std::move(stderr_file)), prints_(prints) {}

bool Running::read_line() {
  constexpr std::size_t kMaxLine = 16u << 20;
  const auto line = child_->read_line(kMaxLine);
  if (!line) return false;
  result_.out += *line + "\n";
  if (prints_ != Prints::kEvents || line->empty()) return true;
  if (is_cut_) ADD_FAILURE() << "an event goes on in the next line: " << *line;
  is_cut_ = line->back() != '}';
  if (!is_cut_) result_.events.push_back(Json::parse(*line));
  return true;
}

int Running::pid() const {
  return child_->pid();
}

void Running::kill_group(int signal) const {
  child_->signal_group(signal);
}

bool Running::wait_for(std::string_view event) {
  while (read_line())
    if (!result_.events.empty() && result_.events.back().get_string("event") == event) return true;
  return false;
}

void Running::kill(int signal) const {
  ::kill(child_->pid(), signal);
}

RunResult Running::finish() {
  while (read_line()) {
  }
  result_.exit_code = child_->wait().exit_code;
  result_.err = read_whole(stderr_file_);
  fs::remove(stderr_file_);
  return std::move(result_);
}

Project::Project() : Project(fs::path()) {}

Project::Project(const fs::path& name) : program_(program_path()) {
  std::string pattern = (fs::temp_directory_path() / "qbuild-e2e-XXXXXX").string();
  if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no temporary folder");
  temporary_ = fs::canonical(pattern);
  root_ = name.empty() ? temporary_ : temporary_ / name;
  fs::create_directories(root_);
}

Project::~Project() {
  if (std::getenv("QBUILD_KEEP_TESTS") != nullptr) return;
  std::error_code ignored;
  fs::remove_all(temporary_, ignored);
}

void Project::write(const fs::path& relative, std::string_view text) const {
  fs::create_directories(path(relative).parent_path());
  std::ofstream file(path(relative), std::ios::binary | std::ios::trunc);
  file << text;
  if (!file.flush()) ADD_FAILURE() << "cannot write " << path(relative);
}

std::string Project::read(const fs::path& relative) const {
  return read_whole(path(relative));
}

void Project::add_model(const fs::path& relative) const {
  const fs::path from = fs::path(QBUILD_SOURCE_DIR) / "examples/models/bard-llama";
  fs::create_directories(path(relative));
  for (const char* name :
       {"config.json", "generation_config.json", "model.safetensors", "tokenizer.json",
        "tokenizer_config.json", "special_tokens_map.json", "README.md"})
    fs::copy_file(from / name, path(relative / name), fs::copy_options::overwrite_existing);
  const std::string text = read_whole(from / "heldout.txt");
  write("text.txt", std::string_view(text).substr(0, 4000));
}

std::unique_ptr<Running> Project::start(const RunSetting& setting,
                                        std::vector<std::string> arguments,
                                        Running::Prints prints) const {
  std::map<std::string, std::string> environment = setting.environment;
  environment.insert(variables_.begin(), variables_.end());
  environment.try_emplace("PATH",
                          std::getenv("PATH") != nullptr ? std::getenv("PATH") : "/usr/bin:/bin");
  environment.try_emplace("HOME", path("home").string());
  environment.try_emplace("QBUILD_STORE", path("store").string());
  environment.try_emplace("XDG_STATE_HOME", path("state").string());
  environment.try_emplace("LANG", "C.UTF-8");
  for (const char* passed : {"ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS"})
    if (const char* value = std::getenv(passed)) environment.try_emplace(passed, value);

  static std::atomic<int> count = 0;
  ProcessSpec spec;
  if (!setting.shell.empty()) spec.argv = {"/bin/sh", "-c", setting.shell + "\nexec \"$0\" \"$@\""};
  spec.argv.push_back(program_.string());
  spec.argv.insert(spec.argv.end(), arguments.begin(), arguments.end());
  for (const auto& [name, value] : environment) spec.environment.push_back(name + "=" + value);
  spec.working_directory = root_;
  spec.output_log = path("stderr-" + std::to_string(++count) + ".txt");
  spec.pipe_stdout = true;
  return std::make_unique<Running>(make_process_runner()->start(spec), spec.output_log, prints);
}

RunResult Project::run_as(const RunSetting& setting, std::vector<std::string> arguments) const {
  return start(setting, std::move(arguments), Running::Prints::kText)->finish();
}

RunResult Project::run(std::vector<std::string> arguments,
                       std::map<std::string, std::string> environment) const {
  return run_as({.environment = std::move(environment)}, std::move(arguments));
}

std::unique_ptr<Running> Project::start_json(std::vector<std::string> arguments,
                                             const RunSetting& setting) const {
  arguments.emplace_back("--json");
  return start(setting, std::move(arguments), Running::Prints::kEvents);
}

RunResult Project::run_json(std::vector<std::string> arguments) const {
  return start_json(std::move(arguments))->finish();
}

std::map<std::string, std::string> Project::digests(const fs::path& relative) const {
  std::map<std::string, std::string> found;
  if (!fs::exists(path(relative))) return found;
  for (const auto& entry : fs::recursive_directory_iterator(path(relative)))
    if (entry.is_regular_file())
      found[fs::relative(entry.path(), path(relative)).string()] =
          sha256(read_whole(entry.path())).hex();
  return found;
}

}  // namespace qbuild::e2e
