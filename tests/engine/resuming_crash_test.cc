// The power fails at every change that two actions of a rule that resumes make to the disk, the
// second of which copies from the first. Whatever was not flushed may be lost, or there in part:
// the store is sound afterwards, and the next run leaves the right bytes.

#include <gmock/gmock.h>

#include <atomic>

#include "base/error.h"
#include "base/fake_file_system.h"
#include "cache/index.h"
#include "engine/builder.h"
#include "tests/base/power_cut.h"
#include "tests/engine/piece_rule.h"

namespace qbuild::engine::testing {
namespace {

constexpr std::uint64_t kMaxChanges = 2000;

// The same wall time at each look; waits pass at once.
class StillClock final : public Clock {
 public:
  [[nodiscard]] std::int64_t unix_ns() override { return 1'700'003'600'000'000'000; }
  [[nodiscard]] std::int64_t monotonic_ns() override { return looks_.fetch_add(1) * 1'000'000'000; }

 private:
  std::atomic<std::int64_t> looks_{1};
};

class PieceRule final : public Rule {
 public:
  [[nodiscard]] const RuleTraits& traits() const override { return traits_; }
  [[nodiscard]] ActionResult run(const ActionRequest& request,
                                 ActionContext& context) const override {
    return make_of_pieces(request, context, [](std::size_t) {});
  }

 private:
  RuleTraits traits_{.name = "resuming", .version = "1", .resumes = true};
};

RunReport run(FileSystem& files) {
  StillClock clock;
  const auto processes = make_process_runner();
  const WaitFor no_wait = [](std::int64_t) {};
  RuleSet rules;
  rules.add(std::make_unique<PieceRule>());
  StatTable stats(files, clock, no_wait);
  cache::Store store(files, clock, "/store");
  cache::Index index(files, "", store);
  Graph graph;
  for (const auto& [target, texts] : std::map<std::string, std::vector<std::string>>{
           {"a", {"one", "two", "three"}}, {"b", {"two", "three", "four"}}}) {
    Node node;
    node.target = target;
    node.rule = "resuming";
    node.params = Json::object({{"pieces", piece_texts(texts)}});
    node.piece_scope = "0f";
    graph.add(std::move(node));
  }
  graph.finish();
  BuildOptions options;
  options.project = "/project";
  options.jobs = 1;
  options.tool_version = "qbuild test";
  Builder builder({.files = files,
                   .clock = clock,
                   .processes = *processes,
                   .store = store,
                   .index = &index,
                   .rules = rules,
                   .stats = stats,
                   .wait = no_wait},
                  options);
  const std::vector<NodeId> goals{NodeId{0}, NodeId{1}};
  const auto progress = make_null_progress();
  return builder.run(graph, goals, *progress, {});
}

enum class Disk { kKeepsAll, kLosesAll, kAnyOrder };

class PowerFailsWhileResuming : public ::testing::TestWithParam<Disk> {};

TEST_P(PowerFailsWhileResuming, AtEveryChangeTheStoreIsSoundAndTheNextRunIsRight) {
  std::uint64_t changes = 0;
  for (bool cut = true; cut && !HasFailure(); ++changes) {
    SCOPED_TRACE(changes);
    ASSERT_LT(changes, kMaxChanges);
    FakeFileSystem disk;
    PowerCut files(disk, changes, PowerCut::Counted::kChanges);
    try {
      static_cast<void>(run(files));
    } catch (const Error& error) {
      EXPECT_TRUE(files.happened()) << error.message();
    }
    cut = files.happened();
    if (GetParam() == Disk::kLosesAll) disk.crash();
    if (GetParam() == Disk::kAnyOrder) disk.crash(changes);
    StillClock clock;
    EXPECT_THAT(cache::Store(disk, clock, "/store").verify({}).damages, ::testing::IsEmpty());
    const RunReport again = run(disk);
    const std::vector<std::string> expected{"onetwothree", "twothreefour"};
    for (std::uint32_t i = 0; i < 2; ++i) {
      const NodeReport& node = again.nodes.at(NodeId{i});
      ASSERT_EQ(node.status, Status::kReady) << node.reason;
      EXPECT_EQ(disk.contents(node.paths[2].string()), expected[i]);
    }
    EXPECT_EQ(run(disk).counters.executed, 0u);
    for (const std::string& path : disk.files())
      EXPECT_FALSE(path.starts_with("/store/partial/")) << path;
  }
  EXPECT_GT(changes, 50u);
}

INSTANTIATE_TEST_SUITE_P(Disks, PowerFailsWhileResuming,
                         ::testing::Values(Disk::kKeepsAll, Disk::kLosesAll, Disk::kAnyOrder),
                         [](const auto& one) {
                           switch (one.param) {
                             case Disk::kKeepsAll:
                               return "ProcessKilled";
                             case Disk::kLosesAll:
                               return "UnflushedLost";
                             default:
                               return "UnflushedInAnyOrder";
                           }
                         });

}  // namespace
}  // namespace qbuild::engine::testing
