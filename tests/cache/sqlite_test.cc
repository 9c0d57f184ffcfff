#include "cache/sqlite.h"

#include <limits>

#include "tests/cache/support.h"

namespace qbuild::cache {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

class SqliteTest : public testing::Test {
 protected:
  [[nodiscard]] std::string path() const { return (folder_.path() / "a.db").string(); }
  TemporaryFolder folder_;
};

// The failure that `body` ends in, or none.
template <typename Body>
std::optional<SqlFailure> failure_of(Body&& body) {
  try {
    body();
  } catch (const SqlFailure& failure) {
    return failure;
  }
  return std::nullopt;
}

TEST_F(SqliteTest, GivesBackWhatWasBound) {
  const Database database = open_database(path());
  execute(database.get(), "CREATE TABLE t (a TEXT, b BLOB, c INTEGER, d REAL)");
  Statement(database.get(), "INSERT INTO t VALUES (?,?,?,?)")
      .text(std::string_view("two\0parts", 9))
      .blob(sha256("x"))
      .integer(std::numeric_limits<std::int64_t>::min())
      .real(0.1)
      .step();
  Statement query(database.get(), "SELECT a, c, d FROM t WHERE b=?");
  ASSERT_TRUE(query.blob(sha256("x")).step());
  EXPECT_EQ(query.text_at(0), std::string_view("two\0parts", 9));
  EXPECT_EQ(query.integer_at(1), std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(query.real_at(2), 0.1);
  EXPECT_FALSE(query.step());
}

TEST_F(SqliteTest, ATransactionThatIsNotCommittedLeavesNothing) {
  const Database database = open_database(path());
  execute(database.get(), "CREATE TABLE t (a)");
  {
    const Transaction transaction(database.get());
    execute(database.get(), "INSERT INTO t VALUES (1)");
  }
  Transaction second(database.get());
  execute(database.get(), "INSERT INTO t VALUES (2)");
  second.commit();
  Statement query(database.get(), "SELECT a FROM t");
  ASSERT_TRUE(query.step());
  EXPECT_EQ(query.integer_at(0), 2);
  EXPECT_FALSE(query.step());
}

TEST_F(SqliteTest, TellsDamageFromAWrongSchemaAndFromOtherFailures) {
  write_text(path(), std::string(5000, 'x'));
  const auto damaged = failure_of([&] { (void)open_database(path()); });
  ASSERT_TRUE(damaged);
  EXPECT_TRUE(damaged->is_damage());
  EXPECT_FALSE(damaged->is_wrong_schema());
  EXPECT_THAT(damaged->message, HasSubstr("not a database"));
  const Database memory = open_database(":memory:");
  const auto wrong = failure_of([&] { execute(memory.get(), "SELECT 1 FROM nowhere"); });
  ASSERT_TRUE(wrong);
  EXPECT_TRUE(wrong->is_wrong_schema());
  EXPECT_FALSE(wrong->is_damage());
  const auto unreachable =
      failure_of([&] { (void)open_database((folder_.path() / "no/such/a.db").string()); });
  ASSERT_TRUE(unreachable);
  EXPECT_FALSE(unreachable->is_damage() || unreachable->is_wrong_schema());
}

TEST_F(SqliteTest, RefusesAValueThatIsLargerThanAnyOfOurs) {
  const Database database = open_database(":memory:");
  EXPECT_TRUE(failure_of([&] { execute(database.get(), "SELECT length(zeroblob(2000000))"); }));
  EXPECT_FALSE(failure_of([&] { execute(database.get(), "SELECT length(zeroblob(2000))"); }));
}

TEST_F(SqliteTest, NoticesThatItsFileWasRenamed) {
  const Database database = open_database(path());
  execute(database.get(), "CREATE TABLE t (a)");
  EXPECT_FALSE(has_moved(database.get()));
  fs::rename(path(), path() + ".elsewhere");
  EXPECT_TRUE(has_moved(database.get()));
}

TEST_F(SqliteTest, KeepsNoMappedFileBesideTheDatabase) {
  const Database database = open_database(path());
  execute(database.get(), "CREATE TABLE t (a)");
  execute(database.get(), "INSERT INTO t VALUES (1)");
  for (const auto& entry : fs::directory_iterator(folder_.path())) {
    const std::string name = entry.path().filename().string();
    EXPECT_THAT(name, StartsWith("a.db"));
    EXPECT_TRUE(name == "a.db" || name == "a.db-journal") << name;
  }
}

}  // namespace
}  // namespace qbuild::cache
