#include "rules/hashing_file.h"

#include <gtest/gtest.h>

#include "base/fake_file_system.h"

namespace qbuild::rules {
namespace {

TEST(HashingFile, NamesWhatItWroteByItsDigest) {
  FakeFileSystem files;
  HashingFile file(files.create("/model.gguf", CreateMode::kExclusive));
  file.append(as_bytes("some "));
  file.append({});
  file.append(as_bytes("weights"));
  file.flush();
  file.close();
  EXPECT_EQ(files.contents("/model.gguf"), "some weights");
  EXPECT_EQ(file.size_bytes(), 12u);
  EXPECT_EQ(file.finish(), sha256("some weights"));
}

TEST(HashingFile, AnEmptyFileHasTheDigestOfNothing) {
  FakeFileSystem files;
  HashingFile file(files.create("/empty", CreateMode::kExclusive));
  file.close();
  EXPECT_EQ(file.size_bytes(), 0u);
  EXPECT_EQ(file.finish(), sha256(""));
}

TEST(HashingFile, AFullDiskIsSaid) {
  FakeFileSystem files;
  HashingFile file(files.create("/model.gguf", CreateMode::kExclusive));
  files.set_free_bytes(3);
  EXPECT_THROW(file.append(as_bytes("too much")), std::exception);
  EXPECT_EQ(file.size_bytes(), 0u);
}

TEST(HashingFileDeathTest, WhatWasHashedIsNotOverwritten) {
  FakeFileSystem files;
  HashingFile file(files.create("/model.gguf", CreateMode::kExclusive));
  file.append(as_bytes("bytes"));
  EXPECT_DEATH(file.write_at(0, as_bytes("B")), "a hashed file is only appended to");
}

}  // namespace
}  // namespace qbuild::rules
