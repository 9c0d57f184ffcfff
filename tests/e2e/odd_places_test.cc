// Things in places where something else was expected, and names at and beyond the limits.

#include <gmock/gmock.h>

#include "tests/e2e/project.h"

namespace qbuild::e2e {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

const std::string k300(300, 'n');
const std::string k255(255, 'l');

std::string manifest(std::string_view quants, std::string_view publish = "") {
  return "version: 1\nmodels:\n  bard:\n    source: bard\n    quants: " + std::string(quants) +
         "\n" + std::string(publish);
}

constexpr std::string_view kPublish =
    "    publish: {repo: acme/bard-GGUF, hub: ./hub, layout: folders}\n";

class OddPlaces : public testing::Test {
 protected:
  OddPlaces() {
    project_.add_model("bard");
    project_.write("qbuild.yaml", manifest("[Q4_0]", kPublish));
  }
  // The run ends with this exit code before anything is made, and says this.
  void expect_refusal(std::vector<std::string> arguments, std::string_view says,
                      std::string_view also = "") {
    const RunResult run = project_.run(std::move(arguments));
    EXPECT_EQ(run.exit_code, 2) << run.out;
    EXPECT_THAT(run.err, AllOf(HasSubstr(std::string(says)), HasSubstr(std::string(also))));
    EXPECT_EQ(std::count(run.err.begin(), run.err.end(), '\n'), 1) << run.err;
    EXPECT_TRUE(!fs::is_directory(project_.path("out")));
  }
  // A command whose tool makes files of these names.
  void make_files(const std::vector<std::string>& names) {
    std::string tool = "cd \"$1\"\n";
    for (const std::string& name : names) tool += "echo " + name + " >'" + name + "'\n";
    project_.write("tool.sh", tool);
    project_.write(
        "qbuild.yaml",
        manifest("[{name: made, method: command, run: [sh, tool.sh, \"{out}\"], outputs: [\"*\"], "
                 "inputs: [tool.sh], tool: t@1}]",
                 kPublish));
  }

  Project project_;
};

TEST_F(OddPlaces, AFileInThePlaceOfTheStoreIsNamedWithTheWayOut) {
  project_.write("store", "x");
  expect_refusal({"build"},
                 "store " + project_.path("store").string() +
                     " ($QBUILD_STORE or --store names another folder): it is not a folder");
  EXPECT_EQ(project_.read("store"), "x");
}

TEST_F(OddPlaces, AFileInThePlaceOfTheResultsIsNamedBeforeAnythingIsBuilt) {
  project_.write("out", "x");
  expect_refusal({"build"}, project_.path("out").string() + " is no folder", "--out");
  EXPECT_EQ(project_.read("out"), "x");
  EXPECT_FALSE(fs::exists(project_.path("store")));
}

TEST_F(OddPlaces, AFileInThePlaceOfTheHubIsNamedWithItsPlaceInTheManifest) {
  project_.write("hub", "x");
  expect_refusal({"publish"}, "qbuild.yaml:6:42: hub " + project_.path("hub").string(),
                 "it is no folder");
}

TEST_F(OddPlaces, LinksInThePlacesOfStoreResultsAndHubAreFollowedAndStay) {
  for (const char* name : {"store", "out", "hub"}) {
    fs::create_directories(project_.path("real") / name);
    fs::create_symlink(fs::path("real") / name, project_.path(name));
  }
  const RunResult run = project_.run({"publish"});
  EXPECT_EQ(run.exit_code, 0) << run.err;
  for (const char* name : {"store", "out", "hub"}) {
    EXPECT_TRUE(fs::is_symlink(project_.path(name)));
    EXPECT_FALSE(project_.digests(fs::path("real") / name).empty());
  }
  EXPECT_EQ(project_.run_json({"publish"}).counter("executed"), 0);
}

TEST_F(OddPlaces, ALinkToNothingInThePlaceOfTheStoreIsNamedWithTheWayOut) {
  fs::create_symlink("nowhere", project_.path("store"));
  expect_refusal({"build"}, "store " + project_.path("store").string(), "$QBUILD_STORE");
}

TEST_F(OddPlaces, FoldersOf300BytesAreRefusedInOneLine) {
  expect_refusal({"build", "--store", k300}, "file name too long", "$QBUILD_STORE");
  expect_refusal({"build", "--out", k300}, "file name too long", "--out");
  expect_refusal({"build", "-C", k300}, "file name too long");
  expect_refusal({"build", "-f", k300}, "file name too long");
}

TEST_F(OddPlaces, NamesOf300BytesInAManifestAreRefusedWithTheirPlace) {
  project_.write("qbuild.yaml", manifest("[{name: " + k300 + ", type: Q4_0}]"));
  expect_refusal({"build"}, "qbuild.yaml:5:21: ", "it is longer than 96 characters");
  project_.write("qbuild.yaml", "version: 1\nmodels:\n  " + k300 + ": {source: bard}\n");
  expect_refusal({"build"}, "qbuild.yaml:3:3: ", "it is longer than 96 characters");
}

TEST_F(OddPlaces, AnOutputOf255BytesIsStoredExportedAndPublished) {
  make_files({k255});
  const RunResult run = project_.run({"publish"});
  EXPECT_EQ(run.exit_code, 0) << run.out << run.err;
  EXPECT_EQ(project_.read("out/bard/made/" + k255), k255 + "\n");
  EXPECT_EQ(project_.read("hub/files/acme/bard-GGUF/made/" + k255), k255 + "\n");
  EXPECT_EQ(project_.run({"store", "verify"}).exit_code, 0);
}

TEST_F(OddPlaces, OutputsThatDifferOnlyInCaseAreRefusedWhereHalfOfTheDisksCannotHoldBoth) {
  make_files({"model.txt", "MODEL.txt"});
  const RunResult run = project_.run({"publish"});
  EXPECT_EQ(run.exit_code, 1) << run.out << run.err;
  EXPECT_THAT(run.out,
              AllOf(HasSubstr("made/MODEL.txt and made/model.txt cannot live in one repository"),
                    HasSubstr("some file systems take them for one name")));
  EXPECT_FALSE(fs::exists(project_.path("hub/files/acme/bard-GGUF/made")));
}

TEST_F(OddPlaces, ModelsAndVariantsThatDifferOnlyInCaseAreRefusedWithBothPlaces) {
  project_.write("qbuild.yaml", manifest("[Q8_0, {name: q8_0, type: Q4_0}]"));
  expect_refusal({"build"}, "qbuild.yaml:5:20: ", "the first is at qbuild.yaml:5:14");
  project_.write("qbuild.yaml",
                 "version: 1\nmodels:\n  bard: {source: bard, quants: [Q8_0]}\n  Bard: {source: "
                 "bard, quants: [Q8_0]}\n");
  expect_refusal({"build"}, "qbuild.yaml:4:3: ", "the first is at qbuild.yaml:3:3");
}

}  // namespace
}  // namespace qbuild::e2e
