// A disk that fills up, at every file and at many sizes: the run says where, nothing of what is
// stored is damaged, and the next run, once there is room, ends with the bytes of one that was
// never disturbed. And the index, which may be lost at any moment.

#include <gmock/gmock.h>

#include <fstream>
#include <functional>
#include <random>
#include <sstream>
#include <thread>

#include "tests/e2e/mounts.h"
#include "tests/e2e/project.h"

namespace qbuild::e2e {
namespace {

using ::testing::ContainsRegex;
using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr std::string_view kRoom = "size=64m,nr_inodes=4000";

std::string manifest(std::string_view hub) {
  return "version: 1\nmodels:\n  bard:\n    source: bard\n    quants: [Q4_0]\n"
         "    publish: {repo: acme/bard-GGUF, hub: " +
         std::string(hub) + "}\n";
}

// What an undisturbed run leaves under out/ and in the hub.
struct Reference {
  std::map<std::string, std::string> out;
  std::map<std::string, std::string> published;
};

const Reference& reference() {
  static const Reference made = [] {
    const Project project;
    project.add_model("bard");
    project.write("qbuild.yaml", manifest("./hub"));
    EXPECT_EQ(project.run({"publish"}).exit_code, 0);
    return Reference{project.digests("out"), project.digests("hub/files")};
  }();
  return made;
}

std::vector<std::string> warnings_of(const RunResult& result) {
  std::istringstream lines(result.err);
  std::vector<std::string> warnings;
  for (std::string line; std::getline(lines, line);) warnings.push_back(line);
  return warnings;
}

// A project of which one folder lies on a small disk. `arrange` puts it there and returns further
// arguments of the command line.
struct Place {
  fs::path out = "out";
  fs::path hub = "hub";
  std::vector<std::string> arguments{"publish"};
};
using Arrange = std::function<Place(const Project&)>;

class FullDisk : public testing::Test {
 protected:
  void SetUp() override {
    if (const std::string obstacle = mount_obstacle(); !obstacle.empty())
      GTEST_SKIP() << "needs a small disk: " << obstacle;
    warm_.add_model("bard");
    warm_.write("qbuild.yaml", manifest("./hub"));
  }

  // One run on a disk of that size, one after it has grown. Returns the first.
  RunResult run_on(const std::string& options, const Arrange& arrange,
                   std::string_view place_name) {
    SCOPED_TRACE(std::string(place_name) + " with " + options);
    const Project project;
    const Mount disk = Mount::small_disk(project.path("small"), options);
    fs::create_directory_symlink(warm_.path("bard"), project.path("bard"));
    project.write("qbuild.yaml", manifest("./hub"));
    const Place place = arrange(project);
    RunResult first = project.run(place.arguments);
    const std::string said = first.out + first.err;
    EXPECT_THAT(first.exit_code, testing::AnyOf(0, 1, 2)) << said;
    if (first.exit_code != 0) {
      EXPECT_THAT(said, HasSubstr(std::string(place_name)));
      EXPECT_THAT(said, ContainsRegex("no space left on the disk|needs [0-9.]+ ?[kM]?B?.* free"));
    } else {
      EXPECT_THAT(warnings_of(first), Each(StartsWith("warning: ")));
    }
    disk.change(std::string(kRoom));
    const RunResult verify = with_store(project, place, {"store", "verify"});
    if (fs::exists(project.path("store")) || verify.exit_code == 1) {
      EXPECT_EQ(verify.exit_code, 0) << verify.err;
    }
    const RunResult second = project.run(place.arguments);
    EXPECT_EQ(second.exit_code, 0) << second.out << second.err;
    EXPECT_EQ(project.digests(place.out), reference().out);
    EXPECT_EQ(project.digests(place.hub / "files"), reference().published);
    return first;
  }

  static RunResult with_store(const Project& project, const Place& place,
                              std::vector<std::string> arguments) {
    for (std::size_t i = 0; i + 1 < place.arguments.size(); ++i)
      if (place.arguments[i] == "--store")
        arguments.insert(arguments.end(), {"--store", place.arguments[i + 1]});
    return project.run(std::move(arguments));
  }

  // Gives the disk some names more at a time, until all fit: with one more the disk is full once at
  // each file that is made. Returns how often a run failed.
  int sweep_names(const Arrange& arrange, std::string_view place_name, int most, int step = 1) {
    int failures = 0;
    for (int names = 2; names <= most; names += step) {
      const int code =
          run_on("size=64m,nr_inodes=" + std::to_string(names), arrange, place_name).exit_code;
      failures += code != 0 ? 1 : 0;
      if (HasFailure()) return failures;
      if (code == 0 && names > most / 2) return failures;
    }
    return failures;
  }

  // The store of a project that was built before, so that only what follows is made.
  void use_warm_store(const Project& project) {
    if (!fs::exists(warm_.path("store"))) {
      EXPECT_EQ(warm_.run({"build"}).exit_code, 0);
    }
    fs::copy(warm_.path("store"), project.path("store"), fs::copy_options::recursive);
  }

  const Project warm_;
};

TEST_F(FullDisk, UnderTheStoreAtEachFileTheRunNamesTheStoreAndTheNextCompletes) {
  const auto arrange = [](const Project&) {
    return Place{.arguments = {"publish", "--store", "small/store"}};
  };
  EXPECT_GE(sweep_names(arrange, "small/store", 40), 15);
}

TEST_F(FullDisk, UnderTheResultsTheRunNamesTheFolderAndTheNextExportsWhatIsStored) {
  const auto arrange = [this](const Project& project) {
    use_warm_store(project);
    return Place{.out = "small/out", .arguments = {"publish", "--out", "small/out"}};
  };
  EXPECT_GE(sweep_names(arrange, "small/out", 8), 3);
}

TEST_F(FullDisk, UnderTheHubAtEverySecondFileTheRunNamesTheHubAndTheNextPublishes) {
  const auto arrange = [this](const Project& project) {
    use_warm_store(project);
    project.write("qbuild.yaml", manifest("./small/hub"));
    return Place{.hub = "small/hub"};
  };
  EXPECT_GE(sweep_names(arrange, "small/hub", 60, 2), 12);
}

Place project_files_on_small_disk(const Project& project) {
  fs::create_symlink("small", project.path(".qbuild"));
  return {};
}

TEST_F(FullDisk, UnderLogsJournalAndStateTheRunNamesThemOrWarnsAndTheNextCompletes) {
  const auto arrange = [](const Project& project) { return project_files_on_small_disk(project); };
  EXPECT_GE(sweep_names(arrange, ".qbuild", 20), 5);
}

TEST_F(FullDisk, OfTooFewBytesForLogsJournalAndStateIsNamedOrWarnedOf) {
  const auto arrange = [this](const Project& project) {
    use_warm_store(project);
    return project_files_on_small_disk(project);
  };
  int failures = 0;
  int warnings = 0;
  for (int pages = 1; pages <= 10; ++pages) {
    const RunResult run = run_on("size=" + std::to_string(pages * 4) + "k", arrange, ".qbuild");
    failures += run.exit_code != 0 ? 1 : 0;
    warnings += run.err.empty() ? 0 : 1;
  }
  EXPECT_GE(failures, 1);
  EXPECT_GT(warnings, failures) << "what is not remembered, such as the state, fails no run";
  EXPECT_LT(warnings, 10) << "ten pages are enough";
}

TEST_F(FullDisk, UnderTheIndexCostsAWarningAndTheRunGoesOn) {
  const auto arrange = [this](const Project& project) {
    use_warm_store(project);
    fs::create_symlink("small", project.path("state"));
    return Place{};
  };
  int warnings = 0;
  const auto expect_success = [&](const std::string& options) {
    const RunResult run = run_on(options, arrange, "index.db");
    EXPECT_EQ(run.exit_code, 0) << run.out << run.err;
    EXPECT_LE(warnings_of(run).size(), 1U);
    EXPECT_THAT(warnings_of(run), Each(StartsWith("warning: index ")));
    warnings += run.err.empty() ? 0 : 1;
  };
  for (int names = 1; names <= 6; ++names)
    expect_success("size=64m,nr_inodes=" + std::to_string(names));
  EXPECT_GE(warnings, 2);
  warnings = 0;
  for (int pages = 1; pages <= 20; pages += 2)
    expect_success("size=" + std::to_string(4 * pages) + "k");
  EXPECT_GE(warnings, 4);
}

TEST_F(FullDisk, TooSmallForAFileIsForeseenWithItsBytesWhereverItGoes) {
  const auto expect_foreseen = [&](const Arrange& arrange, std::string_view place_name) {
    const RunResult run = run_on("size=1m", arrange, place_name);
    EXPECT_EQ(run.exit_code, 1);
    EXPECT_THAT(run.out, ContainsRegex("needs [0-9.]+ (MB|bytes).*(are free|free some)"));
  };
  expect_foreseen(
      [](const Project&) {
        return Place{.arguments = {"publish", "--store", "small/store"}};
      },
      "small/store");
  expect_foreseen(
      [this](const Project& project) {
        use_warm_store(project);
        return Place{.out = "small/out", .arguments = {"publish", "--out", "small/out"}};
      },
      "small/out");
  expect_foreseen(
      [this](const Project& project) {
        use_warm_store(project);
        project.write("qbuild.yaml", manifest("./small/hub"));
        return Place{.hub = "small/hub"};
      },
      "small/hub");
}

TEST_F(FullDisk, BehindAFileThatJustFittedIsSurvived) {
  ASSERT_EQ(warm_.run({"build"}).exit_code, 0);
  std::uint64_t blob_bytes = 0;
  for (const auto& entry : fs::recursive_directory_iterator(warm_.path("store/blobs")))
    if (entry.is_regular_file()) blob_bytes += entry.file_size();
  const auto store = [](const Project&) {
    return Place{.arguments = {"publish", "--store", "small/store"}};
  };
  int failures = 0;
  constexpr std::uint64_t kPages = 16;
  for (std::uint64_t more = 0; more < kPages; ++more) {
    const std::uint64_t pages = blob_bytes / 4096 + more;
    failures += run_on("size=" + std::to_string(pages * 4) + "k", store, "store").exit_code != 0;
  }
  EXPECT_GE(failures, 2);
  EXPECT_LT(failures, static_cast<int>(kPages))
      << "some pages more hold the journal of what is finished, and the records, too";
}

TEST(FileSizeLimit, InTheMiddleOfAQuantizeNamesTheFileAndItsBytesAndTheNextRunCompletes) {
  const Project project;
  project.add_model("bard");
  project.write("qbuild.yaml", manifest("./hub"));
  // In blocks of 512 bytes: half a megabyte.
  const RunResult limited = project.run_as({.shell = "ulimit -f 1000"}, {"publish"});
  EXPECT_EQ(limited.exit_code, 1) << limited.out << limited.err;
  EXPECT_THAT(
      limited.out + limited.err,
      ContainsRegex("model.gguf \\([0-9]+ bytes\\): write .*store/partial.*: file too large"));
  EXPECT_EQ(project.run({"store", "verify"}).exit_code, 0);
  EXPECT_EQ(project.run({"publish"}).exit_code, 0);
  EXPECT_EQ(project.digests("out"), reference().out);
  EXPECT_EQ(project.digests("hub/files"), reference().published);
}

// Overwrites, cuts or deletes a file while others use it.
void vandalize(const fs::path& file, std::mt19937_64& luck) {
  std::error_code absent;
  const std::uint64_t size = fs::file_size(file, absent);
  if (absent || size == 0) return;
  switch (luck() % 3) {
    case 0:
      fs::remove(file, absent);
      break;
    case 1:
      fs::resize_file(file, luck() % size, absent);
      break;
    default: {
      std::fstream stream(file, std::ios::binary | std::ios::in | std::ios::out);
      stream.seekp(static_cast<std::streamoff>(luck() % size));
      for (int i = 0; i < 2000; ++i) stream.put(static_cast<char>(luck()));
    }
  }
}

TEST(Index, DeletedCutAndGarbledBetweenAndDuringRunsCostsNoMoreThanWarnings) {
  const Project project;
  project.add_model("bard");
  const auto write_manifest = [&](int round) {
    std::string text = "version: 1\nmodels:\n  bard:\n    source: bard\n    quants:\n";
    for (int i = 0; i < 12; ++i)
      text += "      - {name: v" + std::to_string(i) +
              ", method: command, run: [sh, tool.sh, \"{out}\", \"" + std::to_string(round) +
              "\"], outputs: [\"*.bin\"], inputs: [tool.sh], tool: t@" + std::to_string(i) + "}\n";
    project.write("qbuild.yaml", text);
  };
  project.write("tool.sh", "echo $2 >$1/m.bin\n");
  std::mt19937_64 luck(20261125);
  for (int round = 0; round < 8; ++round) {
    SCOPED_TRACE(round);
    write_manifest(round);
    const auto run = project.start_json({"build"});
    std::jthread vandal([&](const std::stop_token& stop) {
      while (!stop.stop_requested()) {
        for (const char* name : {"index.db", "index.db-journal", "index.db-wal", "index.db-shm"})
          vandalize(project.path("state/qbuild") / name, luck);
        std::this_thread::sleep_for(std::chrono::milliseconds(30));
      }
    });
    const RunResult result = run->finish();
    vandal.request_stop();
    vandal.join();
    EXPECT_EQ(result.exit_code, 0) << result.out << result.err;
    EXPECT_EQ(result.counter("executed"), 12);
    EXPECT_THAT(warnings_of(result), Each(StartsWith("warning: index ")));
    for (int i = 0; i < 12; ++i)
      EXPECT_EQ(project.read("out/bard/v" + std::to_string(i) + "/m.bin"),
                std::to_string(round) + "\n");
    vandalize(project.path("state/qbuild/index.db"), luck);
  }
  EXPECT_EQ(project.run({"store", "verify"}).exit_code, 0);
}

}  // namespace
}  // namespace qbuild::e2e
