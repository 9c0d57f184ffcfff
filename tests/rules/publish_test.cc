#include "rules/publish.h"

#include <gmock/gmock.h>

#include <utility>

#include "hub/directory_hub.h"
#include "rules/published.h"
#include "tests/rules/support.h"

namespace qbuild::rules {
namespace {

using engine::ActionRequest;
using engine::ActionResult;
using engine::ResolvedInput;
using engine::Status;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

class Publish : public testing::Test {
 protected:
  ActionRequest request(const std::vector<std::string>& variants,
                        const std::string& card = "# card\n") {
    ActionRequest asked;
    asked.target = "tiny:publish";
    asked.params = Json::object(
        {{"repo", "acme/tiny"}, {"hub", "./hub"}, {"private", false}, {"variants", Json::array()}});
    asked.context = Json::object(
        {{"hub_path", (folder_.path() / "hub").string()}, {"message", "Publish tiny, {date}"}});
    Json document = Json::object({{"variants", Json::array()}});
    for (const std::string& name : variants) {
      asked.params["variants"].push_back(
          Json::object({{"name", name}, {"file", "tiny-" + name + ".gguf"}}));
      document["variants"].push_back(Json::object({{"name", name}}));
      const fs::path path = folder_.path() / "store" / name;
      write_text(path, "weights of " + name);
      asked.inputs.push_back(file_input("model." + name, path));
      asked.inputs.back().origin = Json::object({{"key", "key of " + name}});
      asked.inputs.emplace_back().label = "gate." + name;
    }
    ResolvedInput made;
    made.label = "card";
    made.inline_files["README.md"] = card;
    made.inline_files["document.json"] = document.dump();
    asked.inputs.push_back(std::move(made));
    return asked;
  }
  Json run(const ActionRequest& asked) {
    return Json::parse(rule_->run(asked, context_).inline_files.at("result.json"));
  }
  Error failure(const ActionRequest& asked) {
    return error_of([&] { (void)run(asked); });
  }
  std::optional<std::string> outdated(const ActionRequest& asked, const Json& receipt) {
    cache::Record record;
    if (!receipt.is_null()) record.inline_files["result.json"] = receipt.dump();
    return rule_->outdated(record, asked.params, asked.context, context_.file_system());
  }

  hub::DirectoryHub hub() {
    return {context_.file_system(), context_.clock(), folder_.path() / "hub"};
  }
  std::string head() { return hub().head(repo_, "main")->id; }
  std::string content(const std::string& path) {
    return hub().read_file(repo_, "main", path, 1u << 20);
  }
  std::vector<std::string> paths() {
    std::vector<std::string> list;
    for (const hub::TreeEntry& entry : hub().tree(repo_, "main")) list.push_back(entry.path);
    return list;
  }
  void somebody_commits(const std::string& path, const std::string& bytes) {
    hub::CommitRequest commit;
    commit.repo = repo_;
    commit.message = "by hand";
    commit.author = "somebody";
    commit.inlined.push_back({path, bytes});
    (void)hub().commit(commit);
  }

  TemporaryFolder folder_;
  TestContext context_;
  hub::RepoId repo_ = hub::parse_repo_id("acme/tiny");
  std::unique_ptr<engine::Rule> rule_ = make_publish_rule();
};

TEST_F(Publish, TheFirstTimeMakesTheRepositoryWithEverythingInOneCommit) {
  const Json receipt = run(request({"Q8_0", "Q4_0"}));
  EXPECT_THAT(paths(), ElementsAre(".gitattributes", "README.md", "qbuild.json", "tiny-Q4_0.gguf",
                                   "tiny-Q8_0.gguf"));
  EXPECT_EQ(content("tiny-Q8_0.gguf"), "weights of Q8_0");
  EXPECT_EQ(content("README.md"), "# card\n");
  const auto commit = hub().head(repo_, "main");
  EXPECT_EQ(commit->message, "Publish tiny, 2023-11-14");
  EXPECT_EQ(hub().head(repo_, commit->parent)->parent, "");
  EXPECT_EQ(hub().visibility(repo_), hub::Visibility::kPublic);
  EXPECT_EQ(receipt.at("commit").as_string(), commit->id);
  EXPECT_EQ(receipt.at("repo").as_string(), "acme/tiny");
  EXPECT_EQ(receipt.at("hub").as_string(), "folder " + (folder_.path() / "hub").string());
  ASSERT_EQ(receipt.at("files").as_array().size(), 4u);
  EXPECT_EQ(receipt.at("files").as_array()[2].at("path").as_string(), "tiny-Q4_0.gguf");
  EXPECT_EQ(receipt.at("files").as_array()[2].at("sha256").as_string(),
            sha256("weights of Q4_0").hex());
}

TEST_F(Publish, ASourceDateIsTheTimeOfEveryCommit) {
  ActionRequest asked = request({"Q8_0"});
  asked.context["unix_seconds"] = std::int64_t{1'600'000'000};
  (void)run(asked);
  const auto commit = hub().head(repo_, "main");
  EXPECT_EQ(commit->message, "Publish tiny, 2020-09-13");
  EXPECT_EQ(commit->unix_seconds, 1'600'000'000);
  EXPECT_EQ(hub().head(repo_, commit->parent)->unix_seconds, 1'600'000'000);
}

TEST_F(Publish, APrivateRepositoryIsMadePrivate) {
  ActionRequest asked = request({"Q8_0"});
  asked.params["private"] = true;
  (void)run(asked);
  EXPECT_EQ(hub().visibility(repo_), hub::Visibility::kPrivate);
}

TEST_F(Publish, ARepositoryOfAnotherVisibilityIsRefusedBeforeAnythingIsUploaded) {
  hub().create_repo(repo_, hub::Visibility::kPublic);
  ActionRequest asked = request({"Q8_0"});
  asked.params["private"] = true;
  const Error error = failure(asked);
  EXPECT_EQ(error.kind(), ErrorKind::kInvalidInput);
  EXPECT_EQ(error.message(), "publish to acme/tiny in folder " + (folder_.path() / "hub").string() +
                                 ": acme/tiny is public and the manifest says private: true; "
                                 "change it on the hub or in the manifest");
  EXPECT_THAT(paths(), ElementsAre(".gitattributes"));
  const hub::BlobNeed weights{.sha256 = sha256("weights of Q8_0"), .size_bytes = 15};
  EXPECT_THAT(hub().missing_blobs(repo_, {weights}), ElementsAre(weights));

  repo_ = hub::parse_repo_id("acme/secret");
  hub().create_repo(repo_, hub::Visibility::kPrivate);
  asked.params["private"] = false;
  asked.params["repo"] = "acme/secret";
  EXPECT_THAT(failure(asked).message(),
              HasSubstr("acme/secret is private and the manifest does not say private: true; "
                        "change it on the hub or in the manifest"));
}

TEST_F(Publish, TheSecondTimeMakesNoCommit) {
  const Json first = run(request({"Q8_0"}));
  EXPECT_EQ(run(request({"Q8_0"})), first);
  EXPECT_EQ(head(), first.at("commit").as_string());
  EXPECT_THAT(context_.lines(), Contains("acme/tiny holds everything already"));
}

TEST_F(Publish, AnotherCardUploadsNoWeights) {
  (void)run(request({"Q8_0"}));
  const ActionResult result = rule_->run(request({"Q8_0"}, "# better card\n"), context_);
  EXPECT_EQ(result.bytes_written, 0u);
  EXPECT_EQ(content("README.md"), "# better card\n");
  EXPECT_THAT(context_.lines().back(), HasSubstr(": 1 file added or changed, 0 deleted"));
}

TEST_F(Publish, AVariantThatIsGoneFromTheManifestIsDeleted) {
  (void)run(request({"Q8_0", "Q4_0"}));
  (void)run(request({"Q8_0"}));
  EXPECT_THAT(paths(), ElementsAre(".gitattributes", "README.md", "qbuild.json", "tiny-Q8_0.gguf"));
}

TEST_F(Publish, AFileOfSomebodyElseStays) {
  (void)run(request({"Q8_0", "Q4_0"}));
  somebody_commits("NOTES.md", "mine\n");
  (void)run(request({"Q8_0"}));
  EXPECT_EQ(content("NOTES.md"), "mine\n");
  EXPECT_THAT(paths(), Not(Contains("tiny-Q4_0.gguf")));
}

TEST_F(Publish, WhatSomebodyChangedOfOursIsPutBack) {
  (void)run(request({"Q8_0"}));
  somebody_commits("README.md", "# defaced\n");
  (void)run(request({"Q8_0"}));
  EXPECT_EQ(content("README.md"), "# card\n");
}

TEST_F(Publish, AHeldVariantStaysAsItWasPublished) {
  (void)run(request({"Q8_0", "Q4_0"}));
  hub::DirectoryHub now = hub();
  const auto published = read_published(now, repo_);
  ActionRequest asked = request({"Q8_0", "Q4_0"}, "# newer\n");
  hold(asked, "Q4_0", to_json(*published->find("Q4_0")));
  write_text(folder_.path() / "store/Q4_0", "newer weights");
  (void)run(asked);
  EXPECT_EQ(content("tiny-Q4_0.gguf"), "weights of Q4_0");
  EXPECT_EQ(content("README.md"), "# newer\n");
}

TEST_F(Publish, AHeldVariantThatSomebodyDeletedIsNoLongerPublished) {
  (void)run(request({"Q8_0", "Q4_0"}));
  hub::CommitRequest commit;
  commit.repo = repo_;
  commit.message = "by hand";
  commit.author = "somebody";
  commit.deleted_files = {"tiny-Q4_0.gguf"};
  (void)hub().commit(commit);
  hub::DirectoryHub now = hub();
  const auto published = read_published(now, repo_);
  ASSERT_TRUE(published);
  EXPECT_EQ(published->find("Q4_0"), nullptr);
  EXPECT_NE(published->find("Q8_0"), nullptr);
  EXPECT_THAT(published->other_files, Contains("tiny-Q4_0.gguf"));
  ActionRequest asked = request({"Q8_0", "Q4_0"}, "# newer\n");
  hold(asked, "Q4_0");
  (void)run(asked);
  EXPECT_THAT(paths(), ElementsAre(".gitattributes", "README.md", "qbuild.json", "tiny-Q8_0.gguf"));
}

TEST_F(Publish, ABranchThatMovesMeanwhileIsTransientAndTheNextAttemptSucceeds) {
  (void)run(request({"Q8_0"}));
  bool moved = false;
  context_.on_progress([&] {
    if (!std::exchange(moved, true)) somebody_commits("NOTES.md", "mine\n");
  });
  const ActionRequest asked = request({"Q8_0", "Q4_0"});
  const Error error = failure(asked);
  EXPECT_EQ(error.kind(), ErrorKind::kTransient);
  EXPECT_THAT(error.message(), HasSubstr("publish to acme/tiny in folder "));
  EXPECT_THAT(error.message(), HasSubstr("the branch main of acme/tiny moved from "));
  EXPECT_THAT(paths(), Not(Contains("tiny-Q4_0.gguf")));
  (void)run(asked);
  EXPECT_THAT(paths(), Contains("tiny-Q4_0.gguf"));
  EXPECT_EQ(content("NOTES.md"), "mine\n");
}

TEST_F(Publish, AFileThatIsNotWhatItsRecordSaysIsNotPublished) {
  const ActionRequest asked = request({"Q8_0"});
  write_text(folder_.path() / "store/Q8_0", "rotten at Q8_0!");
  EXPECT_EQ(failure(asked).kind(), ErrorKind::kCorrupt);
  EXPECT_THAT(paths(), ElementsAre(".gitattributes"));
}

TEST_F(Publish, AStopLeavesTheBranchAsItWas) {
  context_.request_stop();
  const Error error = failure(request({"Q8_0"}));
  EXPECT_EQ(error.kind(), ErrorKind::kCancelled);
  EXPECT_THAT(error.message(), HasSubstr("stopped before everything was uploaded"));
  EXPECT_THAT(paths(), ElementsAre(".gitattributes"));
}

TEST_F(Publish, SomebodyElsesListOfFilesIsNotOverwritten) {
  (void)run(request({"Q8_0"}));
  somebody_commits("qbuild.json", "{}");
  const Error error = failure(request({"Q8_0"}));
  EXPECT_EQ(error.kind(), ErrorKind::kCorrupt);
  EXPECT_THAT(error.message(), HasSubstr("qbuild.json was not written by this version of qbuild"));
}

TEST_F(Publish, AHubOnTheNetworkIsUnsupported) {
  ActionRequest asked = request({"Q8_0"});
  asked.params["hub"] = "https://huggingface.co";
  const Error error = failure(asked);
  EXPECT_EQ(error.kind(), ErrorKind::kUnsupported);
  EXPECT_EQ(error.message(),
            "publishing to https://huggingface.co is not possible yet; give a folder, such as hub: "
            "./hub");
  EXPECT_TRUE(rule_->witnesses(asked.params, asked.context).empty());
}

TEST_F(Publish, AReceiptHoldsWhileTheHeadIsItsCommit) {
  const ActionRequest asked = request({"Q8_0"});
  EXPECT_EQ(outdated(asked, run(asked)), std::nullopt);
}

TEST_F(Publish, AReceiptIsOutdatedOnceTheHeadMoved) {
  const ActionRequest asked = request({"Q8_0"});
  const Json receipt = run(asked);
  somebody_commits("NOTES.md", "mine\n");
  EXPECT_EQ(outdated(asked, receipt), "the head of acme/tiny moved from " +
                                          receipt.at("commit").as_string().substr(0, 12) + " to " +
                                          head().substr(0, 12));
}

TEST_F(Publish, AReceiptIsOutdatedWithoutItsRepositoryOrItsText) {
  const ActionRequest asked = request({"Q8_0"});
  const Json receipt = run(asked);
  EXPECT_EQ(outdated(asked, {}), "the receipt is missing");
  fs::remove_all(folder_.path() / "hub" / "repos");
  EXPECT_EQ(outdated(asked, receipt), "the repository acme/tiny is not there any more");
  context_.file_system().remove_tree(folder_.path() / "hub");
  EXPECT_EQ(outdated(asked, receipt), "the repository acme/tiny is not there any more");
}

TEST_F(Publish, TheBranchIsTheWitness) {
  const ActionRequest asked = request({"Q8_0"});
  const Json receipt = run(asked);
  const auto witnesses = rule_->witnesses(asked.params, asked.context);
  ASSERT_EQ(witnesses.size(), 1u);
  EXPECT_EQ(read_text(witnesses[0]), receipt.at("commit").as_string() + "\n");
}

}  // namespace
}  // namespace qbuild::rules
