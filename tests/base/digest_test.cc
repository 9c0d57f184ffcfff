#include "base/digest.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>

namespace qbuild {
namespace {

// FIPS 180-4 examples.
constexpr const char* kSha256OfAbc =
    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
constexpr const char* kSha256OfNothing =
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

TEST(Digest, IsTheSha256OfTheStandard) {
  EXPECT_EQ(sha256("abc").hex(), kSha256OfAbc);
  EXPECT_EQ(sha256("").hex(), kSha256OfNothing);
  EXPECT_EQ(sha256(std::string(1'000'000, 'a')).hex(),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Digest, DoesNotDependOnHowTheBytesArrive) {
  Sha256 hash;
  hash.update("a");
  hash.update("");
  Sha256 moved = std::move(hash);
  moved.update("bc");
  EXPECT_EQ(moved.finish().hex(), kSha256OfAbc);
}

TEST(Digest, ReadsBackItsHex) {
  const Digest digest = sha256("abc");
  EXPECT_EQ(Digest::from_hex(digest.hex()), digest);
}

TEST(Digest, RefusesHexThatIsNotOne) {
  const std::string good = kSha256OfAbc;
  EXPECT_EQ(Digest::from_hex(""), std::nullopt);
  EXPECT_EQ(Digest::from_hex(good.substr(1)), std::nullopt);
  EXPECT_EQ(Digest::from_hex(good + "0"), std::nullopt);
  EXPECT_EQ(Digest::from_hex("g" + good.substr(1)), std::nullopt);
  EXPECT_EQ(Digest::from_hex("B" + good.substr(1)), std::nullopt);  // one spelling per digest
}

TEST(Digest, OnlyTheDefaultIsEmpty) {
  EXPECT_TRUE(Digest{}.empty());
  EXPECT_FALSE(sha256("").empty());
}

TEST(Digest, NamesBlobsAsGitDoes) {
  // git hash-object of an empty file, and of "hello\n".
  EXPECT_EQ(git_blob_sha1({}), "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391");
  EXPECT_EQ(git_blob_sha1(as_bytes("hello\n")), "ce013625030ba8dba906f756967f9e9ca394464a");
  EXPECT_EQ(sha1_hex(as_bytes("abc")), "a9993e364706816aba3e25717850c26c9cd0d89d");
}

TEST(Digest, ChecksumIsXxh3WithItsPublishedEmptyValue) {
  EXPECT_EQ(xxh3_hex({}), "99aa06d3014798d86001c324468d497f");
  EXPECT_NE(xxh3_hex(as_bytes("a")), xxh3_hex(as_bytes("b")));
}

TEST(Xxh3, OfPiecesIsThatOfTheWhole) {
  const std::string text(1'000'000, 'q');
  Xxh3 hash;
  EXPECT_EQ(hash.hex(), xxh3_hex({}));
  for (std::size_t at = 0; at < text.size(); at += 99'999)
    hash.update(as_bytes(std::string_view(text).substr(at, 99'999)));
  EXPECT_EQ(hash.hex(), xxh3_hex(as_bytes(text)));
}

TEST(DigestDeathTest, IsFinishedOnce) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  Sha256 hash;
  static_cast<void>(hash.finish());
  EXPECT_DEATH(hash.update("x"), "fed before it is finished");
}

}  // namespace
}  // namespace qbuild
