#include "engine/stat_table.h"

#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <thread>
#include <vector>

#include "base/error.h"
#include "engine/binary.h"

namespace qbuild::engine {
namespace {

constexpr std::size_t kReadBytes = 1u << 20;
constexpr std::int64_t kNsPerSecond = 1'000'000'000;

bool is_whole_second(std::int64_t ns) {
  return ns % kNsPerSecond == 0;
}

Error not_found(const fs::path& path) {
  return {ErrorKind::kNotFound, fmt::format("{}: no such file", path.string())};
}

}  // namespace

std::optional<std::int64_t> ns_until_settled(const FileStat& stat, std::int64_t now_unix_ns) {
  const bool is_coarse = is_whole_second(stat.mtime_ns) && is_whole_second(stat.ctime_ns);
  const std::int64_t grain = is_coarse ? kCoarseGrainNs : kClockGrainNs;
  if (stat.ctime_ns > now_unix_ns + grain) return std::nullopt;
  // Anybody may set a modification time that lies ahead; the change time tells of later edits then.
  const bool mtime_is_set = stat.mtime_ns > now_unix_ns + grain;
  const std::int64_t youngest =
      mtime_is_set ? stat.ctime_ns : std::max(stat.mtime_ns, stat.ctime_ns);
  return std::max<std::int64_t>(0, youngest + grain - now_unix_ns);
}

WaitFor make_sleep() {
  return [](std::int64_t ns) { std::this_thread::sleep_for(std::chrono::nanoseconds(ns)); };
}

StatTable::StatTable(FileSystem& files, Clock& clock, WaitFor wait)
    : files_(files), clock_(clock), wait_(std::move(wait)) {}

Digest StatTable::digest_file(const fs::path& path) {
  const std::optional<FileStat> now = files_.stat(path);
  if (!now) throw not_found(path);
  {
    const std::lock_guard lock(mutex_);
    const auto known = entries_.find(path.native());
    if (known != entries_.end() && known->second.stat == *now) return known->second.sha256;
  }
  return hash(path);
}

Digest StatTable::hash(const fs::path& path) {
  const auto file = files_.open(path);
  FileStat before = file->stat();
  const std::optional<std::int64_t> young_ns = ns_until_settled(before, clock_.unix_ns());
  bool settled = young_ns == 0;
  if (young_ns && *young_ns > 0 && *young_ns <= kMaxWaitNs) {
    wait_(*young_ns);
    before = file->stat();
    settled = ns_until_settled(before, clock_.unix_ns()) == 0;
  }
  Sha256 hash;
  std::vector<std::byte> buffer(
      static_cast<std::size_t>(std::clamp<std::uint64_t>(before.size_bytes, 1, kReadBytes)));
  std::uint64_t done = 0;
  while (done <= before.size_bytes) {  // beyond that it grows, perhaps for ever
    const std::size_t got = file->read_at(done, buffer);
    if (got == 0) break;
    hash.update(Bytes(buffer).first(got));
    done += got;
  }
  // The path may have got another file meanwhile; what stands there now is what the entry is about.
  const std::optional<FileStat> after = files_.stat(path);
  if (file->stat() != before || after != before || done != before.size_bytes) {
    throw Error(ErrorKind::kInvalidInput,
                fmt::format("{} changed while it was read; try again when nothing writes to it",
                            path.string()));
  }
  const Digest digest = hash.finish();
  const std::lock_guard lock(mutex_);
  entries_.insert_or_assign(path.native(),
                            Entry{.stat = before, .sha256 = digest, .settled = settled});
  bytes_hashed_ += done;
  changed_ = true;
  return digest;
}

std::optional<StatTable::Entry> StatTable::find(const fs::path& path) const {
  const std::lock_guard lock(mutex_);
  const auto known = entries_.find(path.native());
  if (known == entries_.end()) return std::nullopt;
  return known->second;
}

bool StatTable::is_unchanged(const fs::path& path, const Digest& sha256) {
  const std::optional<Entry> known = find(path);
  return known && known->sha256 == sha256 && files_.stat(path) == known->stat;
}

void StatTable::note(const fs::path& path, const Digest& sha256) {
  const std::optional<FileStat> now = files_.stat(path);
  if (!now) return;
  // Whoever just wrote it still knows what is in it, so an edit that the stat does not show would
  // have to fall between the writing and this line.
  const std::lock_guard lock(mutex_);
  entries_.insert_or_assign(path.native(),
                            Entry{.stat = *now,
                                  .sha256 = sha256,
                                  .settled = ns_until_settled(*now, clock_.unix_ns()) == 0});
  changed_ = true;
}

Witness StatTable::observe(const fs::path& path) {
  Witness witness = engine::observe(files_, Witness::What::kFile, path);
  if (!witness.stat) return witness;
  const std::optional<std::int64_t> young_ns = ns_until_settled(*witness.stat, clock_.unix_ns());
  witness.settled = young_ns == 0;
  if (young_ns && *young_ns > 0 && *young_ns <= kMaxWaitNs) {
    wait_(*young_ns);
    witness.stat = files_.stat(path);
    witness.settled = !witness.stat || ns_until_settled(*witness.stat, clock_.unix_ns()) == 0;
  }
  return witness;
}

std::uint64_t StatTable::bytes_hashed() const {
  const std::lock_guard lock(mutex_);
  return bytes_hashed_;
}

std::string StatTable::serialize() const {
  const std::lock_guard lock(mutex_);
  std::string bytes;
  for (const auto& [path, entry] : entries_) {
    if (!entry.settled) continue;
    append_bytes(bytes, path);
    append_stat(bytes, entry.stat);
    bytes.append(reinterpret_cast<const char*>(entry.sha256.bytes.data()),
                 entry.sha256.bytes.size());
  }
  return bytes;
}

void StatTable::add_serialized(std::string_view bytes) {
  std::map<std::string, Entry, std::less<>> added;
  BinaryReader reader(bytes);
  while (!reader.at_end()) {
    std::string path(reader.bytes());
    Entry entry;
    entry.stat = reader.stat();
    const std::string_view digest = reader.take(entry.sha256.bytes.size());
    std::copy(digest.begin(), digest.end(), entry.sha256.bytes.begin());
    added.insert_or_assign(std::move(path), entry);
  }
  const std::lock_guard lock(mutex_);
  entries_.merge(added);
}

void StatTable::forget_absent() {
  const std::lock_guard lock(mutex_);
  std::erase_if(entries_, [&](const auto& entry) {
    try {
      return !files_.stat(entry.first).has_value();
    } catch (const Error&) {
      return true;  // out of reach is as good as gone: the file is hashed again when it is back
    }
  });
}

bool StatTable::take_changed() {
  const std::lock_guard lock(mutex_);
  return std::exchange(changed_, false);
}

}  // namespace qbuild::engine
