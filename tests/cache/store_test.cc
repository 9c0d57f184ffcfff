#include "cache/store.h"

#include <thread>

#include "tests/cache/support.h"

namespace qbuild::cache {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

TEST_F(StoreTest, NamesBlobsAndRecordsByDigest) {
  const std::string hex = sha256("x").hex();
  EXPECT_EQ(store_.blob_path(sha256("x")), store_.root() / "blobs" / hex.substr(0, 2) / hex);
  EXPECT_EQ(store_.record_path(sha256("x")), store_.root() / "records" / hex.substr(0, 2) / hex);
}

TEST_F(StoreTest, KeepsABlobReadOnlyAndTakesTheStagedFile) {
  const fs::path staged = folder_.path() / "staged";
  write_text(staged, "content");
  store_.adopt(staged, sha256("content"), 7);
  EXPECT_TRUE(store_.has_blob(sha256("content"), 7));
  EXPECT_FALSE(store_.has_blob(sha256("content"), 8));
  EXPECT_FALSE(fs::exists(staged));
  EXPECT_EQ(files_->stat(store_.blob_path(sha256("content")))->mode, 0444u);
}

TEST_F(StoreTest, KeepsTheFirstOfTwoEqualBlobs) {
  const Digest blob = put_blob("content");
  const FileStat before = *files_->stat(store_.blob_path(blob));
  const fs::path staged = folder_.path() / "staged";
  write_text(staged, "content");
  store_.adopt(staged, blob, 7);
  EXPECT_FALSE(fs::exists(staged));
  EXPECT_EQ(*files_->stat(store_.blob_path(blob)), before);
}

TEST_F(StoreTest, ReplacesATruncatedBlobByTheOneJustMade) {
  const Digest blob = put_blob("content");
  vandalize(store_.blob_path(blob), "con");
  put_blob("content");
  EXPECT_EQ(read_text(store_.blob_path(blob)), "content");
  EXPECT_EQ(files_->list(store_.root() / "damaged").size(), 1u);
}

TEST_F(StoreTest, RefusesAStagedFileOfAnotherSize) {
  const fs::path staged = folder_.path() / "staged";
  write_text(staged, "short");
  const std::optional<Error> error = error_of([&] { store_.adopt(staged, sha256("content"), 7); });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->kind(), ErrorKind::kCorrupt);
  EXPECT_EQ(error->message(),
            "blob " + sha256("content").hex() + " (7 bytes): " + staged.string() + " has 5 bytes");
  EXPECT_FALSE(fs::exists(store_.blob_path(sha256("content"))));
}

TEST_F(StoreTest, VerifiesABlobAndSetsAChangedOneAside) {
  const Digest blob = put_blob("content");
  EXPECT_TRUE(store_.verify_blob(blob, 7));
  EXPECT_FALSE(store_.verify_blob(sha256("none"), 4));
  vandalize(store_.blob_path(blob), "CONTENT");
  EXPECT_TRUE(store_.has_blob(blob, 7));
  EXPECT_FALSE(store_.verify_blob(blob, 7));
  EXPECT_FALSE(store_.has_blob(blob, 7));
}

TEST_F(StoreTest, ManyThreadsMayAdoptTheSameBlobAtOnce) {
  const std::string bytes(100'000, 'z');
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    write_text(folder_.path() / std::to_string(i), bytes);
    threads.emplace_back([&, i] {
      Store other(*files_, clock_, store_.root());
      other.adopt(folder_.path() / std::to_string(i), sha256(bytes), bytes.size());
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_TRUE(store_.verify_blob(sha256(bytes), bytes.size()));
  EXPECT_TRUE(store_.verify({}).damages.empty());
}

TEST_F(StoreTest, FindsTheRecordThatWasPut) {
  put_blob("bytes");
  const Record record = record_of("key", {{"model.gguf", "bytes"}});
  EXPECT_FALSE(store_.find_record(record.key));
  store_.put_record(record);
  const std::optional<Record> found = store_.find_record(record.key);
  ASSERT_TRUE(found);
  EXPECT_EQ(serialize(*found), serialize(record));
  EXPECT_TRUE(store_.is_complete(*found));
  EXPECT_EQ(files_->stat(store_.record_path(record.key))->mode, 0444u);
}

TEST_F(StoreTest, RefusesARecordWhoseBlobIsMissing) {
  const Record record = record_of("key", {{"model.gguf", "bytes"}});
  const std::optional<Error> error = error_of([&] { store_.put_record(record); });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->kind(), ErrorKind::kNotFound);
  EXPECT_THAT(error->message(), HasSubstr("its file \"model.gguf\""));
  EXPECT_FALSE(store_.find_record(record.key));
}

TEST_F(StoreTest, InlineFilesNeedNoBlob) {
  Record record = record_of("key", {{"result.json", "{}"}});
  record.inline_files = {{"result.json", "{}"}};
  store_.put_record(record);
  EXPECT_TRUE(store_.is_complete(*store_.find_record(record.key)));
  EXPECT_EQ(store_.stats().blobs, 0u);
}

TEST_F(StoreTest, LeavesACompleteRecordAsItIs) {
  put_blob("bytes");
  Record record = record_of("key", {{"model.gguf", "bytes"}});
  store_.put_record(record);
  record.seconds = 99;
  store_.put_record(record);
  EXPECT_EQ(store_.find_record(record.key)->seconds, 1.5);
}

TEST_F(StoreTest, ReplacesARecordWhoseBlobWasDeleted) {
  const Digest old_blob = put_blob("bytes");
  store_.put_record(record_of("key", {{"model.gguf", "bytes"}}));
  fs::remove(store_.blob_path(old_blob));
  EXPECT_FALSE(store_.is_complete(*store_.find_record(sha256("key"))));
  put_blob("other");
  store_.put_record(record_of("key", {{"model.gguf", "other"}}));
  EXPECT_TRUE(store_.is_complete(*store_.find_record(sha256("key"))));
}

TEST_F(StoreTest, ADamagedRecordIsSetAsideAndCountsAsAbsent) {
  Record record = record_of("key", {});
  store_.put_record(record);
  vandalize(store_.record_path(record.key), "garbage");
  EXPECT_FALSE(store_.find_record(record.key));
  EXPECT_THAT(files_->list(store_.root() / "damaged"),
              testing::ElementsAre(StartsWith("record-" + record.key.hex() + "-1700000000-")));
  store_.put_record(record);
  EXPECT_TRUE(store_.find_record(record.key));
}

TEST_F(StoreTest, ARecordUnderAnotherKeysNameIsSetAside) {
  const Record record = record_of("key", {});
  store_.put_record(record);
  const fs::path other = store_.record_path(sha256("other"));
  fs::create_directories(other.parent_path());
  fs::copy_file(store_.record_path(record.key), other);
  EXPECT_FALSE(store_.find_record(sha256("other")));
  EXPECT_FALSE(fs::exists(other));
}

TEST_F(StoreTest, OneHolderPerKey) {
  const auto held = store_.lock_key(sha256("a"), LockWait::kBlock);
  EXPECT_EQ(store_.lock_key(sha256("a"), LockWait::kTry), nullptr);
  EXPECT_NE(store_.lock_key(sha256("b"), LockWait::kTry), nullptr);
}

TEST_F(StoreTest, AReleasedKeyCanBeTakenAgain) {
  store_.lock_key(sha256("a"), LockWait::kBlock).reset();
  EXPECT_NE(store_.lock_key(sha256("a"), LockWait::kTry), nullptr);
}

TEST_F(StoreTest, OpeningAStoreAgainChangesNothing) {
  const FileStat before = *files_->stat(store_.root());
  const Store again(*files_, clock_, store_.root());
  EXPECT_EQ(*files_->stat(store_.root()), before);
}

TEST_F(StoreTest, RefusesAStoreOfAnotherFormat) {
  write_text(store_.root() / "format", "qbuild-store 2\n");
  const std::optional<Error> error = error_of([&] { Store(*files_, clock_, store_.root()); });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->kind(), ErrorKind::kUnsupported);
  EXPECT_EQ(error->message(),
            (store_.root() / "format").string() +
                ": the store has another format than 1, which is the one this qbuild "
                "reads; give $QBUILD_STORE another folder");
  write_text(store_.root() / "format", "hello");
  EXPECT_EQ(error_of([&] { Store(*files_, clock_, store_.root()); })->kind(), ErrorKind::kCorrupt);
}

}  // namespace
}  // namespace qbuild::cache
