#include "engine/journal.h"

#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>

#include "base/digest.h"
#include "base/error.h"

namespace qbuild::engine {
namespace {

fs::path older_path(const fs::path& path) {
  fs::path older = path;
  older.replace_extension();
  return older.native() + ".1.jsonl";
}

void read_lines(FileSystem& files, const fs::path& path, std::vector<Json>& lines) {
  if (!files.stat(path)) return;
  // A journal that grew past its bound by one run's lines is still read.
  const std::string text = read_file(files, path, 2 * kMaxJournalBytes);
  std::string_view rest = text;
  while (!rest.empty()) {
    const std::size_t end = rest.find('\n');
    if (end == std::string_view::npos) return;
    try {
      Json line = Json::parse(rest.substr(0, end));
      if (line.is_object() && line.find("run") != nullptr) lines.push_back(std::move(line));
    } catch (const Error&) {
      // Cut short by a crash: the lines around it are still good.
    }
    rest.remove_prefix(end + 1);
  }
}

}  // namespace

Journal::Journal(FileSystem& files, Clock& clock, fs::path path, std::string run_id)
    : files_(files), clock_(clock), path_(std::move(path)), run_id_(std::move(run_id)) {}

void Journal::note(const Event& event) {
  if (const auto* started = std::get_if<RunStarted>(&event)) {
    append(Json::object({{"event", "run_started"}, {"actions", std::uint64_t{started->actions}}}));
  } else if (const auto* finished = std::get_if<ActionFinished>(&event)) {
    const bool is_reused = finished->status == Status::kReady && !finished->executed;
    if (is_reused) return;
    append(to_json(event));
  } else if (const auto* ended = std::get_if<RunFinished>(&event)) {
    Json line = Json::object({{"event", "run_finished"}, {"exit_code", ended->exit_code}});
    const Json counters = to_json(ended->counters);
    for (const auto& [name, value] : counters.as_object()) line[name] = value;
    append(std::move(line));
    flush();
  }
}

void Journal::flush_if_due() {
  if (ns_until_due() == 0) flush();
}

std::optional<std::int64_t> Journal::ns_until_due() const {
  if (!waits_since_ns_) return std::nullopt;
  return std::max<std::int64_t>(*waits_since_ns_ + kMaxJournalDelayNs - clock_.monotonic_ns(), 0);
}

void Journal::flush() {
  if (!waits_since_ns_) return;
  waits_since_ns_.reset();
  try {
    file_->flush();
  } catch (const Error& error) {
    warn(error);
  }
}

void Journal::warn(const Error& error) {
  if (warning_.empty())
    warning_ = fmt::format("the journal of this run is incomplete: {}", error.message());
}

void Journal::append(Json line) {
  if (!warning_.empty()) return;
  Json whole = Json::object({{"run", run_id_}, {"at", format_utc(clock_.unix_ns())}});
  for (auto& [name, value] : line.as_object()) whole[name] = std::move(value);
  try {
    if (!file_) {
      files_.create_directories(path_.parent_path());
      const std::optional<FileStat> now = files_.stat(path_);
      if (now && now->size_bytes >= kMaxJournalBytes) files_.rename(path_, older_path(path_));
      file_ = files_.create(path_, CreateMode::kAppend);
      // After a torn line the first new one begins on its own.
      if (now && now->size_bytes > 0 && now->size_bytes < kMaxJournalBytes) {
        std::byte last{};
        const auto reader = files_.open(path_);
        const bool is_torn = reader->read_at(now->size_bytes - 1, MutableBytes(&last, 1)) == 1 &&
                             last != std::byte{'\n'};
        if (is_torn) file_->append(as_bytes("\n"));
      }
    }
    file_->append(as_bytes(whole.dump() + "\n"));
    if (!waits_since_ns_) waits_since_ns_ = clock_.monotonic_ns();
  } catch (const Error& error) {
    warn(error);
  }
}

std::vector<Json> read_journal(FileSystem& files, const fs::path& path) {
  std::vector<Json> lines;
  read_lines(files, older_path(path), lines);
  read_lines(files, path, lines);
  return lines;
}

std::string make_run_id(Clock& clock) {
  const std::int64_t now_ns = clock.unix_ns();
  std::string stamp;
  for (const char c : format_utc(now_ns)) {
    if (c >= '0' && c <= '9') stamp += c;
    if (c == 'T') stamp += '-';
  }
  const std::string unique = sha256(fmt::format("{} {}", now_ns, ::getpid())).hex().substr(0, 6);
  return stamp + "-" + unique;
}

}  // namespace qbuild::engine
