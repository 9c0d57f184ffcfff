#include "engine/run_witnesses.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cache/index.h"
#include "engine/state_file.h"
#include "tests/engine/fake_build.h"

namespace qbuild::engine::testing {
namespace {

// A small project with everything that has witnesses: a source, a record, a blob, an export, an
// effect.
struct Project {
  Project() {
    source = build.source("source", "weights");
    quant = build.action("quant", "q", {source});
    out = build.folder.path() / "out" / "file";
    build.node(quant).exports = {{.name = "out", .path = out}};
    publish = build.action("publish", "p", {quant}, "effect");
  }

  // A full run that leaves a snapshot, as the command line does it.
  void run_and_remember() {
    RunReport report = build.run();
    ASSERT_TRUE(report.witnesses.has_value());
    blob = report.nodes.at(quant).paths[0];
    record = build.store.record_path(*Digest::from_hex(report.nodes.at(quant).key_hex));
    StateFile state(*build.files, build.clock, build.project.state());
    ASSERT_TRUE(state.remember({.fingerprint = "build",
                                .witnesses = *std::move(report.witnesses),
                                .exit_code = 0,
                                .text = "said before"}));
    ASSERT_EQ(state.save(build.stats), "");
  }

  [[nodiscard]] bool is_unchanged() {
    StateFile state(*build.files, build.clock, build.project.state());
    return state.check_unchanged("build").has_value();
  }

  FakeBuild build;
  NodeId source, quant, publish;
  fs::path out, blob, record;
};

TEST(RunWitnesses, UnchangedProjectIsSeenByStatsAlone) {
  Project project;
  project.run_and_remember();
  EXPECT_TRUE(project.is_unchanged());
}

TEST(RunWitnesses, EachFileThatChangesIsNoticed) {
  Project project;
  project.run_and_remember();
  const auto notices = [&](const std::function<void()>& change) {
    EXPECT_TRUE(project.is_unchanged());
    change();
    const bool noticed = !project.is_unchanged();
    static_cast<void>(project.build.run());
    project.run_and_remember();
    return noticed;
  };
  EXPECT_TRUE(notices([&] { fs::remove(project.blob); })) << "blob";
  EXPECT_TRUE(notices([&] { fs::remove(project.record); })) << "record";
  EXPECT_TRUE(notices([&] { fs::remove(project.out); })) << "export";
  EXPECT_TRUE(notices([&] { write_text(project.build.folder.path() / "remote.txt", "?"); }));
  EXPECT_TRUE(notices([&] { fs::remove(project.build.project.record("publish")); }));
}

TEST(RunWitnesses, EditOfTheSameSizeRightAfterTheRunIsNoticed) {
  Project project;
  project.run_and_remember();
  write_text(project.build.node(project.source).paths[0], "WEIGHTS");
  EXPECT_FALSE(project.is_unchanged());
}

TEST(RunWitnesses, SourceEditedDuringTheRunLeavesNoWitnesses) {
  Project project;
  project.build.behaviours["publish"] = [&](const ActionRequest&, ActionContext&) {
    write_text(project.build.node(project.source).paths[0], "edited meanwhile");
    write_text(project.build.folder.path() / "remote.txt", "r");
    ActionResult result;
    result.inline_files["receipt"] = "r";
    return result;
  };
  EXPECT_FALSE(project.build.run().witnesses.has_value());
}

TEST(RunWitnesses, ExportEditedDuringTheRunIsNoticed) {
  Project project;
  static_cast<void>(project.build.run());
  fs::remove(project.build.project.record("publish"));
  project.build.behaviours["publish"] = [&](const ActionRequest&, ActionContext&) {
    // After quant was exported, while the rest still runs.
    fs::remove(project.out);
    write_text(project.out, "somebody's");
    write_text(project.build.folder.path() / "remote.txt", "r");
    ActionResult result;
    result.inline_files["receipt"] = "r";
    return result;
  };
  RunReport report = project.build.run();
  ASSERT_EQ(exit_code(report), 0);
  StateFile state(*project.build.files, project.build.clock, project.build.project.state());
  EXPECT_TRUE(!report.witnesses || !state.remember({.fingerprint = "build",
                                                    .witnesses = *std::move(report.witnesses),
                                                    .exit_code = 0,
                                                    .text = ""}));
  EXPECT_EQ(read_text(project.out), "somebody's");
  static_cast<void>(project.build.run());
  EXPECT_EQ(read_text(project.out), read_text(report.nodes.at(project.quant).paths.at(0)));
}

TEST(RunWitnesses, BlobEditedDuringTheRunLeavesNoWitnesses) {
  Project project;
  cache::Index index(*project.build.files, project.build.folder.path() / "index.db",
                     project.build.store);
  project.build.index = &index;
  const RunReport first = project.build.run();
  ASSERT_TRUE(first.witnesses.has_value());
  const fs::path blob = first.nodes.at(project.quant).paths.at(0);
  fs::remove(project.build.project.record("publish"));
  project.build.behaviours["publish"] = [&](const ActionRequest&, ActionContext&) {
    const std::string bytes = read_text(blob);
    fs::remove(blob);
    write_text(blob, std::string(bytes.size(), '?'));
    write_text(project.build.folder.path() / "remote.txt", "r");
    ActionResult result;
    result.inline_files["receipt"] = "r";
    return result;
  };
  const RunReport report = project.build.run();
  ASSERT_EQ(exit_code(report), 0);
  EXPECT_FALSE(report.witnesses.has_value());
}

TEST(RunWitnesses, AnotherHardLinkToABlobChangesNothing) {
  Project project;
  project.run_and_remember();
  fs::create_hard_link(project.blob, project.build.folder.path() / "second name");
  EXPECT_TRUE(project.is_unchanged());
}

}  // namespace
}  // namespace qbuild::engine::testing
