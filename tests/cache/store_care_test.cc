#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "base/fake_file_system.h"
#include "tests/cache/support.h"

namespace qbuild::cache {
namespace {

using testing::HasSubstr;

TEST_F(StoreTest, CountsWhatIsThere) {
  put_blob("four");
  put_blob("fiver");
  store_.put_record(record_of("key", {{"a", "four"}}));
  const Scratch scratch = store_.make_scratch();
  write_text(scratch.path() / "deep/file", "123");
  const StoreStats stats = store_.stats();
  EXPECT_EQ(stats.blobs, 2u);
  EXPECT_EQ(stats.blob_bytes, 9u);
  EXPECT_EQ(stats.records, 1u);
  EXPECT_EQ(stats.record_bytes, fs::file_size(store_.record_path(sha256("key"))));
  EXPECT_EQ(stats.scratch_bytes, 3u);
  EXPECT_EQ(stats.damaged_bytes, 0u);
}

TEST_F(StoreTest, VerifyHashesEverythingAndReportsProgress) {
  put_blob("four");
  put_blob("fiver");
  store_.put_record(record_of("key", {{"a", "four"}}));
  std::uint64_t last = 0;
  const VerifyReport report = store_.verify([&](std::uint64_t done) { last = done; });
  EXPECT_EQ(report.blobs_checked, 2u);
  EXPECT_EQ(report.records_checked, 1u);
  EXPECT_EQ(report.bytes_hashed, 9 + fs::file_size(store_.record_path(sha256("key"))));
  EXPECT_EQ(last, 9u);
  EXPECT_TRUE(report.damages.empty());
}

TEST_F(StoreTest, VerifySetsEveryDamageAsideOnce) {
  const Digest blob = put_blob("content");
  vandalize(store_.blob_path(blob), "CONTENT");
  store_.put_record(record_of("key", {}));
  vandalize(store_.record_path(sha256("key")), "garbage");
  write_text(store_.root() / "blobs/zz/stranger", "x");
  write_text(store_.root() / "blobs/loose", "x");
  const std::string hex = sha256("misplaced").hex();
  write_text(store_.root() / "blobs/zz" / hex, "misplaced");
  const VerifyReport report = store_.verify({});
  ASSERT_EQ(report.damages.size(), 5u);
  for (const Damage& damage : report.damages) EXPECT_FALSE(fs::exists(damage.path)) << damage.path;
  EXPECT_TRUE(std::is_sorted(report.damages.begin(), report.damages.end(),
                             [](const Damage& a, const Damage& b) { return a.path < b.path; }));
  EXPECT_TRUE(store_.verify({}).damages.empty());
  EXPECT_EQ(files_->list(store_.root() / "damaged").size(), 5u);
}

TEST_F(StoreTest, VerifyNamesBothDigests) {
  const Digest blob = put_blob("content");
  vandalize(store_.blob_path(blob), "CONTENT");
  const VerifyReport report = store_.verify({});
  ASSERT_EQ(report.damages.size(), 1u);
  EXPECT_EQ(report.damages[0].path, store_.blob_path(blob));
  EXPECT_EQ(report.damages[0].what,
            "content has digest " + sha256("CONTENT").hex() + ", its name says " + blob.hex());
}

// A disk error at one file says nothing of the others.
TEST(StoreCare, VerifyGoesOnAfterAFileThatCannotBeRead) {
  using Call = FakeFileSystem::Call;
  FakeFileSystem disk;
  FakeClock clock(1'700'000'000'000'000'000);
  Store store(disk, clock, "/store");
  for (const char* bytes : {"one", "two", "three"}) {
    const Scratch scratch = store.make_scratch();
    disk.put(scratch.path() / "out", bytes);
    store.adopt(scratch.path() / "out", sha256(bytes), std::string_view(bytes).size());
  }
  store.put_record(record_of("key", {{"a", "one"}}));
  for (const auto& [call, nth] : {std::pair{Call::kOpen, 1}, {Call::kRead, 1}, {Call::kOpen, 4}}) {
    disk.fail(call, static_cast<std::uint64_t>(nth), EIO);
    const VerifyReport report = store.verify({});
    EXPECT_EQ(report.blobs_checked, 3u);
    EXPECT_EQ(report.records_checked, 1u);
    ASSERT_EQ(report.damages.size(), 1u);
    EXPECT_THAT(report.damages[0].what, HasSubstr(report.damages[0].path.string()));
    EXPECT_TRUE(disk.stat(report.damages[0].path)) << "it stays where it was";
  }
  disk.fail(Call::kOpen, 2, ENOENT);
  EXPECT_TRUE(store.verify({}).damages.empty()) << "removed by somebody else meanwhile";
}

TEST_F(StoreTest, VerifyChecksInlineContent) {
  Record record = record_of("key", {{"README.md", "abc"}});
  record.inline_files = {{"README.md", "abd"}};
  store_.put_record(record);
  const VerifyReport report = store_.verify({});
  ASSERT_EQ(report.damages.size(), 1u);
  EXPECT_THAT(report.damages[0].what, HasSubstr("inline file \"README.md\" has digest"));
}

TEST_F(StoreTest, AnEmptyStoreVerifiesClean) {
  fs::remove_all(store_.root() / "blobs");
  const VerifyReport report = store_.verify({});
  EXPECT_EQ(report.blobs_checked, 0u);
  EXPECT_TRUE(report.damages.empty());
}

TEST_F(StoreTest, ListsTheKeysOfItsRecords) {
  store_.put_record(record_of("a", {}));
  store_.put_record(record_of("b", {}));
  EXPECT_THAT(store_.record_keys(), testing::UnorderedElementsAre(sha256("a"), sha256("b")));
}

// The owner is another process that ends without any destructor, as after kill -9.
TEST_F(StoreTest, RemovesTheScratchOfAProcessThatDied) {
  const Scratch ours = store_.make_scratch();
  const pid_t child = ::fork();
  if (child == 0) {
    Scratch scratch = store_.make_scratch();
    write_text(scratch.path() / "half", "half a file");
    ::_exit(0);
  }
  ASSERT_GT(child, 0);
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(store_.stats().scratch_bytes, 11u);
  store_.remove_abandoned_scratch();
  EXPECT_EQ(store_.stats().scratch_bytes, 0u);
  EXPECT_TRUE(fs::is_directory(ours.path()));
}

}  // namespace
}  // namespace qbuild::cache
