#include "cache/index.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <mutex>
#include <tuple>
#include <utility>

#include "base/error.h"
#include "cache/sqlite.h"

namespace qbuild::cache {
namespace {

// Reading a record takes under a millisecond: a rebuild stays within seconds, and older runs matter
// little.
constexpr std::size_t kMaxRebuildRecords = 5000;
// Thirty years: what a damaged file says beyond it is no duration.
constexpr double kMaxSeconds = 1e9;

constexpr const char* kSchema = R"sql(
CREATE TABLE runs (
  id INTEGER PRIMARY KEY, rule TEXT NOT NULL, history_key TEXT NOT NULL, outcome TEXT NOT NULL,
  started_unix_ns INTEGER NOT NULL, seconds REAL NOT NULL, peak_memory_bytes INTEGER NOT NULL);
CREATE INDEX runs_by_key ON runs (rule, history_key, started_unix_ns);
CREATE TABLE uses (key BLOB PRIMARY KEY, day INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE blobs (
  sha256 BLOB PRIMARY KEY, size_bytes INTEGER NOT NULL, inode INTEGER NOT NULL,
  mtime_ns INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE piece_records (
  id INTEGER PRIMARY KEY, scope TEXT NOT NULL, key BLOB NOT NULL UNIQUE);
CREATE INDEX piece_records_by_scope ON piece_records (scope, id);
)sql";

int user_version(sqlite3* database) {
  Statement statement(database, "PRAGMA user_version");
  return statement.step() ? static_cast<int>(statement.integer_at(0)) : 0;
}

void insert_run(sqlite3* database, const RunEntry& run) {
  Statement insert(database,
                   "INSERT INTO runs (rule, history_key, outcome, started_unix_ns, seconds, "
                   "peak_memory_bytes) VALUES (?,?,?,?,?,?)");
  insert.text(run.rule).text(run.history_key).text(run.outcome).integer(run.started_unix_ns);
  insert.real(run.seconds).integer(static_cast<std::int64_t>(run.peak_memory_bytes)).step();
  // The newest are those noted last: a clock that was ahead for a while must not keep its runs.
  Statement trim(database,
                 "DELETE FROM runs WHERE rule=?1 AND history_key=?2 AND id NOT IN (SELECT id FROM "
                 "runs WHERE rule=?1 AND history_key=?2 ORDER BY id DESC LIMIT ?3)");
  trim.text(run.rule).text(run.history_key).integer(kRunsKept).step();
}

void insert_piece_record(sqlite3* database, std::string_view scope, const Digest& key) {
  // Gets a new id, also where the key was there: the newest are those noted last.
  Statement upsert(database, "INSERT OR REPLACE INTO piece_records (scope, key) VALUES (?,?)");
  upsert.text(scope).blob(key).step();
  Statement trim(database,
                 "DELETE FROM piece_records WHERE scope=?1 AND id NOT IN (SELECT id FROM "
                 "piece_records WHERE scope=?1 ORDER BY id DESC LIMIT ?2)");
  trim.text(scope).integer(kPieceRecordsKept).step();
}

RunEntry read_run(const Statement& row) {
  return {.rule = row.text_at(0),
          .history_key = row.text_at(1),
          .outcome = row.text_at(2),
          .started_unix_ns = row.integer_at(3),
          .seconds = row.real_at(4),
          .peak_memory_bytes = static_cast<std::uint64_t>(row.integer_at(5))};
}

}  // namespace

struct Index::State {
  State(FileSystem& files, const fs::path& file) : file_system(files), path(file.string()) {}

  FileSystem& file_system;
  const std::string path;  // empty: nowhere but in memory
  mutable std::mutex mutex;
  Database database;  // null: no index in this run
  bool is_in_memory = false;
  std::vector<std::string> warnings;

  void open(Store& store);
  void open_or_replace(Store& store);
  void open_in_memory(Store& store);
  void move_aside();
  // The index has failed and is not used again in this run. A damaged one is moved aside, so that
  // the next run does not meet the same damage.
  void give_up(const SqlFailure& failure);
  // Opens and, if it is new, makes the tables. The version found if it is another one, else
  // nothing.
  std::optional<int> open_here(const std::string& where, Store& store);
  void rebuild(Store& store);

  // Runs `body` with the database under the mutex. A failure ends the index for this run.
  template <typename Body>
  void use(Body&& body) {
    const std::lock_guard<std::mutex> hold(mutex);
    if (database == nullptr) return;
    try {
      body(database.get());
    } catch (const SqlFailure& failure) {
      give_up(failure);
    }
  }
};

void Index::State::rebuild(Store& store) {
  std::size_t left = kMaxRebuildRecords;
  struct WithPieces {
    std::int64_t started_unix_ns;
    Digest key;
    std::string scope;
  };
  std::vector<WithPieces> with_pieces;
  for (const Digest& key : store.record_keys()) {
    if (left-- == 0) break;
    const std::optional<Record> record = store.find_record(key);
    if (!record) continue;
    insert_run(database.get(), {.rule = record->rule,
                                .history_key = key.hex(),
                                .outcome = "ok",
                                .started_unix_ns = record->started_unix_ns,
                                .seconds = record->seconds,
                                .peak_memory_bytes = record->peak_memory_bytes});
    if (!record->pieces.empty())
      with_pieces.push_back({record->started_unix_ns, key, record->piece_scope});
  }
  std::sort(with_pieces.begin(), with_pieces.end(), [](const WithPieces& a, const WithPieces& b) {
    return std::tie(a.started_unix_ns, a.key) < std::tie(b.started_unix_ns, b.key);
  });
  for (const WithPieces& one : with_pieces) insert_piece_record(database.get(), one.scope, one.key);
}

std::optional<int> Index::State::open_here(const std::string& where, Store& store) {
  database = open_database(where);
  int version = user_version(database.get());
  if (version == kIndexVersion) {
    // Reads the first pages of each table, so that a file that merely begins like a database is
    // noticed.
    execute(database.get(),
            "SELECT (SELECT COUNT(*) FROM (SELECT 1 FROM runs LIMIT 1)), (SELECT COUNT(*) FROM "
            "(SELECT 1 FROM uses LIMIT 1)), (SELECT COUNT(*) FROM (SELECT 1 FROM blobs LIMIT 1)), "
            "(SELECT COUNT(*) FROM (SELECT 1 FROM piece_records LIMIT 1))");
    return std::nullopt;
  }
  if (version != 0) return version;
  Transaction transaction(database.get());
  version = user_version(database.get());
  if (version == kIndexVersion) return std::nullopt;  // another process made it meanwhile
  execute(database.get(), kSchema);
  rebuild(store);
  execute(database.get(), fmt::format("PRAGMA user_version={}", kIndexVersion).c_str());
  transaction.commit();
  return std::nullopt;
}

void Index::State::move_aside() {
  database.reset();
  // The previous one that was moved aside is replaced, so that they do not pile up. Its companions
  // go along: a journal that belongs to another file would damage the new one.
  constexpr std::array<const char*, 4> kCompanions{"-journal", "-wal", "-shm", ""};
  for (const char* companion : kCompanions) {
    const fs::path from = path + companion;
    if (file_system.stat(from)) file_system.rename(from, path + ".aside" + companion);
  }
}

void Index::State::give_up(const SqlFailure& failure) {
  const bool is_ours_to_move = failure.is_damage() && !is_in_memory && !has_moved(database.get());
  database.reset();
  std::string what =
      fmt::format("index {}: {}; this run goes on without it", path, failure.message);
  try {
    // One that another engine is just opening, is that one's to judge.
    const auto lock = is_ours_to_move ? file_system.lock(path + ".lock", LockWait::kTry) : nullptr;
    if (lock != nullptr) {
      move_aside();
      what += fmt::format("; moved to {}.aside, the next one makes it again", path);
    }
  } catch (const Error& error) {
    what += fmt::format("; it cannot be moved aside: {}", error.message());
  }
  warnings.push_back(std::move(what));
}

void Index::State::open_or_replace(Store& store) {
  // One process at a time makes, replaces or opens it; whoever waited finds it ready.
  const std::unique_ptr<FileLock> lock = file_system.lock(path + ".lock", LockWait::kBlock);
  std::string why;
  try {
    const std::optional<int> other_version = open_here(path, store);
    if (!other_version) return;
    why =
        fmt::format("it has schema version {}, this qbuild has {}", *other_version, kIndexVersion);
  } catch (const SqlFailure& failure) {
    // Tables that are missing (SQLITE_ERROR) are damage as well.
    if (!failure.is_damage() && !failure.is_wrong_schema()) throw;
    why = fmt::format("it is damaged ({})", failure.message);
  }
  move_aside();
  warnings.push_back(fmt::format("index {}: {}; moved to {}.aside and made again from the records",
                                 path, why, path));
  open_here(path, store);
}

void Index::State::open_in_memory(Store& store) {
  is_in_memory = true;
  try {
    open_here(":memory:", store);
  } catch (const SqlFailure&) {
    database.reset();  // without even that, every answer is "unknown", which is allowed
  } catch (const Error&) {
    database.reset();
  }
}

void Index::State::open(Store& store) {
  std::string why;
  try {
    if (path.empty()) {
      open_in_memory(store);
      return;
    }
    file_system.create_directories(fs::path(path).parent_path());
    open_or_replace(store);
    return;
  } catch (const SqlFailure& failure) {
    why = failure.message;
  } catch (const Error& error) {
    why = error.message();
  }
  database.reset();
  warnings.push_back(
      fmt::format("index {}: {}; durations are not remembered beyond this run", path, why));
  open_in_memory(store);
}

BlobStamp blob_stamp(const FileStat& stat) {
  return {.size_bytes = stat.size_bytes, .inode = stat.inode, .mtime_ns = stat.mtime_ns};
}

Index::Index(FileSystem& file_system, const fs::path& path, Store& store)
    : state_(std::make_unique<State>(file_system, path)) {
  state_->open(store);
}

Index::~Index() = default;

std::optional<double> Index::expected_seconds(std::string_view rule, std::string_view history_key) {
  std::vector<double> seconds;
  state_->use([&](sqlite3* database) {
    Statement query(database,
                    "SELECT seconds FROM runs WHERE rule=? AND history_key=? AND outcome='ok'");
    query.text(rule).text(history_key);
    while (query.step()) {
      const double taken = query.real_at(0);
      if (taken >= 0 && taken <= kMaxSeconds) seconds.push_back(taken);
    }
  });
  if (seconds.empty()) return std::nullopt;
  std::sort(seconds.begin(), seconds.end());
  const std::size_t middle = seconds.size() / 2;
  return seconds.size() % 2 == 1 ? seconds[middle] : (seconds[middle - 1] + seconds[middle]) / 2;
}

void Index::note_run(const RunEntry& run) {
  state_->use([&](sqlite3* database) {
    Transaction transaction(database);
    insert_run(database, run);
    transaction.commit();
  });
}

std::vector<RunEntry> Index::newest_runs(std::string_view rule, std::size_t count) {
  std::vector<RunEntry> runs;
  state_->use([&](sqlite3* database) {
    Statement query(
        database,
        "SELECT rule, history_key, outcome, started_unix_ns, seconds, peak_memory_bytes "
        "FROM runs WHERE ?1='' OR rule=?1 ORDER BY started_unix_ns DESC, id DESC LIMIT ?2");
    query.text(rule).integer(static_cast<std::int64_t>(count));
    while (query.step()) runs.push_back(read_run(query));
  });
  return runs;
}

void Index::note_use(const Digest& key, std::int64_t day) {
  state_->use([&](sqlite3* database) {
    Statement upsert(database,
                     "INSERT INTO uses (key, day) VALUES (?,?) ON CONFLICT (key) DO UPDATE SET "
                     "day=excluded.day WHERE excluded.day > day");
    upsert.blob(key).integer(day).step();
  });
}

std::optional<std::int64_t> Index::last_use(const Digest& key) {
  std::optional<std::int64_t> day;
  state_->use([&](sqlite3* database) {
    Statement query(database, "SELECT day FROM uses WHERE key=?");
    if (query.blob(key).step()) day = query.integer_at(0);
  });
  return day;
}

std::optional<BlobStamp> Index::find_blob(const Digest& sha256) {
  std::optional<BlobStamp> stamp;
  state_->use([&](sqlite3* database) {
    Statement query(database, "SELECT size_bytes, inode, mtime_ns FROM blobs WHERE sha256=?");
    if (query.blob(sha256).step())
      stamp = {.size_bytes = static_cast<std::uint64_t>(query.integer_at(0)),
               .inode = static_cast<std::uint64_t>(query.integer_at(1)),
               .mtime_ns = query.integer_at(2)};
  });
  return stamp;
}

void Index::note_blob(const Digest& sha256, const BlobStamp& stamp) {
  state_->use([&](sqlite3* database) {
    Statement upsert(database,
                     "INSERT OR REPLACE INTO blobs (sha256, size_bytes, inode, mtime_ns) VALUES "
                     "(?,?,?,?)");
    upsert.blob(sha256)
        .integer(static_cast<std::int64_t>(stamp.size_bytes))
        .integer(static_cast<std::int64_t>(stamp.inode))
        .integer(stamp.mtime_ns)
        .step();
  });
}

std::vector<Digest> Index::piece_records(std::string_view scope) {
  std::vector<Digest> keys;
  state_->use([&](sqlite3* database) {
    Statement query(database,
                    "SELECT key FROM piece_records WHERE scope=?1 ORDER BY id DESC LIMIT ?2");
    query.text(scope).integer(kPieceRecordsKept);
    while (query.step()) {
      if (const std::optional<Digest> key = query.digest_at(0)) keys.push_back(*key);
    }
  });
  return keys;
}

void Index::note_piece_record(std::string_view scope, const Digest& key) {
  state_->use([&](sqlite3* database) {
    Transaction transaction(database);
    insert_piece_record(database, scope, key);
    transaction.commit();
  });
}

std::vector<std::string> Index::warnings() const {
  const std::lock_guard<std::mutex> hold(state_->mutex);
  return state_->warnings;
}

}  // namespace qbuild::cache
