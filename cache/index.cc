#include "cache/index.h"

#include <fmt/core.h>
#include <sqlite3.h>

#include <algorithm>
#include <array>
#include <mutex>
#include <utility>

#include "base/error.h"

namespace qbuild::cache {
namespace {

constexpr int kBusyTimeoutMs = 5000;
// Reading a record takes under a millisecond: a rebuild stays within seconds, and older runs matter
// little.
constexpr std::size_t kMaxRebuildRecords = 5000;

constexpr const char* kSchema = R"sql(
CREATE TABLE runs (
  id INTEGER PRIMARY KEY, rule TEXT NOT NULL, history_key TEXT NOT NULL, outcome TEXT NOT NULL,
  started_unix_ns INTEGER NOT NULL, seconds REAL NOT NULL, peak_memory_bytes INTEGER NOT NULL);
CREATE INDEX runs_by_key ON runs (rule, history_key, started_unix_ns);
CREATE TABLE uses (key BLOB PRIMARY KEY, day INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE blobs (
  sha256 BLOB PRIMARY KEY, size_bytes INTEGER NOT NULL, inode INTEGER NOT NULL,
  mtime_ns INTEGER NOT NULL) WITHOUT ROWID;
)sql";

// One SQLite call failed. Never leaves this file.
struct SqlFailure {
  int code = SQLITE_OK;
  std::string message;
};

struct CloseDatabase {
  void operator()(sqlite3* database) const { sqlite3_close_v2(database); }
};
using Database = std::unique_ptr<sqlite3, CloseDatabase>;

[[noreturn]] void fail(sqlite3* database, int code) {
  throw SqlFailure{code, database != nullptr ? sqlite3_errmsg(database) : sqlite3_errstr(code)};
}

void execute(sqlite3* database, const char* sql) {
  const int code = sqlite3_exec(database, sql, nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) fail(database, code);
}

// A prepared statement, bound in order of its calls.
class Statement {
 public:
  Statement(sqlite3* database, const char* sql) : database_(database) {
    const int code = sqlite3_prepare_v2(database, sql, -1, &statement_, nullptr);
    if (code != SQLITE_OK) fail(database, code);
  }
  ~Statement() { sqlite3_finalize(statement_); }
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  Statement& text(std::string_view value) {
    return bound(sqlite3_bind_text64(statement_, ++bound_, value.data(), value.size(),
                                     SQLITE_STATIC, SQLITE_UTF8));
  }
  Statement& blob(const Digest& value) {
    return bound(sqlite3_bind_blob64(statement_, ++bound_, value.bytes.data(), value.bytes.size(),
                                     SQLITE_STATIC));
  }
  // SQLite has signed integers only; unsigned ones come back through the same conversion.
  Statement& integer(std::int64_t value) {
    return bound(sqlite3_bind_int64(statement_, ++bound_, value));
  }
  Statement& real(double value) { return bound(sqlite3_bind_double(statement_, ++bound_, value)); }

  // True: there is a row to read.
  bool step() {
    const int code = sqlite3_step(statement_);
    if (code == SQLITE_ROW) return true;
    if (code != SQLITE_DONE) fail(database_, code);
    return false;
  }
  [[nodiscard]] std::int64_t integer_at(int column) const {
    return sqlite3_column_int64(statement_, column);
  }
  [[nodiscard]] double real_at(int column) const {
    return sqlite3_column_double(statement_, column);
  }
  [[nodiscard]] std::string text_at(int column) const {
    const unsigned char* text = sqlite3_column_text(statement_, column);
    const int bytes = sqlite3_column_bytes(statement_, column);
    if (text == nullptr) return {};
    return {reinterpret_cast<const char*>(text), static_cast<std::size_t>(bytes)};
  }

 private:
  Statement& bound(int code) {
    if (code != SQLITE_OK) fail(database_, code);
    return *this;
  }

  sqlite3* database_;
  sqlite3_stmt* statement_ = nullptr;
  int bound_ = 0;
};

// BEGIN IMMEDIATE ... COMMIT; rolled back unless committed.
class Transaction {
 public:
  explicit Transaction(sqlite3* database) : database_(database) {
    execute(database_, "BEGIN IMMEDIATE");
  }
  ~Transaction() {
    if (!committed_) sqlite3_exec(database_, "ROLLBACK", nullptr, nullptr, nullptr);
  }
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  void commit() {
    execute(database_, "COMMIT");
    committed_ = true;
  }

 private:
  sqlite3* database_;
  bool committed_ = false;
};

int user_version(sqlite3* database) {
  Statement statement(database, "PRAGMA user_version");
  return statement.step() ? static_cast<int>(statement.integer_at(0)) : 0;
}

bool is_damage(int code) {
  return (code & 0xff) == SQLITE_NOTADB || (code & 0xff) == SQLITE_CORRUPT;
}

Database open_database(const std::string& path) {
  sqlite3* raw = nullptr;
  const int code =
      sqlite3_open_v2(path.c_str(), &raw,
                      SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, nullptr);
  Database database(raw);
  if (code != SQLITE_OK) fail(raw, code);
  sqlite3_busy_timeout(raw, kBusyTimeoutMs);
  execute(raw, "PRAGMA journal_mode=WAL");
  // What a power cut may take is a few durations.
  execute(raw, "PRAGMA synchronous=NORMAL");
  return database;
}

void insert_run(sqlite3* database, const RunEntry& run) {
  Statement insert(database,
                   "INSERT INTO runs (rule, history_key, outcome, started_unix_ns, seconds, "
                   "peak_memory_bytes) VALUES (?,?,?,?,?,?)");
  insert.text(run.rule).text(run.history_key).text(run.outcome).integer(run.started_unix_ns);
  insert.real(run.seconds).integer(static_cast<std::int64_t>(run.peak_memory_bytes)).step();
  Statement trim(database,
                 "DELETE FROM runs WHERE rule=?1 AND history_key=?2 AND id NOT IN (SELECT id FROM "
                 "runs WHERE rule=?1 AND history_key=?2 ORDER BY started_unix_ns DESC, id DESC "
                 "LIMIT ?3)");
  trim.text(run.rule).text(run.history_key).integer(kRunsKept).step();
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
  mutable std::mutex mutex;
  Database database;  // null: no index in this run
  std::vector<std::string> warnings;
  std::string path;

  void open(FileSystem& file_system, const fs::path& file, Store& store);
  void open_or_replace(FileSystem& file_system, const fs::path& file, Store& store);
  void move_aside(FileSystem& file_system, const std::string& why);
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
      if ((failure.code & 0xff) == SQLITE_BUSY) {
        warnings.push_back(fmt::format("index {}: busy; one entry was left out", path));
        return;
      }
      warnings.push_back(
          fmt::format("index {}: {}; this run goes on without it", path, failure.message));
      database.reset();
    }
  }
};

void Index::State::rebuild(Store& store) {
  std::size_t left = kMaxRebuildRecords;
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
  }
}

std::optional<int> Index::State::open_here(const std::string& where, Store& store) {
  database = open_database(where);
  int version = user_version(database.get());
  if (version == kIndexVersion) {
    // Reads the first pages of each table, so that a file that merely begins like a database is
    // noticed.
    execute(database.get(),
            "SELECT (SELECT COUNT(*) FROM (SELECT 1 FROM runs LIMIT 1)), (SELECT COUNT(*) FROM "
            "(SELECT 1 FROM uses LIMIT 1)), (SELECT COUNT(*) FROM (SELECT 1 FROM blobs LIMIT 1))");
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

void Index::State::move_aside(FileSystem& file_system, const std::string& why) {
  database.reset();
  // The previous one that was moved aside is replaced, so that they do not pile up. Its companions
  // go along: a log that belongs to another file would damage the new one.
  constexpr std::array<const char*, 3> kCompanions{"-wal", "-shm", ""};
  for (const char* companion : kCompanions) {
    const fs::path from = path + companion;
    if (file_system.stat(from)) file_system.rename(from, path + ".aside" + companion);
  }
  warnings.push_back(fmt::format("index {}: {}; moved to {}.aside and made again from the records",
                                 path, why, path));
}

void Index::State::open_or_replace(FileSystem& file_system, const fs::path& file, Store& store) {
  // One process at a time makes, replaces or opens it; whoever waited finds it ready.
  const std::unique_ptr<FileLock> lock =
      file_system.lock(file.string() + ".lock", LockWait::kBlock);
  std::string why;
  try {
    const std::optional<int> other_version = open_here(path, store);
    if (!other_version) return;
    why =
        fmt::format("it has schema version {}, this qbuild has {}", *other_version, kIndexVersion);
  } catch (const SqlFailure& failure) {
    // Tables that are missing (SQLITE_ERROR) are damage as well.
    if (!is_damage(failure.code) && (failure.code & 0xff) != SQLITE_ERROR) throw;
    why = fmt::format("it is damaged ({})", failure.message);
  }
  move_aside(file_system, why);
  open_here(path, store);
}

void Index::State::open(FileSystem& file_system, const fs::path& file, Store& store) {
  path = file.string();
  std::string why;
  try {
    file_system.create_directories(file.parent_path());
    open_or_replace(file_system, file, store);
    return;
  } catch (const SqlFailure& failure) {
    why = failure.message;
  } catch (const Error& error) {
    why = error.message();
  }
  database.reset();
  warnings.push_back(
      fmt::format("index {}: {}; durations are not remembered beyond this run", path, why));
  try {
    open_here(":memory:", store);
  } catch (const SqlFailure&) {
    database.reset();  // without even that, every answer is "unknown", which is allowed
  } catch (const Error&) {
    database.reset();
  }
}

BlobStamp blob_stamp(const FileStat& stat) {
  return {.size_bytes = stat.size_bytes, .inode = stat.inode, .mtime_ns = stat.mtime_ns};
}

Index::Index(FileSystem& file_system, const fs::path& path, Store& store)
    : state_(std::make_unique<State>()) {
  state_->open(file_system, path, store);
}

Index::~Index() = default;

std::optional<double> Index::expected_seconds(std::string_view rule, std::string_view history_key) {
  std::vector<double> seconds;
  state_->use([&](sqlite3* database) {
    Statement query(database,
                    "SELECT seconds FROM runs WHERE rule=? AND history_key=? AND outcome='ok'");
    query.text(rule).text(history_key);
    while (query.step()) seconds.push_back(query.real_at(0));
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

std::vector<std::string> Index::warnings() const {
  const std::lock_guard<std::mutex> hold(state_->mutex);
  return state_->warnings;
}

}  // namespace qbuild::cache
