#include "engine/finisher.h"

#include <gtest/gtest.h>

#include <chrono>

#include "cache/index.h"
#include "tests/engine/fake_build.h"

namespace qbuild::engine::testing {
namespace {

// What becomes of a rule that returns this.
std::string failure_of(const Behaviour& behaviour) {
  FakeBuild build;
  const NodeId a = build.action("a", "a");
  build.behaviours["a"] = behaviour;
  const RunReport report = build.run();
  return report.nodes.at(a).failure ? report.nodes.at(a).failure->message : "";
}

TEST(Finisher, RefusesAResultOfNothing) {
  EXPECT_EQ(failure_of([](auto&, auto&) { return ActionResult(); }),
            "it made nothing, and nothing is no output");
}

TEST(Finisher, RefusesNamesThatLeaveTheArtifact) {
  for (const char* name : {"../out", "/etc/passwd", "", "a//b"}) {
    EXPECT_EQ(failure_of([name](const ActionRequest& request, auto&) {
                ActionResult result;
                result.files.push_back(produce(request, "out", "x"));
                result.files[0].name = name;
                return result;
              }),
              "it made a file with an unusable name: \"" + std::string(name) + "\"");
  }
}

TEST(Finisher, RefusesTwoFilesOfOneName) {
  EXPECT_EQ(failure_of([](const ActionRequest& request, auto&) {
              ActionResult result;
              result.files.push_back(produce(request, "out", "x"));
              result.inline_files["out"] = "y";
              return result;
            }),
            "it made two files named out");
}

TEST(Finisher, RefusesFilesOutsideOfScratchAndOfAnotherSize) {
  EXPECT_EQ(failure_of([](auto&, auto&) {
              ActionResult result;
              result.files.push_back({"out", "/etc/hostname", sha256("x"), 1});
              return result;
            }),
            "it left /etc/hostname outside of its scratch folder");
  EXPECT_EQ(failure_of([](const ActionRequest& request, auto&) {
              ActionResult result;
              result.files.push_back(produce(request, "out", "x"));
              result.files[0].size_bytes = 2;
              return result;
            }),
            "out is not the file of 2 bytes that it said it made");
}

TEST(Finisher, RefusesAContentThatIsNotTheOneThatWasSaid) {
  EXPECT_EQ(failure_of([](const ActionRequest& request, auto&) {
              ActionResult result;
              result.files.push_back(produce(request, "out", "x"));
              result.files[0].sha256 = sha256("y");
              return result;
            }),
            "out does not hold what it said it made: its SHA-256 is " + sha256("x").hex() +
                ", not " + sha256("y").hex());
}

TEST(Finisher, RefusesALinkOutOfScratch) {
  EXPECT_NE(failure_of([](const ActionRequest& request, auto&) {
              write_text(request.scratch / "../x", "x");
              fs::create_symlink("../x", request.scratch / "out");
              ActionResult result;
              result.files.push_back({"out", request.scratch / "out", sha256("x"), 1});
              return result;
            }).find("/out outside of its scratch folder"),
            std::string::npos);
}

TEST(Finisher, LargeInlineFileBecomesABlob) {
  FakeBuild build;
  const NodeId a = build.action("a", "a");
  build.behaviours["a"] = [](auto&, auto&) {
    ActionResult result;
    result.inline_files["big"] = std::string(cache::kMaxInlineBytes + 1, 'x');
    result.inline_files["small"] = "s";
    return result;
  };
  const NodeReport report = build.run().nodes.at(a);
  ASSERT_EQ(report.paths.size(), 2u);
  EXPECT_EQ(report.inline_files.size(), 1u);
  EXPECT_EQ(fs::file_size(report.paths[0]), cache::kMaxInlineBytes + 1);
  EXPECT_TRUE(report.paths[1].empty());
}

TEST(Finisher, FreshCopyTakesThePlaceOfADamagedBlob) {
  FakeBuild build;
  cache::Index index(*build.files, build.folder.path() / "index.db", build.store);
  build.index = &index;
  const NodeId a = build.action("a", "content");
  const NodeReport first = build.run().nodes.at(a);
  const fs::path blob = first.paths.at(0);
  fs::permissions(blob, fs::perms::owner_write, fs::perm_options::add);
  write_text(blob, "CONTENT");
  fs::last_write_time(blob, fs::file_time_type::clock::now() + std::chrono::seconds(10));
  fs::remove(build.store.record_path(*Digest::from_hex(first.key_hex)));
  const RunReport report = build.run();
  EXPECT_EQ(report.counters.executed, 1u);
  EXPECT_EQ(read_text(blob), "content");
  EXPECT_EQ(build.files->list(build.store.root() / "damaged").size(), 1u);
  EXPECT_EQ(build.run().counters.reused, 1u);
}

TEST(Finisher, RecordTellsWhereWhenAndWithWhat) {
  FakeBuild build;
  const NodeId a = build.action("a", "a");
  const NodeReport report = build.run().nodes.at(a);
  EXPECT_EQ(report.origin.at("tool_version").as_string(), "qbuild test");
  EXPECT_GE(report.origin.at("machine").at("cores").as_int(), 1);
  EXPECT_EQ(report.origin.at("key").as_string(), report.key_hex);
}

TEST(Finisher, MissingExportIsAFailureThatNamesIt) {
  FakeBuild build;
  const NodeId a = build.action("a", "a");
  build.node(a).exports = {{.name = "other", .path = build.folder.path() / "x"}};
  EXPECT_EQ(build.run().nodes.at(a).failure->message,
            "it made no other for " + (build.folder.path() / "x").string());
}

TEST(Finisher, InlineOutputIsExportedToo) {
  FakeBuild build;
  const NodeId a = build.action("a", "a");
  const fs::path out = build.folder.path() / "out" / "README.md";
  build.node(a).exports = {{.name = "card", .path = out}};
  build.behaviours["a"] = [](auto&, auto&) {
    ActionResult result;
    result.inline_files["card"] = "# card";
    return result;
  };
  static_cast<void>(build.run());
  EXPECT_EQ(read_text(out), "# card");
  write_text(out, "edited by hand");
  static_cast<void>(build.run());
  EXPECT_EQ(read_text(out), "# card");
}

}  // namespace
}  // namespace qbuild::engine::testing
