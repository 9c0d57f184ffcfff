// The store on a disk that loses what was not flushed, fills up, or fails any call.

#include <cerrno>
#include <utility>

#include "base/fake_file_system.h"
#include "tests/base/power_cut.h"
#include "tests/cache/support.h"

namespace qbuild::cache {
namespace {

using testing::HasSubstr;

// More calls than any one operation below makes; reaching it means that a loop did not end.
constexpr std::uint64_t kMaxCalls = 400;

// One action's journey through the store: stage a file, adopt it, put its record.
Record journey(FileSystem& files, Clock& clock, const std::string& bytes) {
  Store store(files, clock, "/store");
  Record record = record_of("key of " + bytes, {{"model.gguf", bytes}});
  const Scratch scratch = store.make_scratch();
  const fs::path staged = scratch.path() / "out";
  const auto file = files.create(staged, CreateMode::kExclusive);
  file->append(as_bytes(bytes));
  file->close();
  store.adopt(staged, sha256(bytes), bytes.size());
  store.put_record(record);
  return record;
}

void expect_sound(FakeFileSystem& disk, Clock& clock) {
  Store store(disk, clock, "/store");
  const VerifyReport report = store.verify({});
  for (const Damage& damage : report.damages) ADD_FAILURE() << damage.path << ": " << damage.what;
  for (const Digest& key : store.record_keys())
    EXPECT_TRUE(store.is_complete(*store.find_record(key))) << "a record without its blob";
}

TEST(StoreCrash, IsSoundAfterAPowerCutAtEveryCall) {
  FakeClock clock(1'700'000'000'000'000'000);
  std::uint64_t calls = 0;
  for (bool cut = true; cut; ++calls) {
    ASSERT_LT(calls, kMaxCalls);
    FakeFileSystem disk;
    PowerCut files(disk, calls);
    const std::optional<Error> error = error_of([&] { journey(files, clock, "content"); });
    cut = files.happened();
    if (error) {
      EXPECT_TRUE(cut) << error->message();
    }
    disk.crash();
    expect_sound(disk, clock);
    if (!error) {
      EXPECT_TRUE(Store(disk, clock, "/store").find_record(sha256("key of content")))
          << "announced, but lost after call " << calls;
    }
    // What the crash left behind hinders nobody.
    Store(disk, clock, "/store").remove_abandoned_scratch();
    EXPECT_EQ(Store(disk, clock, "/store").stats().scratch_bytes, 0u);
    journey(disk, clock, "content");
    expect_sound(disk, clock);
  }
  EXPECT_GT(calls, 30u);
}

TEST(StoreCrash, WhatWasAnnouncedSurvives) {
  FakeClock clock(1'700'000'000'000'000'000);
  FakeFileSystem disk;
  const Record record = journey(disk, clock, "content");
  disk.crash();
  Store store(disk, clock, "/store");
  ASSERT_TRUE(store.find_record(record.key));
  EXPECT_TRUE(store.verify_blob(sha256("content"), 7));
}

TEST(StoreCrash, MaterializingLeavesTheOldFileOrTheNewOne) {
  FakeClock clock(1'700'000'000'000'000'000);
  for (const auto& [can_clone, can_link] : {std::pair{true, true}, {false, true}, {false, false}}) {
    bool cut = true;
    for (std::uint64_t calls = 0; cut; ++calls) {
      ASSERT_LT(calls, kMaxCalls);
      FakeFileSystem disk;
      disk.set_can_clone(can_clone);
      disk.set_can_hard_link(can_link);
      journey(disk, clock, "content");
      disk.put("/out/model.gguf", "the old file");
      PowerCut files(disk, calls);
      error_of([&] {
        Store(files, clock, "/store").materialize(sha256("content"), 7, "/out/model.gguf");
      });
      cut = files.happened();
      disk.crash();
      EXPECT_THAT(disk.contents("/out/model.gguf"), testing::AnyOf("the old file", "content"));
      if (!cut) {
        EXPECT_EQ(disk.contents("/out/model.gguf"), "content");
      }
    }
  }
}

TEST(StoreCrash, EveryFailingCallLeavesTheStoreSoundAndUsable) {
  using Call = FakeFileSystem::Call;
  FakeClock clock(1'700'000'000'000'000'000);
  for (const Call call :
       {Call::kStat, Call::kOpen, Call::kRead, Call::kCreate, Call::kWrite, Call::kFlush,
        Call::kClose, Call::kRename, Call::kRemove, Call::kCreateDirectories, Call::kList,
        Call::kFlushDirectory, Call::kSetMode, Call::kLock}) {
    for (std::uint64_t nth = 1; nth < kMaxCalls; ++nth) {
      FakeFileSystem disk;
      journey(disk, clock, "earlier");
      const std::uint64_t before = disk.count(call);
      disk.fail(call, nth, EIO);
      error_of([&] { journey(disk, clock, "content"); });
      if (disk.count(call) - before < nth) break;
      expect_sound(disk, clock);
      journey(disk, clock, "content");
    }
  }
}

TEST(StoreCrash, AFullDiskNamesThePlaceAndTheBytesAndLeavesNothingPartial) {
  FakeClock clock(1'700'000'000'000'000'000);
  FakeFileSystem disk;
  Store store(disk, clock, "/store");
  const Record record = record_of("key", {});
  const std::size_t size = serialize(record).size();
  disk.fail(FakeFileSystem::Call::kWrite, 1, ENOSPC);
  const std::optional<Error> error = error_of([&] { store.put_record(record); });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->kind(), ErrorKind::kExhausted);
  EXPECT_THAT(
      error->message(),
      testing::StartsWith("store /store ($QBUILD_STORE or --store names another folder): record " +
                          record.key.hex() + " (" + std::to_string(size) + " bytes): "));
  EXPECT_THAT(error->message(), HasSubstr("no space left on the disk"));
  EXPECT_EQ(store.stats().records, 0u);
  EXPECT_EQ(store.stats().scratch_bytes, 0u);
}

TEST(StoreCrash, AFullDiskStopsACopyBeforeItsFirstByte) {
  FakeClock clock(1'700'000'000'000'000'000);
  FakeFileSystem disk;
  disk.set_can_clone(false);
  disk.set_can_hard_link(false);
  journey(disk, clock, "content");
  disk.set_free_bytes(6);
  const std::uint64_t writes = disk.count(FakeFileSystem::Call::kWrite);
  const std::optional<Error> error = error_of(
      [&] { Store(disk, clock, "/store").materialize(sha256("content"), 7, "/out/model.gguf"); });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->kind(), ErrorKind::kExhausted);
  EXPECT_THAT(error->message(), HasSubstr("it needs 7 bytes, 6 are free"));
  EXPECT_EQ(disk.count(FakeFileSystem::Call::kWrite), writes);
  EXPECT_FALSE(disk.stat("/out/model.gguf"));
}

TEST(StoreCrash, AStoreThatCannotBeMadeNamesTheWayOut) {
  FakeClock clock(1'700'000'000'000'000'000);
  FakeFileSystem disk;
  disk.fail(FakeFileSystem::Call::kCreateDirectories, 1, EACCES);
  const std::optional<Error> error = error_of([&] { Store(disk, clock, "/store"); });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->kind(), ErrorKind::kDenied);
  EXPECT_THAT(error->message(),
              HasSubstr("store /store ($QBUILD_STORE or --store names another folder): "));
  EXPECT_THAT(error->message(), HasSubstr("permission denied"));
}

TEST(StoreCrash, AReadOnlyStoreCanBeReadAndTreatsDamageAsAbsent) {
  FakeClock clock(1'700'000'000'000'000'000);
  FakeFileSystem disk;
  const Record record = journey(disk, clock, "content");
  Store store(disk, clock, "/store");
  disk.put(store.record_path(sha256("broken")), "garbage");
  const std::uint64_t writes = disk.count(FakeFileSystem::Call::kWrite);
  disk.fail(FakeFileSystem::Call::kRename, 1, EROFS);
  EXPECT_FALSE(store.find_record(sha256("broken")));
  EXPECT_TRUE(store.find_record(record.key));
  EXPECT_EQ(disk.count(FakeFileSystem::Call::kWrite), writes);
}

TEST(StoreCrash, ACopyIsHashedAndADamagedBlobIsSetAside) {
  FakeClock clock(1'700'000'000'000'000'000);
  FakeFileSystem disk;
  disk.set_can_clone(false);
  disk.set_can_hard_link(false);
  journey(disk, clock, "content");
  Store store(disk, clock, "/store");
  disk.put(store.blob_path(sha256("content")), "CONTENT");
  const std::optional<Error> error =
      error_of([&] { store.materialize(sha256("content"), 7, "/out/model.gguf"); });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->kind(), ErrorKind::kCorrupt);
  EXPECT_FALSE(store.has_blob(sha256("content"), 7));
  EXPECT_FALSE(disk.stat("/out/model.gguf"));
  EXPECT_EQ(disk.list("/out").size(), 0u);
}

TEST(StoreCrash, PrefersACloneToALinkToACopy) {
  FakeClock clock(1'700'000'000'000'000'000);
  FakeFileSystem disk;
  journey(disk, clock, "content");
  Store store(disk, clock, "/store");
  EXPECT_EQ(store.materialize(sha256("content"), 7, "/out/a"), Materialized::kClone);
  disk.set_can_clone(false);
  EXPECT_EQ(store.materialize(sha256("content"), 7, "/out/b"), Materialized::kHardLink);
  EXPECT_EQ(store.materialize(sha256("content"), 7, "/out/b"), Materialized::kAlreadyThere);
  disk.set_can_hard_link(false);
  EXPECT_EQ(store.materialize(sha256("content"), 7, "/out/c"), Materialized::kCopy);
}

}  // namespace
}  // namespace qbuild::cache
