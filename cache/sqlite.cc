#include "cache/sqlite.h"

#include <sqlite3.h>

#include <cstring>

namespace qbuild::cache {
namespace {

constexpr int kBusyTimeoutMs = 5000;
// No text or blob of ours is near it; a damaged file may claim any.
constexpr int kMaxValueBytes = 1 << 20;

// Of the extended codes that SQLite may give, the plain one.
constexpr int kPlainCode = 0xff;

[[noreturn]] void fail(sqlite3* database, int code) {
  throw SqlFailure{code, database != nullptr ? sqlite3_errmsg(database) : sqlite3_errstr(code)};
}

}  // namespace

bool SqlFailure::is_damage() const {
  return (code & kPlainCode) == SQLITE_NOTADB || (code & kPlainCode) == SQLITE_CORRUPT;
}

bool SqlFailure::is_wrong_schema() const {
  return (code & kPlainCode) == SQLITE_ERROR;
}

void CloseDatabase::operator()(sqlite3* database) const {
  sqlite3_close_v2(database);
}

Database open_database(const std::string& path) {
  sqlite3* raw = nullptr;
  const int code =
      sqlite3_open_v2(path.c_str(), &raw,
                      SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, nullptr);
  Database database(raw);
  if (code != SQLITE_OK) fail(raw, code);
  sqlite3_busy_timeout(raw, kBusyTimeoutMs);
  sqlite3_limit(raw, SQLITE_LIMIT_LENGTH, kMaxValueBytes);
  // Not a write-ahead log: its shared memory is mapped, and whoever cuts that file short would end
  // the engines that use it; nor does it work on a network file system.
  execute(raw, "PRAGMA journal_mode=TRUNCATE");
  // A power cut may damage the file, which is then made again.
  execute(raw, "PRAGMA synchronous=OFF");
  return database;
}

void execute(sqlite3* database, const char* sql) {
  const int code = sqlite3_exec(database, sql, nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) fail(database, code);
}

bool has_moved(sqlite3* database) {
  int moved = 0;
  const int code = sqlite3_file_control(database, "main", SQLITE_FCNTL_HAS_MOVED, &moved);
  return code == SQLITE_OK && moved != 0;
}

Statement::Statement(sqlite3* database, const char* sql) : database_(database) {
  const int code = sqlite3_prepare_v2(database, sql, -1, &statement_, nullptr);
  if (code != SQLITE_OK) fail(database, code);
}

Statement::~Statement() {
  sqlite3_finalize(statement_);
}

Statement& Statement::text(std::string_view value) {
  return bound(sqlite3_bind_text64(statement_, ++bound_, value.data(), value.size(), SQLITE_STATIC,
                                   SQLITE_UTF8));
}

Statement& Statement::blob(const Digest& value) {
  return bound(sqlite3_bind_blob64(statement_, ++bound_, value.bytes.data(), value.bytes.size(),
                                   SQLITE_STATIC));
}

Statement& Statement::integer(std::int64_t value) {
  return bound(sqlite3_bind_int64(statement_, ++bound_, value));
}

Statement& Statement::real(double value) {
  return bound(sqlite3_bind_double(statement_, ++bound_, value));
}

bool Statement::step() {
  const int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW) return true;
  if (code != SQLITE_DONE) fail(database_, code);
  return false;
}

std::int64_t Statement::integer_at(int column) const {
  return sqlite3_column_int64(statement_, column);
}

double Statement::real_at(int column) const {
  return sqlite3_column_double(statement_, column);
}

std::string Statement::text_at(int column) const {
  const unsigned char* text = sqlite3_column_text(statement_, column);
  const int bytes = sqlite3_column_bytes(statement_, column);
  if (text == nullptr) return {};
  return {reinterpret_cast<const char*>(text), static_cast<std::size_t>(bytes)};
}

std::optional<Digest> Statement::digest_at(int column) const {
  const void* const bytes = sqlite3_column_blob(statement_, column);
  Digest digest;
  if (bytes == nullptr ||
      static_cast<std::size_t>(sqlite3_column_bytes(statement_, column)) != digest.bytes.size())
    return std::nullopt;
  std::memcpy(digest.bytes.data(), bytes, digest.bytes.size());
  return digest;
}

Statement& Statement::bound(int code) {
  if (code != SQLITE_OK) fail(database_, code);
  return *this;
}

Transaction::Transaction(sqlite3* database) : database_(database) {
  execute(database_, "BEGIN IMMEDIATE");
}

Transaction::~Transaction() {
  if (!committed_) sqlite3_exec(database_, "ROLLBACK", nullptr, nullptr, nullptr);
}

void Transaction::commit() {
  execute(database_, "COMMIT");
  committed_ = true;
}

}  // namespace qbuild::cache
