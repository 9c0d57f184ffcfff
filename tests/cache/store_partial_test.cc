#include "tests/cache/support.h"

namespace qbuild::cache {
namespace {

const Digest kKey = sha256("key");

class StorePartial : public StoreTest {
 protected:
  // What an attempt that was killed leaves.
  fs::path leave(const Digest& key) {
    const std::unique_ptr<FileLock> lock = store_.lock_key(key, LockWait::kBlock);
    const Scratch scratch = store_.open_partial(key);
    write_text(scratch.path() / "model.gguf", "half");
    return scratch.path();
  }
  void make_old(const fs::path& path, std::chrono::hours age) {
    fs::last_write_time(path, fs::file_time_type::clock::now() - age);
  }
  // The store as of now, whose clock is the real one.
  std::unique_ptr<Clock> system_clock_ = make_system_clock();
  Store real_{*files_, *system_clock_, folder_.path() / "store"};
};

TEST_F(StorePartial, StaysWithItsContentForTheNextAttempt) {
  const fs::path path = leave(kKey);
  EXPECT_EQ(path, store_.root() / "partial" / kKey.hex());
  const Scratch again = store_.open_partial(kKey);
  EXPECT_EQ(again.path(), path);
  EXPECT_EQ(read_text(path / "model.gguf"), "half");
}

TEST_F(StorePartial, IsGoneWithItsContentWhenItIsToldTo) {
  const fs::path path = leave(kKey);
  {
    Scratch again = store_.open_partial(kKey);
    again.set_at_end(AtEnd::kRemove);
    const Scratch moved = std::move(again);
  }
  EXPECT_FALSE(fs::exists(path));
}

TEST_F(StorePartial, IsRemovedUnlessSomebodyIsAtWork) {
  const fs::path path = leave(kKey);
  {
    const std::unique_ptr<FileLock> lock = store_.lock_key(kKey, LockWait::kTry);
    EXPECT_FALSE(store_.remove_partial(kKey));
    EXPECT_TRUE(fs::exists(path));
  }
  EXPECT_TRUE(store_.remove_partial(kKey));
  EXPECT_FALSE(fs::exists(path));
  EXPECT_FALSE(store_.remove_partial(kKey));
}

TEST_F(StorePartial, IsCountedAndNoDamage) {
  leave(kKey);
  EXPECT_EQ(store_.stats().scratch_bytes, 4u);
  EXPECT_TRUE(store_.verify({}).damages.empty());
}

TEST_F(StorePartial, OfTodayStaysWhenAnEngineStarts) {
  const fs::path path = leave(kKey);
  real_.remove_abandoned_scratch();
  EXPECT_TRUE(fs::exists(path / "model.gguf"));
}

TEST_F(StorePartial, ThatNobodyTouchedForTwoWeeksIsRemoved) {
  const fs::path path = leave(kKey);
  make_old(path / "model.gguf", std::chrono::hours(15 * 24));
  real_.remove_abandoned_scratch();
  EXPECT_TRUE(fs::exists(path)) << "the folder itself is young";
  make_old(path, std::chrono::hours(15 * 24));
  {
    const std::unique_ptr<FileLock> lock = store_.lock_key(kKey, LockWait::kTry);
    real_.remove_abandoned_scratch();
    EXPECT_TRUE(fs::exists(path)) << "somebody is at work";
  }
  real_.remove_abandoned_scratch();
  EXPECT_FALSE(fs::exists(path));
}

TEST_F(StorePartial, OfAnOldFolderWithAYoungFileStays) {
  const fs::path path = leave(kKey);
  make_old(path, std::chrono::hours(15 * 24));
  real_.remove_abandoned_scratch();
  EXPECT_TRUE(fs::exists(path));
}

TEST_F(StorePartial, OfAnActionThatHasItsRecordIsRemoved) {
  const fs::path done = leave(sha256("done"));
  const fs::path open = leave(sha256("open"));
  store_.put_record(record_of("done", {}));
  real_.remove_abandoned_scratch();
  EXPECT_FALSE(fs::exists(done));
  EXPECT_TRUE(fs::exists(open));
}

TEST_F(StorePartial, StrangersInItsFolderAreLeftAlone) {
  write_text(store_.root() / "partial/note.txt", "mine");
  make_old(store_.root() / "partial/note.txt", std::chrono::hours(15 * 24));
  real_.remove_abandoned_scratch();
  EXPECT_TRUE(fs::exists(store_.root() / "partial/note.txt"));
}

}  // namespace
}  // namespace qbuild::cache
