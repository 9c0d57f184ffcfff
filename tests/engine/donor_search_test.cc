#include "engine/donor_search.h"

#include <gmock/gmock.h>

#include "cache/index.h"
#include "tests/engine/fake_build.h"
#include "tests/engine/piece_rule.h"

namespace qbuild::engine::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// Actions of rule "make" that are made of pieces, in one scope.
class DonorSearchTest : public ::testing::Test {
 protected:
  DonorSearchTest() {
    build_.index = &index_;
    build_.options.jobs = 1;
  }

  NodeId make(const std::string& target, const std::vector<std::string>& pieces,
              const std::string& scope = "0f") {
    const NodeId id = build_.action(target, target);
    build_.node(id).params["pieces"] = piece_texts(pieces);
    build_.node(id).piece_scope = scope;
    build_.behaviours[target] = [this, target](const ActionRequest& request,
                                               ActionContext& context) {
      offered_[target] = request.donors;
      return make_of_pieces(request, context, [](std::size_t) {});
    };
    return id;
  }
  // Runs it alone and says how many pieces it had to compute.
  std::string computed(NodeId id) {
    report_ = build_.run({id});
    const NodeReport& node = report_.nodes.at(id);
    EXPECT_EQ(node.status, Status::kReady) << node.reason;
    return node.inline_files.at("computed");
  }
  // Another run over the same store.
  std::string made(const std::string& target, const std::vector<std::string>& pieces,
                   const std::string& scope = "0f") {
    build_.new_graph();
    id_ = make(target, pieces, scope);
    return computed(id_);
  }
  // Of "out", which comes behind the two inline files.
  [[nodiscard]] std::string content() const { return read_text(report_.nodes.at(id_).paths[2]); }
  [[nodiscard]] fs::path blob_of(const std::string& content) const {
    return build_.store.blob_path(sha256(content));
  }
  std::vector<std::string> offered(const std::string& target) {
    std::vector<std::string> contents;
    for (const Donor& donor : offered_[target])
      contents.push_back(read_text(donor.files.at("out")));
    return contents;
  }

  FakeBuild build_;
  cache::Index index_{*build_.disk, "", build_.store};
  NodeId id_{};
  RunReport report_;
  std::map<std::string, std::vector<Donor>> offered_;
};

TEST_F(DonorSearchTest, WhatAnArtifactHoldsIsCopiedAndNotComputed) {
  EXPECT_EQ(made("a", {"one", "two", "three"}), "3");
  EXPECT_EQ(made("b", {"zero", "two", "three"}), "1");
  EXPECT_EQ(content(), "zerotwothree");
}

TEST_F(DonorSearchTest, AreOfferedTheNewestFirst) {
  made("a", {"1"});
  made("b", {"2"});
  made("c", {"3"});
  made("d", {"4"});
  EXPECT_THAT(offered("d"), ElementsAre("3", "2", "1"));
  EXPECT_THAT(offered("a"), IsEmpty());
}

TEST_F(DonorSearchTest, OfAnotherScopeAndOfNoneAreNotOffered) {
  made("a", {"one"}, "ab");
  made("b", {"one"}, "");
  EXPECT_EQ(made("c", {"one"}), "1");
  EXPECT_THAT(offered("c"), IsEmpty());
  EXPECT_EQ(made("d", {"one"}, ""), "1");
  EXPECT_THAT(offered("d"), IsEmpty());
}

TEST_F(DonorSearchTest, WithoutAnIndexThereAreNone) {
  made("a", {"one"});
  build_.index = nullptr;
  EXPECT_EQ(made("b", {"one", "two"}), "2");
}

TEST_F(DonorSearchTest, AreKnownToAnIndexThatWasMadeAgain) {
  made("a", {"one"});
  cache::Index again(*build_.disk, "", build_.store);
  build_.index = &again;
  EXPECT_EQ(made("b", {"one", "two"}), "1");
}

TEST_F(DonorSearchTest, WithoutTheirBlobAreNotOffered) {
  made("a", {"one"});
  made("b", {"two"});
  fs::remove(blob_of("one"));
  EXPECT_EQ(made("c", {"one", "two"}), "1");
  EXPECT_THAT(offered("c"), ElementsAre("two"));
}

TEST_F(DonorSearchTest, WithoutTheirRecordAreNotOffered) {
  made("a", {"one"});
  fs::remove(build_.store.record_path(*Digest::from_hex(report_.nodes.at(id_).key_hex)));
  EXPECT_EQ(made("b", {"one", "two"}), "2");
  EXPECT_THAT(offered("b"), IsEmpty());
}

TEST_F(DonorSearchTest, WhoseBlobWasTouchedAreNotOffered) {
  made("a", {"one"});
  fs::permissions(blob_of("one"), fs::perms::owner_write, fs::perm_options::add);
  write_text(blob_of("one"), "ONE");
  fs::last_write_time(blob_of("one"), fs::file_time_type::clock::now() - std::chrono::hours(1));
  EXPECT_EQ(made("b", {"one", "two"}), "2");
  EXPECT_THAT(offered("b"), IsEmpty());
  EXPECT_EQ(content(), "onetwo");
}

TEST_F(DonorSearchTest, WhoseBytesChangedUnseenGiveNothingWrong) {
  made("a", {"one", "two"});
  const cache::BlobStamp stamp = *index_.find_blob(sha256("onetwo"));
  fs::permissions(blob_of("onetwo"), fs::perms::owner_write, fs::perm_options::add);
  write_text(blob_of("onetwo"), "ONEtwo");
  cache::BlobStamp now = cache::blob_stamp(*build_.disk->stat(blob_of("onetwo")));
  ASSERT_NE(stamp, now);
  index_.note_blob(sha256("onetwo"), now);
  EXPECT_EQ(made("b", {"one", "two", "three"}), "2");
  EXPECT_EQ(offered("b").size(), 1u);
  EXPECT_EQ(content(), "onetwothree");
}

TEST_F(DonorSearchTest, ThatVanishAfterTheyWereOfferedAreDoneWithout) {
  made("a", {"one"});
  build_.new_graph();
  id_ = make("b", {"one", "two"});
  build_.behaviours["b"] = [](const ActionRequest& request, ActionContext& context) {
    EXPECT_EQ(request.donors.size(), 1u);
    fs::remove(request.donors[0].files.at("out"));
    return make_of_pieces(request, context, [](std::size_t) {});
  };
  EXPECT_EQ(computed(id_), "2");
}

TEST_F(DonorSearchTest, AreAtMostSoMany) {
  for (int i = 0; i < static_cast<int>(kMaxDonors) + 3; ++i)
    static_cast<void>(make("t" + std::to_string(i), {std::to_string(i)}));
  EXPECT_EQ(exit_code(build_.run()), 0);
  made("newest", {"newest"});
  made("last", {"last"});
  const std::vector<std::string> contents = offered("last");
  ASSERT_EQ(contents.size(), kMaxDonors);
  EXPECT_EQ(contents.front(), "newest");
}

TEST_F(DonorSearchTest, APieceBehindTheEndFailsItsActionAsItsRulesFault) {
  build_.new_graph();
  id_ = make("a", {"one"});
  build_.behaviours["a"] = [](const ActionRequest& request, ActionContext& context) {
    ActionResult result = make_of_pieces(request, context, [](std::size_t) {});
    result.pieces["out"][0].size_bytes = 4;
    return result;
  };
  report_ = build_.run({id_});
  EXPECT_EQ(report_.nodes.at(id_).failure->message,
            "pieces: one of \"out\" ends at byte 4, the file has 3");
}

}  // namespace
}  // namespace qbuild::engine::testing
