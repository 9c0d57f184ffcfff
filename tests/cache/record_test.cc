#include "cache/record.h"

#include "tests/cache/support.h"

namespace qbuild::cache {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

Record full() {
  Record record =
      record_of("rule quantize 1\n", {{"README.md", "# hi\n"}, {"model.gguf", "bytes"}});
  record.inline_files = {{"README.md", "# hi\n"}, {"log.bin", std::string("\xFF\x00\x01", 3)}};
  record.artifact.facets = {{"tensors", "ab"}};
  return record;
}

Record with_pieces() {
  Record record = full();
  record.piece_scope = "0f";
  record.pieces["model.gguf"] = {{.key = std::string(32, 'a'),
                                  .offset = 1,
                                  .size_bytes = 4,
                                  .checksum = xxh3_hex(as_bytes("ytes"))}};
  return record;
}

// The same record with `body` under a header that fits it.
std::string sealed(const std::string& body) {
  return "qbuild-record 1 " + xxh3_hex(as_bytes(body)) + "\n" + body;
}

std::string body_of(const std::string& bytes) {
  return bytes.substr(bytes.find('\n') + 1);
}

TEST(Record, ReadsBackEveryField) {
  const Record record = full();
  const Record read = parse_record(serialize(record));
  EXPECT_EQ(read.key, record.key);
  EXPECT_EQ(read.key_text, record.key_text);
  EXPECT_EQ(read.rule, record.rule);
  EXPECT_EQ(read.artifact, record.artifact);
  EXPECT_EQ(read.inline_files, record.inline_files);
  EXPECT_EQ(read.started_unix_ns, record.started_unix_ns);
  EXPECT_EQ(read.seconds, record.seconds);
  EXPECT_EQ(read.peak_memory_bytes, record.peak_memory_bytes);
  EXPECT_EQ(read.machine, record.machine);
  EXPECT_EQ(read.tool_version, record.tool_version);
}

TEST(Record, ReadsBackItsPieces) {
  const Record record = with_pieces();
  const std::string bytes = serialize(record);
  EXPECT_THAT(bytes,
              HasSubstr("\"tool_version\":\"qbuild 0.1.0\",\"piece_scope\":\"0f\",\"pieces\":{"
                        "\"model.gguf\":[\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa 1 4 "));
  const Record read = parse_record(bytes);
  EXPECT_EQ(read.piece_scope, "0f");
  EXPECT_EQ(read.pieces, record.pieces);
  EXPECT_EQ(serialize(read), bytes);
}

TEST(Record, WithoutPiecesIsTheBytesThatItWasBefore) {
  EXPECT_EQ(serialize(full()).find("piece"), std::string::npos);
  EXPECT_TRUE(parse_record(serialize(full())).piece_scope.empty());
}

TEST(Record, RefusesPiecesThatDoNotFitIt) {
  Record record = with_pieces();
  record.pieces["model.gguf"][0].offset = 2;
  EXPECT_EQ(error_of([&] { (void)serialize(record); })->message(),
            "record: pieces: one of \"model.gguf\" ends at byte 6, the file has 5");
  record = with_pieces();
  record.piece_scope = "";
  EXPECT_EQ(error_of([&] { (void)serialize(record); })->message(),
            "record: the scope of its pieces is no lower-case hex digest");
  record = with_pieces();
  record.pieces.clear();
  EXPECT_EQ(error_of([&] { (void)serialize(record); })->message(),
            "record: it has a scope for pieces and no pieces");
}

TEST(Record, IsTheSameBytesEveryTime) {
  EXPECT_EQ(serialize(full()), serialize(parse_record(serialize(full()))));
  EXPECT_THAT(serialize(full()), StartsWith("qbuild-record 1 "));
}

TEST(Record, IsWrittenAsItsDocumentShows) {
  Record record;
  record.key_text = "rule quantize 1\ntype Q8_0\n";
  record.key = sha256(record.key_text);
  record.rule = "quantize";
  record.artifact = artifact_of({{"model.gguf", "weights"}, {"result.json", "{}\n"}});
  record.artifact.facets = {{"tensors", "0f3a"}};
  record.artifact.facts = Json::object({{"bits_per_weight", Json(8.5)}});
  record.inline_files = {{"result.json", "{}\n"}};
  record.started_unix_ns = 1'700'000'000'000'000'000;
  record.seconds = 1.5;
  record.peak_memory_bytes = 4096;
  record.machine = Json::object({{"cpu", Json("a cpu")}});
  record.tool_version = "qbuild 0.1.0";
  const std::string document = read_text(fs::path(QBUILD_SOURCE_DIR) / "docs/store.md");
  EXPECT_THAT(document, HasSubstr("```\n" + serialize(record) + "```\n"));
}

TEST(Record, RejectsEveryTruncation) {
  const std::string bytes = serialize(with_pieces());
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    const std::optional<Error> error =
        error_of([&] { (void)parse_record(bytes.substr(0, length)); });
    ASSERT_TRUE(error) << length;
    EXPECT_EQ(error->kind(), ErrorKind::kCorrupt);
  }
}

TEST(Record, RejectsEveryFlippedByte) {
  const std::string bytes = serialize(full());
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    std::string flipped = bytes;
    flipped[at] = static_cast<char>(flipped[at] ^ 1);
    const std::optional<Error> error = error_of([&] { (void)parse_record(flipped); });
    ASSERT_TRUE(error) << at;
    EXPECT_EQ(error->kind(), ErrorKind::kCorrupt);
  }
}

TEST(Record, SaysWhatIsWrong) {
  const std::string bytes = serialize(full());
  EXPECT_EQ(error_of([] { (void)parse_record(""); })->message(),
            "record: it does not begin with \"qbuild-record\"");
  std::string other = bytes;
  other.replace(0, 16, "qbuild-record 2 ");
  EXPECT_EQ(error_of([&] { (void)parse_record(other); })->message(),
            "record: it is not of version 1");
  EXPECT_EQ(error_of([&] { (void)parse_record(bytes + "x"); })->message(),
            "record: its checksum does not match its content");
}

TEST(Record, RejectsForgedContentUnderAGoodChecksum) {
  const std::string body = body_of(serialize(full()));
  ASSERT_FALSE(error_of([&] { (void)parse_record(sealed(body)); }));
  const auto replaced = [&](std::string_view what, std::string_view with) {
    std::string text = body;
    const std::size_t at = text.find(what);
    EXPECT_NE(at, std::string::npos) << what;
    return text.replace(at, what.size(), with);
  };
  for (const std::string& bad :
       {std::string(), std::string("null\n"), std::string("{}\n"), replaced("\"rule\"", "\"role\""),
        replaced("\"seconds\":1.5", "\"seconds\":-1.5"),
        replaced("\"seconds\":1.5", "\"seconds\":null"), replaced("# hi\\n", "# hello\\n"),
        replaced("\"hex\":\"ff", "\"hex\":\"f"), replaced("\"hex\":\"ff", "\"hex\":\"zz"),
        replaced("\"name\":\"log.bin\"", "\"name\":\"README.md\""),
        replaced("\"name\":\"log.bin\"", "\"name\":\"../log\""),
        replaced("\"key\":\"", "\"key\":\"Z"), replaced("4096", "-1")}) {
    const std::optional<Error> error = error_of([&] { (void)parse_record(sealed(bad)); });
    ASSERT_TRUE(error) << bad;
    EXPECT_EQ(error->kind(), ErrorKind::kCorrupt) << bad;
  }
}

TEST(Record, RefusesAnInlineFileThatIsTooLarge) {
  Record record = full();
  record.inline_files["log.bin"] = std::string(kMaxInlineBytes + 1, 'x');
  EXPECT_THAT(error_of([&] { (void)serialize(record); })->message(),
              HasSubstr("has 1048577 bytes, at most 1048576 may be inline"));
  record.inline_files["log.bin"].pop_back();
  EXPECT_FALSE(error_of([&] { (void)parse_record(serialize(record)); }));
}

TEST(Record, RefusesAnInlineFileThatIsNotWhatItsArtifactSays) {
  Record record = full();
  record.inline_files["README.md"] = "# hello\n";
  EXPECT_EQ(error_of([&] { (void)serialize(record); })->message(),
            "record: inline file \"README.md\" has 8 bytes, its artifact says 5");
}

}  // namespace
}  // namespace qbuild::cache
