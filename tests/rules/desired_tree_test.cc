#include "rules/desired_tree.h"

#include <gmock/gmock.h>

#include "base/error.h"
#include "base/fake_file_system.h"

namespace qbuild::rules {
namespace {

using engine::ActionRequest;
using engine::ResolvedInput;
using engine::Status;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

ResolvedInput ready_gate(const std::string& variant) {
  ResolvedInput gate;
  gate.label = "gate." + variant;
  return gate;
}

ResolvedInput model(const std::string& variant, const std::string& content) {
  ResolvedInput input;
  input.label = "model." + variant;
  input.artifact.files = {{"model.gguf", sha256(content), content.size()}};
  input.paths = {"/store/" + variant};
  input.origin = Json::object({{"key", "k-" + variant}});
  return input;
}

ResolvedInput card() {
  ResolvedInput input;
  input.label = "card";
  input.inline_files["README.md"] = "# card\n";
  input.inline_files["document.json"] = R"({"variants":[{"name":"Q8_0","size":"1 B"}]})";
  return input;
}

ActionRequest request_for(const std::vector<std::pair<std::string, std::string>>& names) {
  ActionRequest request;
  Json variants = Json::array();
  for (const auto& [name, file] : names) {
    variants.push_back(Json::object({{"name", name}, {"file", file}}));
    request.inputs.push_back(model(name, "bytes of " + name));
    request.inputs.push_back(ready_gate(name));
  }
  request.params = Json::object({{"variants", std::move(variants)}});
  request.inputs.push_back(card());
  return request;
}

DesiredTree tree_of(const ActionRequest& request) {
  FakeFileSystem none;
  return desired_tree(request, none);
}

hub::TreeEntry remote(const std::string& path, const std::string& content) {
  return {.path = path,
          .size_bytes = content.size(),
          .git_sha1 = git_blob_sha1(as_bytes(content)),
          .sha256 = sha256(content),
          .storage = hub::Storage::kRegular};
}

std::string inline_bytes(const DesiredTree& tree, const std::string& path) {
  return *tree.files.at(path).bytes;
}

TEST(DesiredTree, HoldsTheReadyVariantsTheCardAndTheList) {
  const DesiredTree tree = tree_of(request_for({{"Q8_0", "m-Q8_0.gguf"}, {"Q4_0", "m-Q4_0.gguf"}}));
  std::vector<std::string> paths;
  for (const auto& [path, file] : tree.files) paths.push_back(path);
  EXPECT_THAT(paths, ElementsAre("README.md", "m-Q4_0.gguf", "m-Q8_0.gguf", "qbuild.json"));
  EXPECT_EQ(tree.published.find("Q8_0")->record, "k-Q8_0");
  EXPECT_EQ(tree.published.find("Q8_0")->card.get_string("size"), "1 B");
}

// The store keeps large texts as blobs.
TEST(DesiredTree, ALargeCardIsReadFromItsFile) {
  ActionRequest request = request_for({{"Q8_0", "m-Q8_0.gguf"}});
  ResolvedInput& made = request.inputs.back();
  const std::string text(2u << 20, '#');
  made.inline_files.erase("README.md");
  made.artifact.files = {{"README.md", sha256(text), text.size()}};
  made.paths = {"/store/card"};
  FakeFileSystem files;
  files.put("/store/card", text);
  const DesiredTree tree = desired_tree(request, files);
  EXPECT_EQ(inline_bytes(tree, "README.md"), text);
  EXPECT_EQ(tree.files.at("README.md").sha256, sha256(text));
}

TEST(DesiredTree, AHeldVariantThatIsNotPublishedIsNotThere) {
  ActionRequest request = request_for({{"Q8_0", "m-Q8_0.gguf"}});
  request.inputs[1].status = Status::kHeld;
  const DesiredTree tree = tree_of(request);
  EXPECT_FALSE(tree.files.contains("m-Q8_0.gguf"));
  EXPECT_TRUE(tree.kept.empty());
  EXPECT_TRUE(tree.published.variants.empty());
}

TEST(DesiredTree, TheEarlierFormOfAHeldVariantStays) {
  ActionRequest request = request_for({{"Q8_0", "m-Q8_0.gguf"}});
  request.inputs[1].status = Status::kHeld;
  const PublishedVariant earlier{.name = "Q8_0",
                                 .record = "old",
                                 .files = {{"m-Q8_0.gguf", sha256("old"), 3}},
                                 .card = Json::object({{"name", "Q8_0"}})};
  request.inputs[1].inline_files["result.json"] = to_json(earlier).dump();
  const DesiredTree tree = tree_of(request);
  ASSERT_EQ(tree.kept.size(), 1u);
  EXPECT_EQ(tree.published.find("Q8_0")->record, "old");

  Published before;
  before.variants.push_back(earlier);
  const auto changes = difference(tree, {remote("m-Q8_0.gguf", "old")}, before);
  EXPECT_THAT(changes.deleted, ElementsAre());
  EXPECT_THAT(changes.added, ElementsAre("README.md", "qbuild.json"));
}

TEST(DesiredTree, AKeptFileThatVanishedIsTransient) {
  DesiredTree tree;
  tree.kept.push_back({"m.gguf", sha256("old"), 3});
  try {
    (void)difference(tree, {}, std::nullopt);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kTransient);
  }
}

TEST(DesiredTree, OnlyWhatQbuildPutThereIsDeleted) {
  const DesiredTree tree = tree_of(request_for({{"Q8_0", "new-name.gguf"}}));
  Published before;
  before.other_files = {"README.md", "qbuild.json"};
  before.variants.push_back(
      {.name = "Q8_0", .record = "r", .files = {{"old-name.gguf", sha256("x"), 1}}, .card = {}});
  const auto changes = difference(
      tree,
      {remote("old-name.gguf", "x"), remote("somebody.gguf", "y"), remote(".gitattributes", "z")},
      before);
  EXPECT_THAT(changes.deleted, ElementsAre("old-name.gguf"));
}

TEST(DesiredTree, NothingIsDeletedWhereNothingOfOursIs) {
  const DesiredTree tree = tree_of(request_for({{"Q8_0", "m-Q8_0.gguf"}}));
  EXPECT_TRUE(difference(tree, {remote("other.gguf", "x")}, std::nullopt).deleted.empty());
}

TEST(DesiredTree, ARemoteThatHoldsEverythingNeedsNoCommit) {
  const DesiredTree tree = tree_of(request_for({{"Q8_0", "m-Q8_0.gguf"}}));
  std::vector<hub::TreeEntry> there{remote("README.md", inline_bytes(tree, "README.md")),
                                    remote("qbuild.json", inline_bytes(tree, "qbuild.json")),
                                    remote("m-Q8_0.gguf", "bytes of Q8_0")};
  EXPECT_TRUE(difference(tree, there, std::nullopt).empty());
  // A small file without a stated SHA-256 is compared as git names it.
  there[0].sha256.reset();
  EXPECT_TRUE(difference(tree, there, std::nullopt).empty());
}

TEST(DesiredTree, TwoVariantsCannotShareAPath) {
  EXPECT_THROW((void)tree_of(request_for({{"Q8_0", "m.gguf"}, {"Q4_0", "m.gguf"}})), Error);
}

TEST(DesiredTree, NamesThatDifferInCaseAloneAreRefused) {
  try {
    (void)tree_of(request_for({{"Q8_0", "M-Q8_0.gguf"}, {"q8_0", "m-q8_0.gguf"}}));
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.message(), HasSubstr("cannot live in one repository"));
  }
}

}  // namespace
}  // namespace qbuild::rules
