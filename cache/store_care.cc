// Looking after a store: counting, verifying, sweeping.

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "cache/content.h"
#include "cache/store.h"

namespace qbuild::cache {
namespace {

constexpr std::size_t kShardDigits = 2;

// Every entry of folder/xx/, with the digest that its name says, or none if the name is not one.
struct Entry {
  fs::path path;
  std::optional<Digest> digest;
};

std::vector<Entry> entries_of(FileSystem& file_system, const fs::path& folder) {
  std::vector<Entry> entries;
  for (const std::string& shard : list_if_there(file_system, folder)) {
    const std::optional<FileStat> there = file_system.stat(folder / shard);
    if (!there) continue;
    if (there->kind != FileStat::Kind::kDirectory) {
      entries.push_back({folder / shard, std::nullopt});
      continue;
    }
    for (const std::string& name : list_if_there(file_system, folder / shard)) {
      std::optional<Digest> digest = Digest::from_hex(name);
      if (digest && (digest->hex() != name || name.substr(0, kShardDigits) != shard))
        digest = std::nullopt;
      entries.push_back({folder / shard / name, digest});
    }
  }
  return entries;
}

std::uint64_t bytes_below(FileSystem& file_system, const fs::path& folder) {
  std::uint64_t total = 0;
  std::vector<fs::path> folders{folder};
  while (!folders.empty()) {
    const fs::path current = std::move(folders.back());
    folders.pop_back();
    for (const std::string& name : list_if_there(file_system, current)) {
      const std::optional<FileStat> there = file_system.stat(current / name);
      if (!there) continue;
      if (there->kind == FileStat::Kind::kDirectory) folders.push_back(current / name);
      if (there->kind == FileStat::Kind::kRegular) total += there->size_bytes;
    }
  }
  return total;
}

// What is wrong with the record file, or nothing.
std::optional<std::string> record_damage(const std::string& bytes, const Digest& key) {
  try {
    const Record record = parse_record(bytes);
    if (record.key != key)
      return fmt::format("it holds the record of key {}, its name says {}", record.key.hex(),
                         key.hex());
    for (const auto& [name, content] : record.inline_files) {
      const FileEntry* file = record.artifact.find(name);
      if (file != nullptr && file->sha256 != sha256(content))
        return fmt::format("inline file \"{}\" has digest {}, its artifact says {}", name,
                           sha256(content).hex(), file->sha256.hex());
    }
    return std::nullopt;
  } catch (const Error& error) {
    return error.message();
  }
}

// Looks at each entry. What cannot be read is reported and left where it is, because its content
// may be whole and the disk or its permissions at fault; the rest is looked at all the same.
void for_each_readable(const std::vector<Entry>& entries, VerifyReport& report,
                       const std::function<void(const Entry&)>& look) {
  for (const Entry& entry : entries) {
    try {
      look(entry);
    } catch (const Error& error) {
      if (error.kind() == ErrorKind::kNotFound) continue;  // removed while it was looked at
      report.damages.push_back({entry.path, error.message()});
    }
  }
}

}  // namespace

StoreStats Store::stats() const {
  StoreStats stats;
  const auto count = [&](const char* folder, std::uint64_t& files, std::uint64_t& bytes) {
    for (const Entry& entry : entries_of(file_system_, root_ / folder)) {
      const std::optional<FileStat> there = file_system_.stat(entry.path);
      if (!there) continue;
      ++files;
      bytes += there->size_bytes;
    }
  };
  count("blobs", stats.blobs, stats.blob_bytes);
  count("records", stats.records, stats.record_bytes);
  stats.scratch_bytes =
      bytes_below(file_system_, root_ / "tmp") + bytes_below(file_system_, root_ / "partial");
  stats.damaged_bytes = bytes_below(file_system_, root_ / "damaged");
  return stats;
}

void Store::note_damage(VerifyReport& report, const fs::path& path, std::string_view kind,
                        std::string what) {
  move_to_damaged(path, kind);
  report.damages.push_back({path, std::move(what)});
}

void Store::verify_blobs(const std::function<void(std::uint64_t)>& progress, VerifyReport& report) {
  for_each_readable(entries_of(file_system_, root_ / "blobs"), report, [&](const Entry& entry) {
    const std::optional<FileStat> there = file_system_.stat(entry.path);
    if (!there) return;  // removed since it was listed
    ++report.blobs_checked;
    if (!entry.digest || there->kind != FileStat::Kind::kRegular) {
      note_damage(report, entry.path, "blob", "it is no file named by a SHA-256");
      return;
    }
    const Content content = hash_file(file_system_, entry.path, [&](std::uint64_t piece_bytes) {
      report.bytes_hashed += piece_bytes;
      if (progress) progress(report.bytes_hashed);
    });
    if (content.sha256 != *entry.digest)
      note_damage(report, entry.path, "blob",
                  fmt::format("content has digest {}, its name says {}", content.sha256.hex(),
                              entry.digest->hex()));
  });
}

void Store::verify_records(VerifyReport& report) {
  for_each_readable(entries_of(file_system_, root_ / "records"), report, [&](const Entry& entry) {
    const std::optional<FileStat> there = file_system_.stat(entry.path);
    if (!there) return;
    ++report.records_checked;
    if (!entry.digest || there->kind != FileStat::Kind::kRegular) {
      note_damage(report, entry.path, "record", "it is no file named by a key");
      return;
    }
    if (there->size_bytes > kMaxRecordBytes) {
      note_damage(report, entry.path, "record",
                  fmt::format("{} bytes are more than a record can have", there->size_bytes));
      return;
    }
    const std::string bytes = read_file(file_system_, entry.path, kMaxRecordBytes);
    report.bytes_hashed += bytes.size();
    if (std::optional<std::string> what = record_damage(bytes, *entry.digest))
      note_damage(report, entry.path, "record", std::move(*what));
  });
}

VerifyReport Store::verify(const std::function<void(std::uint64_t bytes_done)>& progress) {
  VerifyReport report;
  verify_blobs(progress, report);
  verify_records(report);
  std::sort(report.damages.begin(), report.damages.end(),
            [](const Damage& a, const Damage& b) { return a.path < b.path; });
  return report;
}

std::vector<Digest> Store::record_keys() const {
  std::vector<Digest> keys;
  for (const Entry& entry : entries_of(file_system_, root_ / "records")) {
    if (entry.digest) keys.push_back(*entry.digest);
  }
  std::sort(keys.begin(), keys.end());
  return keys;
}

}  // namespace qbuild::cache
