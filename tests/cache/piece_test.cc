#include "cache/piece.h"

#include <cerrno>

#include "base/fake_file_system.h"
#include "base/text.h"
#include "tests/cache/support.h"

namespace qbuild::cache {
namespace {

const std::string kKey(32, 'a');

Piece piece_of(std::string_view text, std::uint64_t offset, const std::string& key = kKey) {
  return {.key = key,
          .offset = offset,
          .size_bytes = text.size(),
          .checksum = xxh3_hex(as_bytes(text))};
}

std::string refusal(const PieceTable& pieces) {
  const Artifact artifact = artifact_of({{"model.gguf", "0123456789"}, {"other", "x"}});
  const std::optional<Error> error = error_of([&] { check_pieces(pieces, artifact); });
  if (!error) return "";
  EXPECT_EQ(error->kind(), ErrorKind::kInvalidInput);
  return error->message();
}

TEST(Piece, IsOneLineThatReadsBack) {
  const Piece piece = piece_of("xyz", 17);
  EXPECT_EQ(piece_line(piece), kKey + " 17 3 " + xxh3_hex(as_bytes("xyz")));
  EXPECT_EQ(parse_piece_line(piece_line(piece)), piece);
}

TEST(Piece, AnyOtherLineIsNone) {
  const std::string good = kKey + " 17 3 " + std::string(32, 'b');
  ASSERT_TRUE(parse_piece_line(good));
  for (std::size_t length = 0; length < good.size(); ++length)
    EXPECT_FALSE(parse_piece_line(good.substr(0, length))) << length;
  for (const std::string& bad :
       {good + " ", " " + good, good + "\n", good + "b", "A" + good.substr(1),
        kKey + "  17 3 " + kKey, kKey + " -1 3 " + kKey, kKey + " +1 3 " + kKey,
        kKey + " 017 3 " + kKey, kKey + " 17 0 " + kKey, kKey + " 17 0x3 " + kKey,
        kKey + " 18446744073709551615 1 " + kKey, kKey + " 0 18446744073709551616 " + kKey,
        kKey + " 1 3 4 " + kKey, std::string(4, '\0'), std::string(1'000'000, 'a')})
    EXPECT_FALSE(parse_piece_line(bad)) << bad.substr(0, 100);
}

TEST(Piece, ScopeIsAHexDigest) {
  EXPECT_TRUE(is_piece_scope("0f"));
  EXPECT_TRUE(is_piece_scope(std::string(128, 'a')));
  for (const std::string& bad :
       {std::string(), std::string("x"), std::string("AB"), std::string(129, 'a')})
    EXPECT_FALSE(is_piece_scope(bad)) << bad;
}

TEST(PieceTable, ComesBackFromJson) {
  const PieceTable pieces{{"model.gguf", {piece_of("012", 0), piece_of("789", 7)}},
                          {"other", {piece_of("x", 0)}}};
  EXPECT_EQ(refusal(pieces), "");
  EXPECT_EQ(pieces_from_json(Json::parse(to_json(pieces).dump())), pieces);
  EXPECT_EQ(pieces_from_json(Json::object()), PieceTable());
}

TEST(PieceTable, MustFitItsArtifact) {
  EXPECT_EQ(refusal({{"absent", {piece_of("x", 0)}}}), "pieces: it has no file \"absent\"");
  EXPECT_EQ(refusal({{"other", {}}}), "pieces: \"other\" is named and has none");
  EXPECT_EQ(refusal({{"other", {piece_of("x", 1)}}}),
            "pieces: one of \"other\" ends at byte 2, the file has 1");
  EXPECT_EQ(refusal({{"model.gguf", {piece_of("012", 0), piece_of("2", 2)}}}),
            "pieces: those of \"model.gguf\" overlap or are out of order at byte 2");
  EXPECT_EQ(refusal({{"model.gguf", {piece_of("789", 7), piece_of("012", 0)}}}),
            "pieces: those of \"model.gguf\" overlap or are out of order at byte 0");
  EXPECT_EQ(refusal({{"model.gguf", {piece_of("", 0)}}}),
            "pieces: \"model.gguf\" has one that is none");
  EXPECT_EQ(refusal({{"model.gguf", {piece_of("0", 0, "A" + kKey.substr(1))}}}),
            "pieces: \"model.gguf\" has one that is none");
  Piece endless = piece_of("0", 5);
  endless.size_bytes = ~std::uint64_t{0};
  EXPECT_EQ(refusal({{"model.gguf", {endless}}}), "pieces: \"model.gguf\" has one that is none");
}

TEST(PieceTable, OfTooManyIsRefused) {
  std::vector<Piece> many(kMaxPieces + 1, piece_of("x", 0));
  EXPECT_EQ(refusal({{"other", many}}),
            "pieces: 100001 are more than the 100000 that an artifact may have");
  const std::optional<Error> error = error_of([&] {
    (void)pieces_from_json(to_json({{"other", many}}));
  });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->kind(), ErrorKind::kCorrupt);
}

TEST(PieceTable, OfOtherJsonIsCorrupt) {
  for (const char* bad :
       {"null", "[]", "{\"a\":1}", "{\"a\":[1]}", "{\"a\":[\"\"]}", "{\"a\":[\"x 0 1 y\"]}"}) {
    const std::optional<Error> error = error_of([&] { (void)pieces_from_json(Json::parse(bad)); });
    ASSERT_TRUE(error) << bad;
    EXPECT_EQ(error->kind(), ErrorKind::kCorrupt) << bad;
  }
}

class ReadPiece : public testing::Test {
 protected:
  ReadPiece() { disk_.put("/file", text_); }
  [[nodiscard]] std::optional<std::string> read(const Piece& piece) {
    std::string got;
    const auto file = disk_.open("/file");
    if (!read_piece(*file, piece, [&](Bytes bytes) { got += as_text(bytes); })) return std::nullopt;
    return got;
  }

  // More than one window.
  const std::string text_ = std::string(1'500'000, 'x') + "end";
  FakeFileSystem disk_;
};

TEST_F(ReadPiece, GivesItsBytes) {
  EXPECT_EQ(read(piece_of("xend", 1'499'999)), "xend");
  EXPECT_EQ(read(piece_of(text_, 0)), text_);
  EXPECT_TRUE(read_piece(*disk_.open("/file"), piece_of("end", 1'500'000), {}));
}

TEST_F(ReadPiece, OfOtherBytesIsNone) {
  EXPECT_FALSE(read(piece_of("End", 1'500'000)));
  EXPECT_FALSE(read(piece_of("end.", 1'500'000)));
  EXPECT_FALSE(read(piece_of("x", 9'000'000)));
  Piece huge = piece_of("end", 1'500'000);
  huge.size_bytes = std::uint64_t{1} << 60;
  EXPECT_FALSE(read(huge));
}

TEST_F(ReadPiece, FromADiskThatFailsIsNone) {
  const auto file = disk_.open("/file");
  disk_.fail(FakeFileSystem::Call::kRead, 2, EIO);
  EXPECT_FALSE(read_piece(*file, piece_of(text_, 0), {}));
  EXPECT_TRUE(read_piece(*file, piece_of(text_, 0), {}));
}

TEST_F(ReadPiece, ThrowsWhatItsSinkThrows) {
  const auto file = disk_.open("/file");
  EXPECT_EQ(error_of([&] {
              (void)read_piece(*file, piece_of("end", 1'500'000),
                               [](Bytes) { throw Error(ErrorKind::kExhausted, "full"); });
            })->message(),
            "full");
}

}  // namespace
}  // namespace qbuild::cache
