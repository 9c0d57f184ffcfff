#include "cli/session.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>

#include "base/error.h"
#include "base/shown.h"
#include "cli/process.h"
#include "engine/project_files.h"
#include "engine/worker_executor.h"
#include "manifests/load.h"
#include "rules/rule_table.h"

namespace qbuild::cli {
namespace {

constexpr std::string_view kDefaultManifest = "qbuild.yaml";
constexpr std::string_view kWorkerName = "qbuild-worker";
constexpr std::uint64_t kGiB = 1u << 30;

std::string variable(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? "" : value;
}

// The user's folder of that kind (XDG base directories); nothing if there is no home.
std::optional<fs::path> user_folder(const char* xdg_variable, const char* below_home) {
  if (const std::string folder = variable(xdg_variable); !folder.empty() && folder[0] == '/')
    return folder;
  if (const std::string home = variable("HOME"); !home.empty()) return fs::path(home) / below_home;
  return std::nullopt;
}

fs::path absolute_path(const fs::path& path) {
  return fs::absolute(path).lexically_normal();
}

// What tools that build reproducibly agree on:
// https://reproducible-builds.org/specs/source-date-epoch
std::optional<std::int64_t> source_date() {
  constexpr const char* kName = "SOURCE_DATE_EPOCH";
  const std::string text = variable(kName);
  if (text.empty()) return std::nullopt;
  std::int64_t seconds = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, problem] = std::from_chars(text.data(), end, seconds);
  // To the year 9999, which is the last one that four digits hold.
  constexpr std::int64_t kLast = 253'402'300'799;
  if (problem == std::errc() && rest == end && seconds >= 0 && seconds <= kLast) return seconds;
  throw Error(
      ErrorKind::kInvalidInput,
      fmt::format("${} is \"{}\", which is no number of seconds since 1970", kName, shown(text)));
}

// A relative one means another folder elsewhere.
std::string absolute_or_empty(const std::string& path) {
  return path.empty() ? path : absolute_path(path).string();
}

// Workers get the environment but for what is nobody's business but a hub's.
std::vector<std::string> worker_environment() {
  std::vector<std::string> environment = current_environment();
  std::erase_if(environment, [](const std::string& entry) {
    return entry.starts_with("HF_TOKEN=") || entry.starts_with("HUGGING_FACE_HUB_TOKEN=");
  });
  return environment;
}

fs::path worker_program() {
  std::error_code error;
  const fs::path self = fs::read_symlink("/proc/self/exe", error);
  if (error) return fs::path(kWorkerName);
  return self.parent_path() / kWorkerName;
}

// Writes the state file at its end; a failure shows when it is written again.
class SavesHashes {
 public:
  explicit SavesHashes(Session& session) : session_(session) {}
  ~SavesHashes() { (void)session_.state().save(session_.stats()); }
  SavesHashes(const SavesHashes&) = delete;
  SavesHashes& operator=(const SavesHashes&) = delete;

 private:
  Session& session_;
};

}  // namespace

Session::Session(Options options)
    : options_(std::move(options)),
      files_(make_posix_file_system()),
      clock_(make_system_clock()),
      processes_(make_process_runner()),
      machine_(this_machine()),
      rules_(rules::light_rules()) {
  if (!options_.directory.empty()) {
    std::error_code error;
    fs::current_path(options_.directory, error);
    if (error) throw_errno(error.value(), "-C " + options_.directory.string());
  }
  threads_ = options_.threads == 0 ? machine_.cores : options_.threads;
  manifests_ = options_.manifests;
  if (manifests_.empty()) manifests_.emplace_back(kDefaultManifest);
  project_ = absolute_path(manifests_.front()).parent_path();
  out_ = options_.out.empty() ? project_ / "out" : absolute_path(options_.out);
}

std::string Session::fingerprint() const {
  std::vector<std::string> parts{
      std::string(rules::kToolVersion),
      std::to_string(static_cast<int>(options_.command)),
      out_.string(),
      options_.store.empty() ? absolute_or_empty(variable("QBUILD_STORE"))
                             : absolute_path(options_.store).string(),
      variable("XDG_CACHE_HOME"),
      variable("HOME"),
      std::to_string(threads_),
      std::to_string(machine_.cores),
      std::to_string((machine_.memory_bytes + kGiB / 2) / kGiB),  // as the keys of speed have it
      machine_.cpu_model,
      machine_.vector_units};
  for (const fs::path& manifest : manifests_)
    parts.push_back("manifest " + absolute_path(manifest).string());
  for (const std::string& operand : options_.operands) parts.push_back("target " + operand);
  return engine::request_fingerprint(parts);
}

engine::StateFile& Session::state() {
  if (!state_) state_.emplace(*files_, *clock_, engine::ProjectFiles::of(project_).state());
  return *state_;
}

engine::StatTable& Session::stats() {
  if (!stats_) {
    stats_.emplace(*files_, *clock_);
    state().load_table(*stats_);
  }
  return *stats_;
}

const manifests::Manifest& Session::manifest() {
  if (!manifest_)
    manifest_ = manifests::load(
        *files_, manifests_, manifests::FileChecks::kCheck,
        [this](const fs::path& path) { manifest_witnesses_.push_back(stats().observe(path)); });
  return *manifest_;
}

const rules::Lowered& Session::lowered() {
  if (!lowered_) {
    // What was hashed need not be hashed again, even if something is wrong with the rest.
    const SavesHashes saves(*this);
    lowered_ = rules::lower(
        manifest(), *files_, *clock_, stats(),
        {.out = out_, .threads = threads_, .machine = machine_, .source_date = source_date()});
  }
  return *lowered_;
}

fs::path Session::store_root() const {
  if (!options_.store.empty()) return absolute_path(options_.store);
  if (const std::string root = variable("QBUILD_STORE"); !root.empty()) return absolute_path(root);
  if (const auto caches = user_folder("XDG_CACHE_HOME", ".cache")) return *caches / "qbuild";
  throw Error(ErrorKind::kInvalidInput,
              "neither XDG_CACHE_HOME nor HOME is set, so there is no place for the store; give "
              "--store or $QBUILD_STORE");
}

cache::Store& Session::store() {
  if (!store_) store_.emplace(*files_, *clock_, store_root());
  return *store_;
}

cache::Index& Session::index() {
  if (index_) return *index_;
  const auto states = user_folder("XDG_STATE_HOME", ".local/state");
  if (!states)
    warnings_.emplace_back(
        "neither XDG_STATE_HOME nor HOME is set: durations are not remembered beyond this run");
  // It may be lost, so having no place for it is no reason to do nothing.
  index_.emplace(*files_, states ? *states / "qbuild" / "index.db" : fs::path(), store());
  return *index_;
}

void Session::require_out() {
  const std::optional<FileStat> there = with_context("the folder of results (--out names another)",
                                                     [&] { return files_->stat(out_); });
  if (!there || there->kind == FileStat::Kind::kDirectory) return;
  throw Error(ErrorKind::kInvalidInput,
              fmt::format("{} is no folder, and results go there; move it away, or name another "
                          "with --out",
                          out_.string()));
}

engine::Builder& Session::builder() {
  if (!builder_) {
    engine::BuildOptions build;
    build.project = project_;
    build.jobs = jobs_within_open_files(options_.jobs);
    build.threads = threads_;
    // Every action takes a thread, so no more run at once than there are of them.
    build.together = together_within_open_files(std::min(build.jobs, threads_));
    build.memory_bytes = machine_.memory_bytes - machine_.memory_bytes / 10;
    build.fail_fast = options_.fail_fast;
    build.backend = options_.backend;
    build.tool_version = rules::kToolVersion;
    build.heavy = engine::make_worker_executors(
        *files_, *processes_, rules_, engine::ProjectFiles::of(project_),
        {.argv = {worker_program().string()}, .environment = worker_environment()});
    builder_.emplace(engine::Environment{.files = *files_,
                                         .clock = *clock_,
                                         .processes = *processes_,
                                         .store = store(),
                                         .index = &index(),
                                         .rules = rules_,
                                         .stats = stats()},
                     std::move(build));
  }
  return *builder_;
}

std::vector<std::string> Session::warnings() const {
  std::vector<std::string> all = warnings_;
  if (index_) {
    const std::vector<std::string> more = index_->warnings();
    all.insert(all.end(), more.begin(), more.end());
  }
  return all;
}

}  // namespace qbuild::cli
