// Many deposits at once: what they share is flushed once, and one that fails hinders no other.

#include <cerrno>

#include "base/fake_file_system.h"
#include "tests/base/power_cut.h"
#include "tests/cache/support.h"

namespace qbuild::cache {
namespace {

using Call = FakeFileSystem::Call;
using testing::HasSubstr;

// Actions that each left a file and a record of it.
class Actions {
 public:
  Actions(FileSystem& files, Store& store, const std::vector<std::string>& contents)
      : scratch_(store.make_scratch()) {
    records_.reserve(contents.size());
    for (const std::string& bytes : contents) {
      const std::string number = std::to_string(records_.size());
      const fs::path staged = scratch_.path() / number;
      const auto file = files.create(staged, CreateMode::kExclusive);
      file->append(as_bytes(bytes));
      file->close();
      const Record& record =
          records_.emplace_back(record_of("key " + number, {{"model.gguf", bytes}}));
      deposits_.push_back({.blobs = {{.name = "model.gguf",
                                      .path = staged,
                                      .sha256 = sha256(bytes),
                                      .size_bytes = bytes.size()}},
                           .record = &record});
    }
  }
  [[nodiscard]] std::vector<Deposit>& deposits() { return deposits_; }
  [[nodiscard]] const std::vector<Record>& records() const { return records_; }

 private:
  Scratch scratch_;
  std::vector<Record> records_;
  std::vector<Deposit> deposits_;
};

std::vector<std::string> contents_of(int count) {
  std::vector<std::string> contents;
  for (int i = 0; i < count; ++i) contents.push_back("content " + std::to_string(i));
  return contents;
}

class DepositsTest : public testing::Test {
 protected:
  FakeFileSystem disk_;
  FakeClock clock_{1'700'000'000'000'000'000};
  Store store_{disk_, clock_, "/store"};
};

TEST_F(DepositsTest, AllOfThemSurviveAPowerCut) {
  Actions actions(disk_, store_, contents_of(20));
  for (const auto& error : store_.put_each(actions.deposits())) EXPECT_FALSE(error);
  disk_.crash();
  Store again(disk_, clock_, "/store");
  for (const Record& record : actions.records()) {
    const std::optional<Record> found = again.find_record(record.key);
    ASSERT_TRUE(found);
    EXPECT_TRUE(again.is_complete(*found));
  }
  EXPECT_TRUE(again.verify({}).damages.empty());
}

TEST_F(DepositsTest, EachFolderIsFlushedOnceForAllThatGoesIntoIt) {
  // More of them than a store has folders, so that folders are shared.
  Actions actions(disk_, store_, contents_of(1000));
  const std::uint64_t files = disk_.count(Call::kFlush);
  const std::uint64_t folders = disk_.count(Call::kFlushDirectory);
  for (const auto& error : store_.put_each(actions.deposits())) EXPECT_FALSE(error);
  EXPECT_EQ(disk_.count(Call::kFlush) - files, 2000u);
  EXPECT_LE(disk_.count(Call::kFlushDirectory) - folders, 2u * (256 + 1) + 1);
}

TEST_F(DepositsTest, TheOneWhoseFileIsGoneFailsAlone) {
  Actions actions(disk_, store_, contents_of(3));
  disk_.remove(actions.deposits()[1].blobs[0].path);
  const auto errors = store_.put_each(actions.deposits());
  EXPECT_FALSE(errors[0]);
  ASSERT_TRUE(errors[1]);
  EXPECT_THAT(errors[1]->message(), testing::StartsWith("model.gguf: blob "));
  EXPECT_THAT(errors[1]->message(), HasSubstr("is not there"));
  EXPECT_FALSE(errors[2]);
  EXPECT_EQ(store_.record_keys().size(), 2u);
}

TEST_F(DepositsTest, TheOneWhoseFlushFailsFailsAloneAndItsFileGetsNoName) {
  Actions actions(disk_, store_, contents_of(3));
  disk_.fail(Call::kFlush, 3, EIO);  // blob, record, blob
  const auto errors = store_.put_each(actions.deposits());
  EXPECT_FALSE(errors[0]);
  ASSERT_TRUE(errors[1]);
  EXPECT_EQ(errors[1]->kind(), ErrorKind::kTransient);
  EXPECT_FALSE(errors[2]);
  EXPECT_FALSE(store_.has_blob(sha256("content 1"), 9));
  EXPECT_FALSE(store_.find_record(sha256("key 1")));
  EXPECT_TRUE(store_.find_record(sha256("key 2")));
}

TEST_F(DepositsTest, AFailingFlushOfAFolderFailsAllWhoseNamesAreInIt) {
  Actions actions(disk_, store_, {"same", "same", "other"});
  // "blobs", of which shards are new, comes first.
  disk_.fail(Call::kFlushDirectory, 1, ENOSPC);
  const auto errors = store_.put_each(actions.deposits());
  for (const auto& error : errors) {
    ASSERT_TRUE(error);
    EXPECT_THAT(error->message(), HasSubstr("$QBUILD_STORE or --store names another folder"));
  }
  EXPECT_TRUE(store_.record_keys().empty());
}

TEST_F(DepositsTest, TwoOfOneContentShareOneBlob) {
  Actions actions(disk_, store_, {"same", "same"});
  for (const auto& error : store_.put_each(actions.deposits())) EXPECT_FALSE(error);
  EXPECT_EQ(store_.stats().blobs, 1u);
  EXPECT_EQ(store_.stats().records, 2u);
}

TEST_F(DepositsTest, NoneIsNothing) {
  EXPECT_TRUE(store_.put_each({}).empty());
}

TEST_F(DepositsTest, AfterAPowerCutAtEveryCallTheStoreIsSoundAndWhatWasAnnouncedIsThere) {
  std::uint64_t calls = 0;
  for (bool cut = true; cut && !HasFailure(); ++calls) {
    FakeFileSystem disk;
    static_cast<void>(Store(disk, clock_, "/store"));
    PowerCut files(disk, calls);
    std::vector<bool> announced(3);
    try {
      Store store(files, clock_, "/store");
      Actions actions(files, store, {"one", "two", "two"});
      const auto errors = store.put_each(actions.deposits());
      for (std::size_t i = 0; i < errors.size(); ++i) announced[i] = !errors[i];
    } catch (const Error& error) {
      EXPECT_TRUE(files.happened()) << error.message();
    }
    cut = files.happened();
    disk.crash(calls);
    Store store(disk, clock_, "/store");
    for (const Damage& damage : store.verify({}).damages)
      ADD_FAILURE() << damage.path << ": " << damage.what;
    for (std::size_t i = 0; i < announced.size(); ++i) {
      const auto record = store.find_record(sha256("key " + std::to_string(i)));
      EXPECT_TRUE(record || !announced[i]) << "announced, but lost after call " << calls;
      EXPECT_TRUE(!record || store.is_complete(*record)) << "a record without its blob";
    }
    store.remove_abandoned_scratch();
    Actions again(disk, store, {"one", "two", "two"});
    for (const auto& error : store.put_each(again.deposits())) EXPECT_FALSE(error);
  }
  EXPECT_GT(calls, 60u);
}

}  // namespace
}  // namespace qbuild::cache
