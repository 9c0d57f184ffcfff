// The index may be lost: deleted, cut short and garbled at random, before it is opened and while it
// is used, it costs at most a warning, and a run later all is well again.

#include <random>

#include "cache/index.h"
#include "tests/cache/support.h"

namespace qbuild::cache {
namespace {

using testing::Each;
using testing::IsEmpty;
using testing::SizeIs;
using testing::StartsWith;

constexpr int kSeeds = 40;
constexpr std::size_t kGarbledBytes = 300;
constexpr std::size_t kLastBytes = 3 * 4096;

class IndexDamageTest : public StoreTest {
 protected:
  [[nodiscard]] fs::path path() const { return folder_.path() / "state/qbuild/index.db"; }

  // What an engine does with it in a run. The answers do not matter, as long as they come.
  static void use(Index& index, int step) {
    const std::string name = std::to_string(step % 50);
    index.note_run({.rule = "quantize",
                    .history_key = name,
                    .outcome = "ok",
                    .started_unix_ns = step,
                    .seconds = 1.0 + step,
                    .peak_memory_bytes = 7});
    index.note_use(sha256(name), step);
    index.note_blob(sha256(name), {.size_bytes = 1, .inode = 2, .mtime_ns = step});
    const std::optional<double> expected = index.expected_seconds("quantize", name);
    EXPECT_TRUE(!expected || (*expected >= 0 && *expected <= 1e9)) << *expected;
    EXPECT_LE(index.newest_runs("", 5).size(), 5U);
    (void)index.last_use(sha256(name));
    (void)index.find_blob(sha256(name));
  }

  // One of the files is deleted, cut, overwritten here and there or made up.
  void damage(std::mt19937_64& luck) const {
    const std::vector<std::string> names{"", "", "", "-journal", ".lock"};
    const fs::path file = path().string() + names[luck() % names.size()];
    const auto garbage = [&](std::size_t size) {
      std::string bytes(size, '\0');
      for (char& byte : bytes) byte = static_cast<char>(luck());
      return bytes;
    };
    std::error_code absent;
    const std::uint64_t size = fs::file_size(file, absent);
    switch (absent || size == 0 ? 3 : luck() % 4) {
      case 0:
        fs::remove(file);
        break;
      case 1:
        fs::resize_file(file, luck() % size);
        break;
      case 2: {
        // In place: it may be open.
        std::fstream stream(file, std::ios::binary | std::ios::in | std::ios::out);
        for (int i = 0; i < 6; ++i) {
          stream.seekp(static_cast<std::streamoff>(luck() % size));
          stream << garbage(1 + luck() % kGarbledBytes);
        }
        break;
      }
      default:
        std::ofstream(file, std::ios::binary) << garbage(luck() % 9000);
    }
  }

  void expect_well_again() {
    { const Index healing(*files_, path(), store_); }
    Index index(*files_, path(), store_);
    use(index, 1);
    EXPECT_THAT(index.warnings(), IsEmpty());
    EXPECT_EQ(index.last_use(sha256("1")).has_value(), true);
  }
};

TEST_F(IndexDamageTest, BetweenRunsItCostsAtMostAWarning) {
  store_.put_record(record_of("key", {}));
  for (int seed = 0; seed < kSeeds; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937_64 luck(static_cast<std::uint64_t>(seed));
    {
      Index index(*files_, path(), store_);
      for (int step = 0; step < 20; ++step) use(index, step);
    }
    damage(luck);
    Index index(*files_, path(), store_);
    for (int step = 0; step < 20; ++step) use(index, step);
    EXPECT_THAT(index.warnings(), Each(StartsWith("index " + path().string() + ": ")));
    EXPECT_LE(index.warnings().size(), 2U);
  }
  expect_well_again();
}

TEST_F(IndexDamageTest, DuringARunItCostsAtMostOneWarningAndTheNextRunsAreWell) {
  for (int seed = 0; seed < kSeeds; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937_64 luck(static_cast<std::uint64_t>(seed));
    {
      Index index(*files_, path(), store_);
      Index other(*files_, path(), store_);  // of another engine
      const std::size_t before = index.warnings().size();
      for (int step = 0; step < 30; ++step) {
        if (step == 10 || step == 20) damage(luck);
        use(index, step);
        use(other, step + 1);
      }
      EXPECT_LE(index.warnings().size(), before + 1);
    }
    expect_well_again();
  }
}

TEST_F(IndexDamageTest, WhatIsFoundDamagedInUseIsMovedAsideForTheNextRun) {
  {
    Index before(*files_, path(), store_);
    for (int step = 0; step < 400; ++step) use(before, step);
  }
  {
    // The last pages: it still opens.
    const std::uint64_t size = fs::file_size(path());
    std::fstream stream(path(), std::ios::binary | std::ios::in | std::ios::out);
    stream.seekp(static_cast<std::streamoff>(size - kLastBytes));
    stream << std::string(kLastBytes, 'x');
  }
  Index index(*files_, path(), store_);
  ASSERT_THAT(index.warnings(), IsEmpty());
  for (int step = 0; step < 400 && index.warnings().empty(); ++step) use(index, step);
  EXPECT_THAT(index.warnings(),
              testing::ElementsAre("index " + path().string() +
                                   ": database disk image is malformed; this run goes on without "
                                   "it; moved to " +
                                   path().string() + ".aside, the next one makes it again"));
  EXPECT_FALSE(fs::exists(path()));
  Index next(*files_, path(), store_);
  use(next, 1);
  EXPECT_THAT(next.warnings(), SizeIs(0));
}

}  // namespace
}  // namespace qbuild::cache
