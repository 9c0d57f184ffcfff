#pragma once
// What every FileSystem does alike: the same tests run over the real disk and over the fake one, so
// that the fake cannot drift away from what it stands for.

#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <string>

#include "base/error.h"
#include "base/file_system.h"
#include "tests/base/expect_error.h"

namespace qbuild::test {

// A Place has a FileSystem `disk()` and an empty folder `root()`.
template <typename Place>
class FileSystemContract : public testing::Test {
 protected:
  FileSystem& disk() { return place_.disk(); }
  [[nodiscard]] fs::path at(const std::string& name) { return place_.root() / name; }
  void write(const std::string& name, std::string_view text) {
    const auto file = disk().create(at(name), CreateMode::kTruncate);
    file->append(as_bytes(text));
    file->close();
  }
  [[nodiscard]] std::string read(const std::string& name) {
    return read_file(disk(), at(name), 1 << 20);
  }

 private:
  Place place_;
};

TYPED_TEST_SUITE_P(FileSystemContract);

TYPED_TEST_P(FileSystemContract, StatOfWhatIsNotThereIsNothing) {
  EXPECT_EQ(this->disk().stat(this->at("none")), std::nullopt);
  EXPECT_EQ(this->disk().stat(this->at("none/deeper")), std::nullopt);
}

TYPED_TEST_P(FileSystemContract, StatOfManyIsTheStatOfEach) {
  std::vector<std::string> paths;
  for (int i = 0; i < 2000; ++i) {
    if (i % 100 == 0) this->write(std::to_string(i), std::string(static_cast<std::size_t>(i), 'x'));
    paths.push_back(this->at(std::to_string(i)).string());
  }
  const auto stats = this->disk().stat_each(paths);
  ASSERT_EQ(stats.size(), paths.size());
  for (std::size_t i = 0; i < paths.size(); ++i)
    EXPECT_EQ(stats[i], this->disk().stat(paths[i])) << paths[i];
  EXPECT_TRUE(this->disk().stat_each({}).empty());
}

TYPED_TEST_P(FileSystemContract, OpenOfWhatIsNotThereNamesThePlace) {
  const Error error = error_of([&] { static_cast<void>(this->disk().open(this->at("none"))); });
  EXPECT_EQ(error.kind(), ErrorKind::kNotFound);
  EXPECT_EQ(error.message(), "open " + this->at("none").string() + ": no such file");
}

TYPED_TEST_P(FileSystemContract, OpenOfAFolderIsRefused) {
  this->disk().create_directories(this->at("d"));
  const Error error = error_of([&] { static_cast<void>(this->disk().open(this->at("d"))); });
  EXPECT_EQ(error.kind(), ErrorKind::kInvalidInput);
  EXPECT_EQ(error.message(), "open " + this->at("d").string() + ": is a folder");
}

TYPED_TEST_P(FileSystemContract, ReadsWhatWasWrittenAndLessOnlyAtTheEnd) {
  this->write("a", "hello");
  const auto file = this->disk().open(this->at("a"));
  std::array<std::byte, 4> buffer{};
  EXPECT_EQ(file->read_at(0, buffer), 4U);
  EXPECT_EQ(as_text(buffer), "hell");
  EXPECT_EQ(file->read_at(3, buffer), 2U);
  EXPECT_EQ(file->read_at(5, buffer), 0U);
  EXPECT_EQ(file->read_at(1'000'000, buffer), 0U);
  EXPECT_EQ(file->stat().size_bytes, 5U);
  EXPECT_EQ(file->stat(), this->disk().stat(this->at("a")));
}

TYPED_TEST_P(FileSystemContract, OverwritesWithinWhatWasWritten) {
  const auto file = this->disk().create(this->at("a"), CreateMode::kExclusive);
  file->append(as_bytes("0000body"));
  file->write_at(0, as_bytes("head"));
  file->append(as_bytes("tail"));
  file->flush();
  file->close();
  file->close();
  EXPECT_EQ(this->read("a"), "headbodytail");
}

TYPED_TEST_P(FileSystemContract, CreatesInTheModeAskedFor) {
  this->write("a", "old");
  const Error error = error_of(
      [&] { static_cast<void>(this->disk().create(this->at("a"), CreateMode::kExclusive)); });
  EXPECT_EQ(error.kind(), ErrorKind::kInvalidInput);
  EXPECT_EQ(error.message(), "create " + this->at("a").string() + ": already exists");
  this->disk().create(this->at("a"), CreateMode::kAppend)->append(as_bytes("+new"));
  EXPECT_EQ(this->read("a"), "old+new");
  this->disk().create(this->at("a"), CreateMode::kTruncate)->append(as_bytes("n"));
  EXPECT_EQ(this->read("a"), "n");
}

TYPED_TEST_P(FileSystemContract, CreatesNoFoldersBesideTheFile) {
  const Error error = error_of(
      [&] { static_cast<void>(this->disk().create(this->at("d/a"), CreateMode::kTruncate)); });
  EXPECT_EQ(error.kind(), ErrorKind::kNotFound);
}

TYPED_TEST_P(FileSystemContract, RenameReplacesAndKeepsTheFile) {
  this->write("a", "new");
  this->write("b", "old");
  const std::uint64_t inode = this->disk().stat(this->at("a"))->inode;
  this->disk().rename(this->at("a"), this->at("b"));
  EXPECT_EQ(this->read("b"), "new");
  EXPECT_EQ(this->disk().stat(this->at("b"))->inode, inode);
  EXPECT_EQ(this->disk().stat(this->at("a")), std::nullopt);
  EXPECT_EQ(
      error_of([&] { this->disk().rename(this->at("a"), this->at("b")); }).message(),
      "rename " + this->at("a").string() + " to " + this->at("b").string() + ": no such file");
}

TYPED_TEST_P(FileSystemContract, RenameOfAFolderTakesItsContentsAlong) {
  this->disk().create_directories(this->at("d/e"));
  this->write("d/e/a", "text");
  this->disk().rename(this->at("d"), this->at("f"));
  EXPECT_EQ(this->read("f/e/a"), "text");
  EXPECT_EQ(this->disk().stat(this->at("d")), std::nullopt);
}

TYPED_TEST_P(FileSystemContract, RemovesFilesAndWholeTrees) {
  this->disk().create_directories(this->at("d/e"));
  this->write("d/e/a", "text");
  EXPECT_TRUE(this->disk().remove(this->at("d/e/a")));
  EXPECT_FALSE(this->disk().remove(this->at("d/e/a")));
  this->write("d/e/a", "text");
  this->disk().remove_tree(this->at("d"));
  EXPECT_EQ(this->disk().stat(this->at("d")), std::nullopt);
  this->disk().remove_tree(this->at("d"));
}

TYPED_TEST_P(FileSystemContract, ListsNamesSortedByBytes) {
  for (const char* name : {"b", "a", "B", "a.b", "\xC3\xA4"}) this->write(name, "");
  this->disk().create_directories(this->at("dir/inner"));
  EXPECT_EQ(this->disk().list(this->at("")),
            (std::vector<std::string>{"B", "a", "a.b", "b", "dir", "\xC3\xA4"}));
  const Error error = error_of([&] { static_cast<void>(this->disk().list(this->at("none"))); });
  EXPECT_EQ(error.kind(), ErrorKind::kNotFound);
  EXPECT_EQ(error.message(), "list " + this->at("none").string() + ": no such folder");
}

TYPED_TEST_P(FileSystemContract, CreatesFoldersThatAreMissingAndMindsFilesInTheWay) {
  this->disk().create_directories(this->at("x/y"));
  this->disk().create_directories(this->at("x/y"));
  EXPECT_EQ(this->disk().stat(this->at("x/y"))->kind, FileStat::Kind::kDirectory);
  this->disk().flush_directory(this->at("x"));
  this->write("f", "");
  EXPECT_THROW(this->disk().create_directories(this->at("f/y")), Error);
}

TYPED_TEST_P(FileSystemContract, HardLinkIsTheSameFile) {
  this->write("a", "text");
  ASSERT_TRUE(this->disk().hard_link(this->at("a"), this->at("b")));
  EXPECT_EQ(this->disk().stat(this->at("a"))->inode, this->disk().stat(this->at("b"))->inode);
  EXPECT_EQ(error_of([&] {
              static_cast<void>(this->disk().hard_link(this->at("a"), this->at("b")));
            }).kind(),
            ErrorKind::kInvalidInput);
}

TYPED_TEST_P(FileSystemContract, CloneIsAnotherFileOrLeavesNothing) {
  this->write("a", "text");
  if (this->disk().clone(this->at("a"), this->at("b"))) {
    EXPECT_EQ(this->read("b"), "text");
    EXPECT_NE(this->disk().stat(this->at("a"))->inode, this->disk().stat(this->at("b"))->inode);
  } else {
    EXPECT_EQ(this->disk().stat(this->at("b")), std::nullopt);
  }
  EXPECT_THROW(static_cast<void>(this->disk().clone(this->at("none"), this->at("c"))), Error);
}

TYPED_TEST_P(FileSystemContract, SetsPermissionBits) {
  this->write("a", "text");
  this->disk().set_mode(this->at("a"), 0444);
  EXPECT_EQ(this->disk().stat(this->at("a"))->mode, 0444U);
  EXPECT_EQ(error_of([&] { this->disk().set_mode(this->at("none"), 0444); }).kind(),
            ErrorKind::kNotFound);
}

TYPED_TEST_P(FileSystemContract, KnowsFreeSpaceAlsoForAFolderThatIsYetToCome) {
  EXPECT_GT(this->disk().free_bytes(this->at("")), 0U);
  EXPECT_GT(this->disk().free_bytes(this->at("not/yet/there")), 0U);
}

TYPED_TEST_P(FileSystemContract, LockIsHeldByOneUntilItsEnd) {
  auto first = this->disk().lock(this->at("lock"), LockWait::kBlock);
  ASSERT_NE(first, nullptr);
  EXPECT_EQ(this->disk().lock(this->at("lock"), LockWait::kTry), nullptr);
  EXPECT_NE(this->disk().lock(this->at("other"), LockWait::kTry), nullptr);
  first.reset();
  EXPECT_NE(this->disk().lock(this->at("lock"), LockWait::kTry), nullptr);
}

TYPED_TEST_P(FileSystemContract, FlushesFilesAndFoldersAndSaysWhichCouldNotBe) {
  std::vector<fs::path> paths;
  for (int i = 0; i < 40; ++i) {
    this->write(std::to_string(i), "text");
    this->disk().set_mode(this->at(std::to_string(i)), 0444);
    paths.push_back(this->at(std::to_string(i)));
  }
  paths.push_back(this->at(""));
  paths.insert(paths.begin() + 7, this->at("none"));
  const auto errors = this->disk().flush_each(paths);
  ASSERT_EQ(errors.size(), paths.size());
  for (std::size_t i = 0; i < errors.size(); ++i) EXPECT_EQ(errors[i].has_value(), i == 7) << i;
  ASSERT_TRUE(errors[7]);
  EXPECT_EQ(errors[7]->kind(), ErrorKind::kNotFound);
  EXPECT_EQ(errors[7]->message(), "open " + this->at("none").string() + ": no such file");
  EXPECT_TRUE(this->disk().flush_each({}).empty());
}

REGISTER_TYPED_TEST_SUITE_P(FileSystemContract, StatOfWhatIsNotThereIsNothing,
                            StatOfManyIsTheStatOfEach, OpenOfWhatIsNotThereNamesThePlace,
                            OpenOfAFolderIsRefused, ReadsWhatWasWrittenAndLessOnlyAtTheEnd,
                            OverwritesWithinWhatWasWritten, CreatesInTheModeAskedFor,
                            CreatesNoFoldersBesideTheFile, RenameReplacesAndKeepsTheFile,
                            RenameOfAFolderTakesItsContentsAlong, RemovesFilesAndWholeTrees,
                            ListsNamesSortedByBytes,
                            CreatesFoldersThatAreMissingAndMindsFilesInTheWay,
                            HardLinkIsTheSameFile, CloneIsAnotherFileOrLeavesNothing,
                            SetsPermissionBits, KnowsFreeSpaceAlsoForAFolderThatIsYetToCome,
                            LockIsHeldByOneUntilItsEnd,
                            FlushesFilesAndFoldersAndSaysWhichCouldNotBe);

}  // namespace qbuild::test
