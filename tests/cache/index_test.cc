#include "cache/index.h"

#include <sqlite3.h>

#include <thread>

#include "tests/cache/support.h"

namespace qbuild::cache {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class IndexTest : public StoreTest {
 protected:
  [[nodiscard]] fs::path path() const { return folder_.path() / "state/qbuild/index.db"; }
  std::unique_ptr<Index> open() { return std::make_unique<Index>(*files_, path(), store_); }
  // Runs SQL on the file as another program would.
  void sql(const std::string& text) {
    sqlite3* database = nullptr;
    ASSERT_EQ(sqlite3_open(path().c_str(), &database), SQLITE_OK);
    EXPECT_EQ(sqlite3_exec(database, text.c_str(), nullptr, nullptr, nullptr), SQLITE_OK);
    sqlite3_close(database);
  }
  static RunEntry run(double seconds, std::int64_t started, const std::string& outcome = "ok") {
    return {.rule = "quantize",
            .history_key = "k",
            .outcome = outcome,
            .started_unix_ns = started,
            .seconds = seconds,
            .peak_memory_bytes = 7};
  }
};

TEST_F(IndexTest, KnowsNothingAtFirst) {
  const auto index = open();
  EXPECT_FALSE(index->expected_seconds("quantize", "k"));
  EXPECT_FALSE(index->last_use(sha256("a")));
  EXPECT_FALSE(index->find_blob(sha256("a")));
  EXPECT_THAT(index->newest_runs("", 10), IsEmpty());
  EXPECT_THAT(index->warnings(), IsEmpty());
}

TEST_F(IndexTest, ExpectsTheMedianOfSuccessfulRuns) {
  const auto index = open();
  index->note_run(run(1, 1));
  index->note_run(run(100, 2, "failed"));
  EXPECT_EQ(index->expected_seconds("quantize", "k"), 1.0);
  index->note_run(run(3, 3));
  EXPECT_EQ(index->expected_seconds("quantize", "k"), 2.0);
  index->note_run(run(50, 4));
  EXPECT_EQ(index->expected_seconds("quantize", "k"), 3.0);
  EXPECT_FALSE(index->expected_seconds("quality", "k"));
  EXPECT_FALSE(index->expected_seconds("quantize", "other"));
}

TEST_F(IndexTest, ForgetsOldRunsOfAKey) {
  const auto index = open();
  for (int i = 0; i < 3 * kRunsKept; ++i) index->note_run(run(i, i));
  const std::vector<RunEntry> runs = index->newest_runs("quantize", 100);
  ASSERT_EQ(runs.size(), static_cast<std::size_t>(kRunsKept));
  EXPECT_EQ(runs.front().started_unix_ns, 3 * kRunsKept - 1);
  EXPECT_EQ(runs.front().peak_memory_bytes, 7u);
}

TEST_F(IndexTest, ForgetsTheRunsOfAClockThatWasAheadLikeOthers) {
  const auto index = open();
  for (int i = 0; i < kRunsKept; ++i) index->note_run(run(100, std::int64_t{4} << 60));
  for (int i = 0; i < kRunsKept; ++i) index->note_run(run(1, i));
  EXPECT_EQ(index->expected_seconds("quantize", "k"), 1.0);
}

TEST_F(IndexTest, ExpectsNothingOfWhatIsNoDuration) {
  open()->note_run(run(5, 1));
  for (const char* nonsense : {"-1", "1e300", "9e999", "NULL"})
    sql("INSERT INTO runs (rule, history_key, outcome, started_unix_ns, seconds, "
        "peak_memory_bytes) SELECT 'quantize','k','ok',2,COALESCE(" +
        std::string(nonsense) + ",-5),0");
  EXPECT_EQ(open()->expected_seconds("quantize", "k"), 5.0);
}

TEST_F(IndexTest, WithoutAPlaceItIsKeptInMemory) {
  Index index(*files_, "", store_);
  index.note_run(run(4, 1));
  EXPECT_EQ(index.expected_seconds("quantize", "k"), 4.0);
  EXPECT_THAT(index.warnings(), IsEmpty());
}

TEST_F(IndexTest, RemembersAcrossRuns) {
  open()->note_run(run(4, 1));
  open()->note_use(sha256("a"), 20'000);
  open()->note_blob(sha256("b"), {.size_bytes = 1, .inode = ~std::uint64_t{0}, .mtime_ns = -3});
  const auto index = open();
  EXPECT_EQ(index->expected_seconds("quantize", "k"), 4.0);
  EXPECT_EQ(index->last_use(sha256("a")), 20'000);
  EXPECT_EQ(index->find_blob(sha256("b")),
            (BlobStamp{.size_bytes = 1, .inode = ~std::uint64_t{0}, .mtime_ns = -3}));
  EXPECT_THAT(index->warnings(), IsEmpty());
}

TEST_F(IndexTest, KeepsTheLatestDayOfUse) {
  const auto index = open();
  index->note_use(sha256("a"), 5);
  index->note_use(sha256("a"), 4);
  EXPECT_EQ(index->last_use(sha256("a")), 5);
  index->note_use(sha256("a"), 6);
  EXPECT_EQ(index->last_use(sha256("a")), 6);
}

TEST_F(IndexTest, AChangedBlobHasAnotherStamp) {
  const Digest blob = put_blob("content");
  const BlobStamp before = blob_stamp(*files_->stat(store_.blob_path(blob)));
  open()->note_blob(blob, before);
  fs::remove(store_.blob_path(blob));
  write_text(store_.blob_path(blob), "CONTENT");
  EXPECT_NE(open()->find_blob(blob), blob_stamp(*files_->stat(store_.blob_path(blob))));
}

TEST_F(IndexTest, NamesTheRecordsOfAScopeTheNewestFirst) {
  const auto index = open();
  for (const char* key : {"a", "b", "c"}) index->note_piece_record("0f", sha256(key));
  index->note_piece_record("ab", sha256("d"));
  index->note_piece_record("0f", sha256("a"));
  EXPECT_THAT(index->piece_records("0f"), ElementsAre(sha256("a"), sha256("c"), sha256("b")));
  EXPECT_THAT(open()->piece_records("ab"), ElementsAre(sha256("d")));
  EXPECT_THAT(index->piece_records("00"), IsEmpty());
}

TEST_F(IndexTest, ForgetsOldRecordsOfAScope) {
  Index index(*files_, "", store_);
  for (int i = 0; i < kPieceRecordsKept + 10; ++i)
    index.note_piece_record("0f", sha256(std::to_string(i)));
  const std::vector<Digest> keys = index.piece_records("0f");
  ASSERT_EQ(keys.size(), static_cast<std::size_t>(kPieceRecordsKept));
  EXPECT_EQ(keys.front(), sha256(std::to_string(kPieceRecordsKept + 9)));
  EXPECT_EQ(keys.back(), sha256("10"));
}

TEST_F(IndexTest, WhatIsNoKeyIsPassedOver) {
  open()->note_piece_record("0f", sha256("a"));
  sql("INSERT INTO piece_records (scope, key) VALUES ('0f', 'short'), ('0f', x'00'), ('0f', 7)");
  EXPECT_THAT(open()->piece_records("0f"), ElementsAre(sha256("a")));
}

TEST_F(IndexTest, AMissingIndexKnowsTheRecordsWithPiecesInTheOrderOfTheirTimes) {
  std::vector<Digest> newest_first;
  for (int i = 0; i < 5; ++i) {
    Record record = record_of("key " + std::to_string(i), {{"f", "bytes"}});
    record.started_unix_ns = 1000 + i;
    record.inline_files = {{"f", "bytes"}};
    record.piece_scope = "0f";
    record.pieces["f"] = {{.key = std::string(32, 'a'),
                           .offset = 0,
                           .size_bytes = 5,
                           .checksum = xxh3_hex(as_bytes("bytes"))}};
    store_.put_record(record);
    newest_first.insert(newest_first.begin(), record.key);
  }
  store_.put_record(record_of("none", {}));
  EXPECT_EQ(open()->piece_records("0f"), newest_first);
}

TEST_F(IndexTest, AnIndexOfTheVersionBeforeIsMadeAgain) {
  fs::create_directories(path().parent_path());
  sql("CREATE TABLE runs (x); CREATE TABLE uses (x); CREATE TABLE blobs (x); PRAGMA "
      "user_version=1");
  const auto index = open();
  EXPECT_THAT(index->warnings(),
              ElementsAre(HasSubstr("it has schema version 1, this qbuild has 2; moved to")));
  index->note_piece_record("0f", sha256("a"));
  EXPECT_THAT(open()->piece_records("0f"), ElementsAre(sha256("a")));
}

TEST_F(IndexTest, AMissingIndexIsMadeFromTheRecords) {
  store_.put_record(record_of("key", {}));
  const auto index = open();
  EXPECT_EQ(index->expected_seconds("quantize", sha256("key").hex()), 1.5);
  EXPECT_THAT(index->warnings(), IsEmpty());
}

TEST_F(IndexTest, AFileThatIsNoDatabaseIsMovedAside) {
  store_.put_record(record_of("key", {}));
  write_text(path(), std::string(5000, 'x'));
  const auto index = open();
  EXPECT_THAT(index->warnings(),
              ElementsAre("index " + path().string() +
                          ": it is damaged (file is not a database); moved to " + path().string() +
                          ".aside and made again from the records"));
  EXPECT_EQ(index->expected_seconds("quantize", sha256("key").hex()), 1.5);
  EXPECT_EQ(read_text(path().string() + ".aside"), std::string(5000, 'x'));
  EXPECT_THAT(open()->warnings(), IsEmpty());
}

TEST_F(IndexTest, ATruncatedDatabaseIsMovedAside) {
  open()->note_run(run(4, 1));
  fs::resize_file(path(), 4096);
  EXPECT_THAT(open()->warnings(), ElementsAre(HasSubstr("it is damaged (")));
  EXPECT_THAT(open()->warnings(), IsEmpty());
}

TEST_F(IndexTest, AnotherSchemaVersionIsMovedAside) {
  open()->note_run(run(4, 1));
  sql("PRAGMA user_version=99");
  const auto index = open();
  EXPECT_THAT(index->warnings(),
              ElementsAre(HasSubstr("it has schema version 99, this qbuild has 2; moved to")));
  EXPECT_FALSE(index->expected_seconds("quantize", "k"));
}

TEST_F(IndexTest, MissingTablesAreDamage) {
  open();
  sql("DROP TABLE uses");
  EXPECT_THAT(open()->warnings(), ElementsAre(HasSubstr("it is damaged (no such table: uses)")));
}

TEST_F(IndexTest, AForeignDatabaseIsMovedAside) {
  fs::create_directories(path().parent_path());
  sql("CREATE TABLE runs (x)");
  EXPECT_THAT(open()->warnings(),
              ElementsAre(HasSubstr("it is damaged (table runs already exists)")));
}

TEST_F(IndexTest, ARunGoesOnWhereTheFolderCannotBeMade) {
  write_text(folder_.path() / "state", "a file where the folder must go");
  const auto index = open();
  EXPECT_THAT(index->warnings(),
              ElementsAre(HasSubstr("durations are not remembered beyond this run")));
  index->note_run(run(4, 1));
  EXPECT_EQ(index->expected_seconds("quantize", "k"), 4.0);
}

TEST_F(IndexTest, EnginesMayOpenAndWriteItAtOnce) {
  std::vector<std::thread> threads;
  std::vector<std::vector<std::string>> warnings(6);
  for (std::size_t i = 0; i < warnings.size(); ++i) {
    threads.emplace_back([&, i] {
      Index index(*files_, path(), store_);
      for (int j = 0; j < 10; ++j)
        index.note_use(sha256(std::to_string(i * 10) + std::to_string(j)), j);
      warnings[i] = index.warnings();
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const std::vector<std::string>& lines : warnings) EXPECT_THAT(lines, IsEmpty());
  EXPECT_EQ(open()->last_use(sha256("509")), 9);
}

TEST_F(IndexTest, OneIndexServesManyThreads) {
  const auto index = open();
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&, i] {
      for (int j = 0; j < 20; ++j) index->note_use(sha256(std::to_string(i)), j);
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (int i = 0; i < 4; ++i) EXPECT_EQ(index->last_use(sha256(std::to_string(i))), 19);
  EXPECT_THAT(index->warnings(), IsEmpty());
}

}  // namespace
}  // namespace qbuild::cache
