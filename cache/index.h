#pragma once
// The index: what is convenient to look up and may be lost. Run history with durations, last use of
// records, which of them have pieces, and the stamps by which a changed blob is noticed. SQLite
// behind index.cc, one file
// ($XDG_STATE_HOME/qbuild/index.db), shared by the engines of a user; only engines open it.
// docs/store.md lists the tables.
//
// It never fails a run: where it is missing, damaged, of another schema version or cannot be
// written, it is moved aside and made again (what records say from the store's), or kept in memory
// for this run, and says so in warnings(). One that fails or turns out to be damaged while it is
// used, is not used again in this run. Any thread.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/digest.h"
#include "base/file_system.h"
#include "cache/store.h"

namespace qbuild::cache {

// PRAGMA user_version. Version history: 1 first, 2 the records with pieces.
inline constexpr int kIndexVersion = 2;

// Of each (rule, history key) the last so many runs that were noted are kept, and asked.
inline constexpr int kRunsKept = 8;
// Of each scope the last so many records with pieces that were noted.
inline constexpr int kPieceRecordsKept = 256;

struct RunEntry {
  std::string rule;
  // What tells runs apart that take different times: the engine's choice, a target or a digest of
  // parameters and sizes. A rebuilt index knows a record's action key (hex) only.
  std::string history_key;
  std::string outcome;  // "ok", "failed", "cancelled"; only "ok" counts for expected_seconds
  std::int64_t started_unix_ns = 0;
  double seconds = 0;
  std::uint64_t peak_memory_bytes = 0;
};

// What a stat said of a blob when it was last known to be good.
struct BlobStamp {
  std::uint64_t size_bytes = 0;
  std::uint64_t inode = 0;
  std::int64_t mtime_ns = 0;
  bool operator==(const BlobStamp&) const = default;
};
[[nodiscard]] BlobStamp blob_stamp(const FileStat& stat);

class Index {
 public:
  // Opens or makes `path`; missing folders are made. An empty path: in memory, for this run.
  // `store` is read only when the index is made anew over a store that has records, and during the
  // call alone; the file system must outlive the index.
  Index(FileSystem& file_system, const fs::path& path, Store& store);
  ~Index();
  Index(const Index&) = delete;
  Index& operator=(const Index&) = delete;

  // Median of the newest successful runs; nothing if there is none.
  [[nodiscard]] std::optional<double> expected_seconds(std::string_view rule,
                                                       std::string_view history_key);
  void note_run(const RunEntry& run);
  // Newest first. Empty rule: of all.
  [[nodiscard]] std::vector<RunEntry> newest_runs(std::string_view rule, std::size_t count);

  // Last use of a record, in days since 1970-01-01. The latest day stays.
  void note_use(const Digest& key, std::int64_t day);
  [[nodiscard]] std::optional<std::int64_t> last_use(const Digest& key);

  // Nothing: never noted here. Another stamp than the blob has now: verify_blob before it is used.
  [[nodiscard]] std::optional<BlobStamp> find_blob(const Digest& sha256);
  void note_blob(const Digest& sha256, const BlobStamp& stamp);

  // The keys of records with pieces of that scope, those noted last first. What the index knows may
  // be of another store, or gone.
  [[nodiscard]] std::vector<Digest> piece_records(std::string_view scope);
  void note_piece_record(std::string_view scope, const Digest& key);

  // For the user, one line each; none if all is well. Grows while the index is used.
  [[nodiscard]] std::vector<std::string> warnings() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace qbuild::cache
