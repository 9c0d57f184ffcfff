#include "engine/state_file.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "base/fake_file_system.h"

namespace qbuild::engine {
namespace {

constexpr std::int64_t kNow = 1'700'000'000'123'456'789;
constexpr std::int64_t kSecond = 1'000'000'000;
const fs::path kPath = "/p/.qbuild/state";

class StateFileTest : public ::testing::Test {
 protected:
  StateFileTest() {
    files.put("/p/qbuild.yaml", "version: 1");
    files.put("/store/blob", "bytes");
    pass(kSecond);
  }

  void pass(std::int64_t ns) {
    files.advance_ns(ns);
    clock.advance_ns(ns);
  }
  [[nodiscard]] StateFile open() {
    return {files, clock, kPath, [this](std::int64_t ns) { pass(ns); }};
  }
  [[nodiscard]] Snapshot snapshot() {
    return {.fingerprint = "build",
            .witnesses = {observe(files, Witness::What::kFile, "/p/qbuild.yaml"),
                          observe(files, Witness::What::kContent, "/store/blob"),
                          observe(files, Witness::What::kFile, "/p/absent")},
            .exit_code = 3,
            .text = "held: a gate"};
  }
  void save_snapshot() {
    StateFile state = open();
    ASSERT_TRUE(state.remember(snapshot()));
    ASSERT_EQ(state.save(table), "");
  }
  [[nodiscard]] bool is_unchanged() { return open().check_unchanged("build").has_value(); }
  void edit(const fs::path& path, std::string_view text) {
    auto file = files.create(path, CreateMode::kTruncate);
    file->append(as_bytes(text));
    file->close();
  }

  FakeFileSystem files{kNow};
  FakeClock clock{kNow};
  StatTable table{files, clock, [this](std::int64_t ns) { pass(ns); }};
};

TEST_F(StateFileTest, RepeatsWhatWasSaidWhenNothingChanged) {
  save_snapshot();
  const auto unchanged = open().check_unchanged("build");
  ASSERT_TRUE(unchanged.has_value());
  EXPECT_EQ(unchanged->exit_code, 3);
  EXPECT_EQ(unchanged->text, "held: a gate");
  EXPECT_EQ(unchanged->witnesses, 3u);
}

TEST_F(StateFileTest, CostsOneStatPerWitnessAndNothingElse) {
  save_snapshot();
  StateFile state = open();
  using Call = FakeFileSystem::Call;
  const std::uint64_t stats = files.count(Call::kStat);
  const std::uint64_t opens = files.count(Call::kOpen);
  const std::uint64_t lists = files.count(Call::kList);
  const std::uint64_t writes = files.count(Call::kWrite) + files.count(Call::kCreate);
  EXPECT_TRUE(state.check_unchanged("build").has_value());
  EXPECT_EQ(files.count(Call::kStat) - stats, 3u);
  EXPECT_EQ(files.count(Call::kOpen), opens);
  EXPECT_EQ(files.count(Call::kList), lists);
  EXPECT_EQ(files.count(Call::kWrite) + files.count(Call::kCreate), writes);
}

TEST_F(StateFileTest, NoticesEditsRemovalsAndNewFiles) {
  save_snapshot();
  pass(kSecond);
  edit("/p/qbuild.yaml", "version: 2");
  EXPECT_FALSE(is_unchanged());
  save_snapshot();
  EXPECT_TRUE(is_unchanged());
  files.remove("/store/blob");
  EXPECT_FALSE(is_unchanged());
  files.put("/store/blob", "bytes");
  pass(kSecond);
  save_snapshot();
  files.put("/p/absent", "");
  EXPECT_FALSE(is_unchanged());
}

TEST_F(StateFileTest, NoticesAnEditOfTheSameSizeInTheSameTick) {
  edit("/p/qbuild.yaml", "version: 1");
  save_snapshot();  // waits until the tick of the edit is over
  edit("/p/qbuild.yaml", "version: 9");
  EXPECT_FALSE(is_unchanged());
}

TEST_F(StateFileTest, AFileOnACoarseClockIsNotTrusted) {
  FakeFileSystem coarse(1'700'000'000 * kSecond);
  FakeClock coarse_clock(1'700'000'000 * kSecond);
  coarse.put("/f", "x");
  StateFile state(coarse, coarse_clock, kPath, [&](std::int64_t ns) {
    coarse.advance_ns(ns);
    coarse_clock.advance_ns(ns);
  });
  EXPECT_FALSE(state.remember({.fingerprint = "build",
                               .witnesses = {observe(coarse, Witness::What::kFile, "/f")},
                               .text = ""}));
}

TEST_F(StateFileTest, AStateFromTheFutureHoldsUntilSomethingIsEdited) {
  save_snapshot();
  pass(-3600 * kSecond);  // the clock was an hour ahead, and is set right
  EXPECT_TRUE(is_unchanged());
  edit("/p/qbuild.yaml", "version: 2");  // the same size, an hour before what was remembered
  EXPECT_FALSE(is_unchanged());
}

TEST_F(StateFileTest, OfFilesFromTheFutureNothingIsRememberedUntilTheClockHasPassedThem) {
  pass(-3600 * kSecond);
  StateFile state = open();
  EXPECT_FALSE(state.remember(snapshot()));
  pass(3601 * kSecond);
  EXPECT_TRUE(state.remember(snapshot()));
}

TEST_F(StateFileTest, RefusesASnapshotOfWhatChangedMeanwhile) {
  Snapshot taken = snapshot();
  pass(kSecond);
  edit("/p/qbuild.yaml", "version: 2");
  StateFile state = open();
  EXPECT_FALSE(state.remember(taken));
}

TEST_F(StateFileTest, RefusesAWitnessThatIsNotSettled) {
  Snapshot taken = snapshot();
  taken.witnesses[0].settled = false;
  EXPECT_FALSE(open().remember(taken));
}

TEST_F(StateFileTest, AnotherRequestIsNotAnswered) {
  save_snapshot();
  EXPECT_FALSE(open().check_unchanged("publish").has_value());
}

TEST_F(StateFileTest, KeepsTheNewestRequests) {
  StateFile state = open();
  for (std::size_t i = 0; i < kMaxSnapshots + 1; ++i) {
    Snapshot one = snapshot();
    one.fingerprint = "request " + std::to_string(i);
    ASSERT_TRUE(state.remember(one));
  }
  EXPECT_FALSE(state.check_unchanged("request 0").has_value());
  EXPECT_TRUE(state.check_unchanged("request 1").has_value());
}

TEST_F(StateFileTest, EveryTruncationAndEveryFlippedByteIsIgnored) {
  save_snapshot();
  const std::string whole = files.contents(kPath);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    edit(kPath, whole.substr(0, size));
    EXPECT_FALSE(is_unchanged()) << size;
  }
  for (std::size_t i = 0; i < whole.size(); ++i) {
    std::string damaged = whole;
    damaged[i] = static_cast<char>(damaged[i] ^ 0x20);
    edit(kPath, damaged);
    EXPECT_FALSE(is_unchanged()) << i;
  }
  edit(kPath, whole);
  EXPECT_TRUE(is_unchanged());
}

TEST_F(StateFileTest, AnotherVersionIsIgnored) {
  save_snapshot();
  std::string other = files.contents(kPath);
  other[other.find(' ') + 1] = '2';
  edit(kPath, other);
  EXPECT_FALSE(is_unchanged());
}

TEST_F(StateFileTest, KeepsTheStatTable) {
  static_cast<void>(table.digest_file("/p/qbuild.yaml"));
  StateFile state = open();
  ASSERT_EQ(state.save(table), "");
  StatTable again(files, clock);
  open().load_table(again);
  static_cast<void>(again.digest_file("/p/qbuild.yaml"));
  EXPECT_EQ(again.bytes_hashed(), 0u);
}

TEST_F(StateFileTest, WritesNothingWhenNothingIsNew) {
  save_snapshot();
  const std::uint64_t creates = files.count(FakeFileSystem::Call::kCreate);
  StateFile state = open();
  EXPECT_EQ(state.save(table), "");
  EXPECT_EQ(files.count(FakeFileSystem::Call::kCreate), creates);
}

TEST_F(StateFileTest, FailureToWriteIsAWarning) {
  StateFile state = open();
  ASSERT_TRUE(state.remember(snapshot()));
  files.fail(FakeFileSystem::Call::kCreate, 1, EACCES);
  const std::string warning = state.save(table);
  EXPECT_EQ(warning.find("the next run will look at everything again: "), 0u) << warning;
}

TEST(RequestFingerprint, PartsDoNotRunTogether) {
  EXPECT_NE(request_fingerprint({"ab", "c"}), request_fingerprint({"a", "bc"}));
  EXPECT_NE(request_fingerprint({}), request_fingerprint({""}));
}

}  // namespace
}  // namespace qbuild::engine
