#pragma once
// The few things that the index asks of SQLite. The library itself stays behind sqlite.cc. One
// thread at a time.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/digest.h"

struct sqlite3;
struct sqlite3_stmt;

namespace qbuild::cache {

// One call failed. Never leaves the index: what it means there is decided by is_*.
struct SqlFailure {
  int code = 0;
  std::string message;

  // The file is no database, or not a whole one.
  [[nodiscard]] bool is_damage() const;
  // The statement does not suit the tables.
  [[nodiscard]] bool is_wrong_schema() const;
};

struct CloseDatabase {
  void operator()(sqlite3* database) const;
};
using Database = std::unique_ptr<sqlite3, CloseDatabase>;

// Opens or makes the file, or ":memory:". Throws SqlFailure, as do all below.
[[nodiscard]] Database open_database(const std::string& path);

void execute(sqlite3* database, const char* sql);

// Whether the name under which it was opened stands for another file now, or for none.
[[nodiscard]] bool has_moved(sqlite3* database);

// A prepared statement, bound in order of its calls.
class Statement {
 public:
  Statement(sqlite3* database, const char* sql);
  ~Statement();
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  // What is bound must live until the last step.
  Statement& text(std::string_view value);
  Statement& blob(const Digest& value);
  // SQLite has signed integers only; unsigned ones come back through the same conversion.
  Statement& integer(std::int64_t value);
  Statement& real(double value);

  // True: there is a row to read.
  bool step();
  [[nodiscard]] std::int64_t integer_at(int column) const;
  [[nodiscard]] double real_at(int column) const;
  [[nodiscard]] std::string text_at(int column) const;
  // Nothing if it is none: a damaged file may hold anything.
  [[nodiscard]] std::optional<Digest> digest_at(int column) const;

 private:
  Statement& bound(int code);

  sqlite3* database_;
  sqlite3_stmt* statement_ = nullptr;
  int bound_ = 0;
};

// BEGIN IMMEDIATE ... COMMIT; rolled back unless committed.
class Transaction {
 public:
  explicit Transaction(sqlite3* database);
  ~Transaction();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  void commit();

 private:
  sqlite3* database_;
  bool committed_ = false;
};

}  // namespace qbuild::cache
