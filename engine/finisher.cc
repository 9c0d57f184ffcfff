#include "engine/finisher.h"

#include <fmt/core.h>

#include <algorithm>
#include <set>

#include "base/machine.h"
#include "base/shown.h"
#include "base/text.h"
#include "cache/index.h"
#include "engine/fence.h"
#include "engine/last_run.h"
#include "engine/project_records.h"

namespace qbuild::engine {
namespace {

Json machine_json() {
  const Machine machine = this_machine();
  return Json::object({{"cpu", machine.cpu_model},
                       {"vector_units", machine.vector_units},
                       {"cores", machine.cores},
                       {"memory_bytes", machine.memory_bytes}});
}

void check_name(std::set<std::string>& names, const std::string& name) {
  if (!cache::is_canonical_name(name)) {
    throw Error(ErrorKind::kInvalidInput,
                fmt::format("it made a file with an unusable name: {}", Json(name).dump()));
  }
  if (!names.insert(name).second) {
    throw Error(ErrorKind::kInvalidInput, fmt::format("it made two files named {}", name));
  }
}

// Also by no link, of which a move into the store would leave the file where it is.
bool is_below(const fs::path& folder, const fs::path& path) {
  const fs::path below = path.lexically_normal().lexically_relative(folder.lexically_normal());
  if (below.empty() || *below.begin() == ".." || *below.begin() == ".") return false;
  std::error_code error;
  const fs::path real = fs::weakly_canonical(path, error);
  return !error && real == fs::weakly_canonical(folder, error) / below;
}

void check_file(FileSystem& files, const fs::path& scratch, const ProducedFile& file) {
  if (!is_below(scratch, file.path)) {
    throw Error(ErrorKind::kInvalidInput,
                fmt::format("it left {} outside of its scratch folder", shown(file.path.string())));
  }
  const std::optional<FileStat> stat = files.stat(file.path);
  if (!stat || stat->kind != FileStat::Kind::kRegular || stat->size_bytes != file.size_bytes) {
    throw Error(ErrorKind::kInvalidInput,
                fmt::format("{} is not the file of {} bytes that it said it made", file.name,
                            file.size_bytes));
  }
}

// Nothing below the limit gets a name by the word of whoever made it. Returns the bytes hashed.
std::uint64_t check_digest(FileSystem& files, const ProducedFile& file) {
  if (file.size_bytes > kMaxHashedAgainBytes) return 0;
  const std::string bytes = read_file(files, file.path, file.size_bytes);
  if (sha256(bytes) != file.sha256) {
    throw Error(ErrorKind::kCorrupt,
                fmt::format("{} does not hold what it said it made: its SHA-256 is {}, not {}",
                            file.name, sha256(bytes).hex(), file.sha256.hex()));
  }
  return bytes.size();
}

// The inline files that stay inline; larger ones become files in scratch, to be blobs.
std::vector<ProducedFile> move_large_inline(FileSystem& files, const FinishJob& job,
                                            std::map<std::string, std::string>& inline_files) {
  std::vector<ProducedFile> moved;
  std::erase_if(inline_files, [&](const auto& entry) {
    const auto& [name, bytes] = entry;
    if (bytes.size() <= cache::kMaxInlineBytes) return false;
    // Not by number: an earlier attempt may have left its own here.
    const fs::path path = job.scratch / ("inline-" + unique_name());
    const auto file = files.create(path, CreateMode::kExclusive);
    file->append(as_bytes(bytes));
    file->close();
    moved.push_back(
        {.name = name, .path = path, .sha256 = sha256(bytes), .size_bytes = bytes.size()});
    return true;
  });
  return moved;
}

// A blob of that name that was changed in place since it was stored, or of which nothing is known
// here, is read first: one that is damaged moves aside, so that the fresh copy takes its place
// instead of being thrown away.
void verify_if_in_doubt(const Environment& environment, const ProducedFile& file) {
  const std::optional<FileStat> there =
      environment.files.stat(environment.store.blob_path(file.sha256));
  if (!there) return;
  const std::optional<cache::BlobStamp> known = environment.index->find_blob(file.sha256);
  if (known && *known == cache::blob_stamp(*there)) return;
  static_cast<void>(environment.store.verify_blob(file.sha256, file.size_bytes));
}

bool is_same_file(FileSystem& files, const fs::path& a, const fs::path& b) {
  const std::optional<FileStat> one = files.stat(a);
  const std::optional<FileStat> other = files.stat(b);
  return one && other && one->device == other->device && one->inode == other->inode;
}

}  // namespace

cache::Record make_record(const Environment& environment, const Node& node, const FinishJob& job,
                          std::string_view tool_version) {
  std::set<std::string> names;
  cache::Record record;
  record.key = job.key.digest;
  record.key_text = job.key.text;
  record.rule = node.rule;
  for (const ProducedFile& file : job.result.files) {
    check_name(names, file.name);
    check_file(environment.files, job.scratch, file);
    record.artifact.files.push_back(
        {.name = file.name, .sha256 = file.sha256, .size_bytes = file.size_bytes});
  }
  for (const auto& [name, bytes] : job.result.inline_files) {
    check_name(names, name);
    record.artifact.files.push_back(
        {.name = name, .sha256 = sha256(bytes), .size_bytes = bytes.size()});
  }
  if (record.artifact.files.empty()) {
    throw Error(ErrorKind::kInvalidInput, "it made nothing, and nothing is no output");
  }
  std::sort(record.artifact.files.begin(), record.artifact.files.end(),
            [](const auto& a, const auto& b) { return a.name < b.name; });
  record.artifact.facets = job.result.facets;
  record.artifact.facts = job.result.facts;
  if (!node.piece_scope.empty() && !job.result.pieces.empty()) {
    cache::check_pieces(job.result.pieces, record.artifact);
    record.piece_scope = node.piece_scope;
    record.pieces = job.result.pieces;
  }
  record.inline_files = job.result.inline_files;
  record.started_unix_ns = job.started_unix_ns;
  record.seconds = job.seconds;
  record.peak_memory_bytes = job.peak_memory_bytes;
  static const Json kMachine =
      machine_json();  // asking costs as much as the rest of a small action
  record.machine = kMachine;
  record.tool_version = tool_version;
  return record;
}

void export_outputs(const Environment& environment, const Node& node, const NodeValue& value) {
  for (const Export& wanted : resolved_exports(node, value.artifact)) {
    const cache::FileEntry* const file = value.artifact.find(wanted.name);
    if (environment.stats.is_unchanged(wanted.path, file->sha256)) continue;
    const auto inline_file = value.inline_files.find(wanted.name);
    if (inline_file != value.inline_files.end()) {
      publish_file(environment.files, wanted.path, as_bytes(inline_file->second));
    } else {
      const fs::path blob = environment.store.blob_path(file->sha256);
      if (!is_same_file(environment.files, blob, wanted.path)) {
        environment.store.materialize(file->sha256, file->size_bytes, wanted.path);
      }
    }
    environment.stats.note(wanted.path, file->sha256);
  }
}

Finisher::Finisher(const Environment& environment, const ProjectFiles& project, const Graph& graph,
                   std::string tool_version, EventQueue& events)
    : environment_(environment),
      project_(project),
      graph_(graph),
      tool_version_(std::move(tool_version)),
      events_(events),
      thread_([this] { run(); }) {}

Finisher::~Finisher() {
  {
    const std::lock_guard lock(mutex_);
    is_closing_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void Finisher::submit(FinishJob job) {
  {
    const std::lock_guard lock(mutex_);
    jobs_.push_back(std::move(job));
  }
  changed_.notify_all();
}

std::vector<Finished> Finisher::take() {
  const std::lock_guard lock(mutex_);
  return std::exchange(finished_, {});
}

std::vector<Finisher::Work> Finisher::next_jobs() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return is_closing_ || !jobs_.empty(); });
  std::vector<Work> jobs;
  while (!jobs_.empty() && jobs.size() < kMaxFinishedTogether) {
    jobs.emplace_back().job = std::move(jobs_.front());
    jobs_.pop_front();
  }
  return jobs;
}

void Finisher::run() {
  for (;;) {
    std::vector<Work> jobs = next_jobs();
    if (jobs.empty()) return;
    finish(jobs);
    {
      const std::lock_guard lock(mutex_);
      for (Work& work : jobs)
        finished_.push_back({.node = work.job.node,
                             .value = std::move(work.value),
                             .error = std::move(work.error),
                             .bytes_hashed = work.bytes_hashed});
    }
    events_.wake();
  }
}

void Finisher::finish(std::vector<Work>& jobs) {
  const auto attempt = [](Work& work, const auto& step) {
    if (!work.error) work.error = run_fenced(step, [] { return false; });
  };
  for (Work& work : jobs) attempt(work, [&] { check_result(work); });
  const std::optional<Error> error = run_fenced([&] { store_results(jobs); }, [] { return false; });
  for (Work& work : jobs) {
    if (!work.error) work.error = error;
    attempt(work, [&] { announce(work); });
  }
}

bool Finisher::is_as_before(const SourceRead& source) const {
  const fs::path& path = source.before.path;
  const std::optional<FileStat> now = environment_.files.stat(path);
  if (agrees(source.before, now)) return true;
  const std::optional<FileStat>& before = source.before.stat;
  // A further name of the same file shows in its stat, too: a result with its content that is
  // exported, as a hard link, while it is read.
  const bool may_be_named_anew =
      now && before && now->device == before->device && now->inode == before->inode &&
      now->size_bytes == before->size_bytes && now->mtime_ns == before->mtime_ns;
  return may_be_named_anew && environment_.stats.digest_file(path) == source.sha256;
}

void Finisher::check_result(Work& work) {
  const FinishJob& job = work.job;
  for (const SourceRead& source : job.sources) {
    if (is_as_before(source)) continue;
    throw Error(ErrorKind::kInvalidInput,
                fmt::format("{} changed while it was read; run again when nothing writes to it",
                            source.before.path.string()));
  }
  work.record = make_record(environment_, graph_.node(job.node), job, tool_version_);
  std::vector<ProducedFile> produced = job.result.files;
  for (const ProducedFile& file : produced)
    work.bytes_hashed += check_digest(environment_.files, file);
  const std::vector<ProducedFile> moved =
      move_large_inline(environment_.files, job, work.record.inline_files);
  produced.insert(produced.end(), moved.begin(), moved.end());
  for (const ProducedFile& file : produced) {
    if (environment_.index != nullptr)
      with_context(file.name, [&] { verify_if_in_doubt(environment_, file); });
    work.deposit.blobs.push_back({.name = file.name,
                                  .path = file.path,
                                  .sha256 = file.sha256,
                                  .size_bytes = file.size_bytes});
  }
  if (!is_project_wide(work)) work.deposit.record = &work.record;
  work.deposit.scratch = job.scratch;
}

void Finisher::store_results(std::vector<Work>& jobs) {
  std::vector<Work*> sound;
  std::vector<cache::Deposit> deposits;
  for (Work& work : jobs) {
    if (work.error) continue;
    sound.push_back(&work);
    deposits.push_back(work.deposit);
  }
  const std::vector<std::optional<Error>> errors = environment_.store.put_each(deposits);
  for (std::size_t i = 0; i < errors.size(); ++i) sound[i]->error = errors[i];
}

void Finisher::announce(Work& work) {
  const Node& node = graph_.node(work.job.node);
  cache::Store& store = environment_.store;
  if (is_project_wide(work))
    write_project_record(environment_.files, project_, node.target, work.record);
  if (environment_.index != nullptr) {
    for (const cache::StagedBlob& blob : work.deposit.blobs) {
      const std::optional<FileStat> stat = environment_.files.stat(store.blob_path(blob.sha256));
      if (stat) environment_.index->note_blob(blob.sha256, cache::blob_stamp(*stat));
    }
    // Its share of the time of those that ran together: what is expected of all is what they took.
    const double share = work.record.seconds / static_cast<double>(work.job.together);
    environment_.index->note_run({.rule = node.rule,
                                  .history_key = node.target,
                                  .outcome = "ok",
                                  .started_unix_ns = work.record.started_unix_ns,
                                  .seconds = share,
                                  .peak_memory_bytes = work.record.peak_memory_bytes});
    if (!work.record.pieces.empty() && !is_project_wide(work))
      environment_.index->note_piece_record(work.record.piece_scope, work.record.key);
  }
  NodeValue value = value_of_record(work.record, store);
  export_outputs(environment_, node, value);
  work.value = std::move(value);
}

// Of which the record is kept with the project, not in the store.
bool Finisher::is_project_wide(const Work& work) const {
  const Node& node = graph_.node(work.job.node);
  return environment_.rules.traits(node.rule).caching == Caching::kProject;
}

}  // namespace qbuild::engine
