#include "engine/partial.h"

#include <gmock/gmock.h>

#include <cerrno>

#include "base/fake_file_system.h"
#include "tests/engine/piece_rule.h"

namespace qbuild::engine::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Call = FakeFileSystem::Call;

class Partial : public ::testing::Test {
 protected:
  Partial() { disk_.create_directories("/scratch"); }

  // An attempt that finishes these pieces and is killed; without a name, one of "out".
  fs::path attempt(const std::vector<std::string>& texts, const std::string& name = "out") {
    PartialPieces partial(disk_, "/scratch", name);
    write(partial, texts);
    return partial.path();
  }
  void write(PartialPieces& partial, const std::vector<std::string>& texts) {
    const auto file = disk_.create(partial.path(), CreateMode::kExclusive);
    std::uint64_t offset = 0;
    for (const std::string& text : texts) {
      file->append(as_bytes(text));
      partial.note({.key = piece_key(text),
                    .offset = offset,
                    .size_bytes = text.size(),
                    .checksum = xxh3_hex(as_bytes(text))});
      offset += text.size();
    }
  }
  // What the next attempt is offered, file by file; the attempt itself leaves nothing.
  std::vector<std::vector<std::string>> earlier() {
    const PartialPieces partial(disk_, "/scratch", "out");
    std::vector<std::vector<std::string>> found;
    for (const DonorFile& file : partial.earlier()) {
      std::vector<std::string>& texts = found.emplace_back();
      const auto open = disk_.open(file.path);
      for (const cache::Piece& piece : file.pieces) {
        std::string& text = texts.emplace_back();
        if (!cache::read_piece(*open, piece, [&](Bytes bytes) { text += as_text(bytes); }))
          text = "damaged";
      }
    }
    return found;
  }

  FakeFileSystem disk_;
};

TEST_F(Partial, InAnEmptyFolderThereIsNothingEarlier) {
  EXPECT_THAT(earlier(), IsEmpty());
}

TEST_F(Partial, WhatAnAttemptFinishedIsOfferedToTheNext) {
  attempt({"one", "two"});
  EXPECT_THAT(earlier(), ElementsAre(ElementsAre("one", "two")));
  EXPECT_THAT(earlier(), ElementsAre(ElementsAre("one", "two"))) << "again and again";
}

TEST_F(Partial, EachAttemptWritesToAFileOfItsOwn) {
  const fs::path first = attempt({"one"});
  const fs::path second = attempt({"one"});
  EXPECT_NE(first, second);
  EXPECT_EQ(first.parent_path(), "/scratch");
  EXPECT_EQ(first.filename().string().substr(0, 4), "out.");
}

TEST_F(Partial, KillsInARowLoseNothingThatWasFinished) {
  attempt({"one", "two", "three"});
  attempt({"one"});
  attempt({});
  EXPECT_THAT(earlier(), ElementsAre(ElementsAre("one", "two", "three")));
  attempt({"one", "two", "three", "four"});
  EXPECT_THAT(earlier(), ElementsAre(ElementsAre("one", "two", "three", "four")));
}

TEST_F(Partial, AttemptsInDifferentOrdersAddUp) {
  attempt({"one", "two"});
  attempt({"three"});
  EXPECT_THAT(earlier(), ElementsAre(ElementsAre("one", "two"), ElementsAre("three")));
  attempt({"three", "two", "one"});
  EXPECT_THAT(earlier(), ElementsAre(ElementsAre("three", "two", "one")));
}

TEST_F(Partial, WhatIsOfNoUseIsRemoved) {
  const fs::path first = attempt({"one"});
  const fs::path second = attempt({"one", "two"});
  static_cast<void>(earlier());
  EXPECT_FALSE(disk_.stat(first));
  EXPECT_FALSE(disk_.stat(first.string() + ".pieces"));
  EXPECT_TRUE(disk_.stat(second));
}

TEST_F(Partial, KeepsTheLargestOfManyAttempts) {
  for (std::size_t i = 1; i <= kMaxEarlierAttempts + 2; ++i) {
    std::vector<std::string> texts;
    for (std::size_t j = 0; j < i; ++j) texts.push_back(std::to_string(100 * i + j));
    attempt(texts);
  }
  const auto found = earlier();
  ASSERT_EQ(found.size(), kMaxEarlierAttempts);
  EXPECT_EQ(found.front().size(), kMaxEarlierAttempts + 2);
}

TEST_F(Partial, FilesOfOtherNamesAreOthersMatter) {
  const fs::path other = attempt({"one"}, "out2");
  disk_.put("/scratch/out", "whole");
  disk_.put("/scratch/out.txt", "whole");
  EXPECT_THAT(earlier(), IsEmpty());
  EXPECT_TRUE(disk_.stat(other));
  EXPECT_EQ(disk_.contents("/scratch/out"), "whole");
}

TEST_F(Partial, ATornLineIsIgnored) {
  const fs::path path = attempt({"one", "two"});
  const std::string journal = path.string() + ".pieces";
  const std::string whole = disk_.contents(journal);
  for (std::size_t cut = 1; cut < whole.size() / 2; ++cut) {
    disk_.put(journal, whole.substr(0, whole.size() - cut));
    EXPECT_THAT(earlier(), ElementsAre(ElementsAre("one"))) << cut;
  }
}

TEST_F(Partial, WhatTheFileDoesNotHoldIsNotOffered) {
  const fs::path path = attempt({"one", "two"});
  disk_.put(path.string(), "onet");
  EXPECT_THAT(earlier(), ElementsAre(ElementsAre("one")));
  disk_.put(path.string(), "ONE");
  EXPECT_THAT(earlier(), ElementsAre(ElementsAre("damaged"))) << "the checksum tells";
  disk_.remove(path);
  EXPECT_THAT(earlier(), IsEmpty());
}

TEST_F(Partial, OfAKeyThatIsThereTwiceTheLaterCounts) {
  attempt({"one", "two", "one"});
  const PartialPieces partial(disk_, "/scratch", "out");
  ASSERT_EQ(partial.earlier().size(), 1u);
  ASSERT_EQ(partial.earlier()[0].pieces.size(), 2u);
  EXPECT_EQ(partial.earlier()[0].pieces[1].offset, 6u);
}

TEST_F(Partial, GarbageIsIgnored) {
  const std::string name = "/scratch/out." + std::string(32, 'a');
  for (const std::string& garbage :
       {std::string("\n\n\n"), std::string(100'000, '\0'), std::string(1000, 'x') + "\n",
        piece_key("x") + " 0 99 " + piece_key("x") + "\n"}) {
    disk_.put(name, "data");
    disk_.put(name + ".pieces", garbage);
    EXPECT_THAT(earlier(), IsEmpty());
  }
}

TEST_F(Partial, LinesAroundGarbageCount) {
  const fs::path path = attempt({"one", "two"});
  const std::string journal = path.string() + ".pieces";
  disk_.put(journal, "x\n" + disk_.contents(journal) + "\ny\nz");
  EXPECT_THAT(earlier(), ElementsAre(ElementsAre("one", "two")));
}

TEST_F(Partial, AHugeJournalIsNotRead) {
  const fs::path path = attempt({"one"});
  const std::string journal = path.string() + ".pieces";
  disk_.put(journal, disk_.contents(journal) + std::string(kMaxJournalBytes, '\n'));
  EXPECT_THAT(earlier(), IsEmpty());
}

TEST_F(Partial, AFolderOfTheFilesNameIsNoFile) {
  const std::string name = "/scratch/out." + std::string(32, 'a');
  disk_.create_directories(name);
  disk_.put(name + ".pieces", piece_key("x") + " 0 1 " + piece_key("x") + "\n");
  EXPECT_THAT(earlier(), IsEmpty());
}

TEST_F(Partial, ThousandsOfAttemptsAreNotAllRead) {
  for (int i = 0; i < 1000; ++i)
    disk_.put("/scratch/out." + xxh3_hex(as_bytes(std::to_string(i))) + ".pieces", "garbage\n");
  const std::uint64_t before = disk_.count(Call::kOpen);
  EXPECT_THAT(earlier(), IsEmpty());
  EXPECT_LT(disk_.count(Call::kOpen) - before, 100u);
}

TEST_F(Partial, AFolderThatCannotBeReadIsAsGoodAsEmpty) {
  attempt({"one"});
  for (const Call call : {Call::kList, Call::kStat, Call::kOpen, Call::kRead}) {
    disk_.fail(call, 1, EIO);
    const PartialPieces partial(disk_, "/scratch", "out");
    disk_.forget_failures();
  }
  PartialPieces nowhere(disk_, "/absent", "out");
  EXPECT_THAT(nowhere.earlier(), IsEmpty());
}

TEST_F(Partial, AJournalThatCannotBeWrittenFailsNobody) {
  disk_.fail(Call::kCreate, 1, ENOSPC);
  PartialPieces partial(disk_, "/scratch", "out");
  write(partial, {"one"});
  EXPECT_THAT(earlier(), IsEmpty());
  PartialPieces full(disk_, "/scratch", "out");
  disk_.fail(Call::kWrite, 4, ENOSPC);  // the second line
  write(full, {"one", "two", "three"});
  EXPECT_THAT(earlier(), ElementsAre(ElementsAre("one")));
}

TEST_F(Partial, AfterAPowerCutNothingWrongIsBelieved) {
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    attempt({"one", "two", "three"});
    disk_.crash(seed);
    for (const std::vector<std::string>& texts : earlier()) {
      for (const std::string& text : texts)
        EXPECT_TRUE(text == "one" || text == "two" || text == "three" || text == "damaged") << text;
    }
    disk_.remove_tree("/scratch");
    disk_.create_directories("/scratch");
  }
}

}  // namespace
}  // namespace qbuild::engine::testing
