// Records that are wrong, and what is said of each.

#include <ostream>

#include "base/text.h"
#include "cache/record.h"
#include "tests/base/bounded.h"
#include "tests/cache/support.h"

namespace qbuild::cache {
namespace {

// The same bytes under a header that fits them.
std::string sealed(const std::string& body) {
  return "qbuild-record 1 " + xxh3_hex(as_bytes(body)) + "\n" + body;
}

std::string whole() {
  Record record = record_of("rule x 1\n", {{"model.gguf", "bytes"}});
  record.inline_files = {{"note", "hi"}};
  return serialize(record);
}
std::string body() {
  const std::string bytes = whole();
  return bytes.substr(bytes.find('\n') + 1);
}
// A record in which one piece of its text is another, under a checksum that fits.
std::string with(std::string_view piece, std::string_view other) {
  std::string text = body();
  const std::size_t at = text.find(piece);
  if (at == std::string::npos) throw std::logic_error("no such piece: " + std::string(piece));
  return sealed(text.replace(at, piece.size(), other));
}
// One with these two members behind the others.
std::string with_pieces(const std::string& scope, const std::string& pieces) {
  return with("\"tool_version\":\"qbuild 0.1.0\"}",
              "\"tool_version\":\"\",\"piece_scope\":" + scope + ",\"pieces\":" + pieces + "}");
}
// A line of a piece in which one word is another.
std::string piece(const std::string& range) {
  return "\"" + std::string(32, 'a') + " " + range + " " + std::string(32, 'b') + "\"";
}
// One whose artifact has these files, given as JSON.
std::string with_files(const std::string& files) {
  const std::string text = body();
  const std::size_t begin = text.find("\"files\":[") + 9;
  return sealed(text.substr(0, begin) + files + text.substr(text.find(']', begin)));
}
std::string file(const std::string& name) {
  return "{\"name\":" + Json(name).dump() + ",\"sha256\":\"" + std::string(64, 'a') +
         "\",\"size\":1}";
}

struct BrokenRecord {
  std::string name;
  std::string bytes;
  std::string message;
};

void PrintTo(const BrokenRecord& record, std::ostream* out) {
  *out << record.name;
}

class RecordThatIsBroken : public testing::TestWithParam<BrokenRecord> {};

TEST_P(RecordThatIsBroken, IsRefused) {
  const std::optional<Error> error = error_of([&] { (void)parse_record(GetParam().bytes); });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->message(), GetParam().message);
  EXPECT_EQ(error->kind(), ErrorKind::kCorrupt);
}

const std::string kLong(300, 'n');

INSTANTIATE_TEST_SUITE_P(
    Frame, RecordThatIsBroken,
    testing::Values(
        BrokenRecord{"Empty", "", "record: it does not begin with \"qbuild-record\""},
        BrokenRecord{"WithoutALineEnd", "qbuild-record 1 00",
                     "record: it does not begin with \"qbuild-record\""},
        BrokenRecord{"OfVersion2", "qbuild-record 2 " + std::string(32, '0') + "\n{}\n",
                     "record: it is not of version 1"},
        BrokenRecord{"CutInItsChecksum", whole().substr(0, 30) + "\n",
                     "record: its checksum does not match its content"},
        BrokenRecord{"CutInItsBody", whole().substr(0, whole().size() - 20),
                     "record: its checksum does not match its content"},
        BrokenRecord{"WithBytesBehindIt", whole() + "x",
                     "record: its checksum does not match its content"},
        BrokenRecord{"OfAnotherChecksum", "qbuild-record 1 " + std::string(32, '0') + "\n" + body(),
                     "record: its checksum does not match its content"},
        BrokenRecord{"OfNoJson", sealed("{\n"),
                     "record: 2:1: invalid JSON: unexpected end of input; expected string literal"},
        BrokenRecord{"Of10000Levels", sealed(std::string(10'000, '[')),
                     "record: 1:129: nested deeper than 128 levels"},
        BrokenRecord{"WithAMemberTwice", with("\"rule\":", "\"key\":\"\",\"rule\":"),
                     "record: 1:99: \"key\" is given twice"},
        BrokenRecord{"WithAMemberMore", with("\"rule\":", "\"more\":1,\"rule\":"),
                     "record: it has a member too many or too few"}),
    [](const auto& row) { return row.param.name; });

INSTANTIATE_TEST_SUITE_P(
    Values, RecordThatIsBroken,
    testing::Values(
        BrokenRecord{"KeyThatIsShort", with("\"key\":\"", "\"key\":\"0"),
                     "record: the key is not 64 lower-case hex digits"},
        BrokenRecord{"SecondsThatAreAWord", with("\"seconds\":1.5", "\"seconds\":\"x\""),
                     "record: seconds: expected a number, found a string"},
        BrokenRecord{
            "MemoryBelow0", with("\"peak_memory_bytes\":", "\"peak_memory_bytes\":-"),
            "record: peak_memory_bytes: expected a number that is not negative, found -4096"},
        BrokenRecord{"FileTwice", with_files(file("a") + "," + file("a")),
                     "record: artifact: file \"a\" is there twice or out of order"},
        BrokenRecord{"FilesOutOfOrder", with_files(file("b") + "," + file("a")),
                     "record: artifact: file \"a\" is there twice or out of order"},
        BrokenRecord{"FileThatLeaves", with_files(file("../../home/x")),
                     "record: artifact: \"../../home/x\" is no canonical file name (relative, "
                     "UTF-8, without \".\", \"..\", backslash or control characters)"},
        BrokenRecord{"FileOfAbsolutePath", with_files(file("/etc/passwd")),
                     "record: artifact: \"/etc/passwd\" is no canonical file name (relative, "
                     "UTF-8, without \".\", \"..\", backslash or control characters)"},
        BrokenRecord{"FileOfTwoLines", with_files(file("a\nb")),
                     "record: artifact: \"a\\x0ab\" is no canonical file name (relative, UTF-8, "
                     "without \".\", \"..\", backslash or control characters)"},
        BrokenRecord{"FileWithABackslash", with_files(file("a\\b")),
                     "record: artifact: \"a\\b\" is no canonical file name (relative, UTF-8, "
                     "without \".\", \"..\", backslash or control characters)"},
        BrokenRecord{"FileOf300Bytes", with_files(file(kLong)),
                     "record: artifact: \"" + std::string(160, 'n') +
                         "... (300 bytes)\" is no canonical file name (relative, UTF-8, without "
                         "\".\", \"..\", backslash or control characters)"},
        BrokenRecord{"FileThatIsAFolder", with_files(file("a") + "," + file("a/b")),
                     "record: artifact: a folder of \"a/b\" is a file too"},
        BrokenRecord{"FileOfNoSize", with_files("{\"name\":\"a\",\"sha256\":\"\",\"size\":1}"),
                     "record: artifact: a file's sha256 is not 64 lower-case hex digits"},
        BrokenRecord{"InlineFileThatLeaves", with("\"name\":\"note\"", "\"name\":\"../note\""),
                     "record: inline file \"../note\" has no canonical name"},
        BrokenRecord{"InlineFileOfOddHex", with("\"text\":\"hi\"", "\"hex\":\"abc\""),
                     "record: inline: an inline file is not hex"}),
    [](const auto& row) { return row.param.name; });

INSTANTIATE_TEST_SUITE_P(
    Pieces, RecordThatIsBroken,
    testing::Values(
        BrokenRecord{"WithoutAScope",
                     with_pieces("\"\"", "{\"model.gguf\":[" + piece("0 1") + "]}"),
                     "record: it has pieces without a scope"},
        BrokenRecord{"OfAScopeThatIsAWord",
                     with_pieces("\"x\"", "{\"model.gguf\":[" + piece("0 1") + "]}"),
                     "record: the scope of its pieces is no lower-case hex digest"},
        BrokenRecord{"ThatAreNone", with_pieces("\"ab\"", "{}"),
                     "record: it has a scope for pieces and no pieces"},
        BrokenRecord{"UnderAnotherName",
                     with("\"tool_version\":\"qbuild 0.1.0\"}",
                          "\"tool_version\":\"\",\"piece_scope\":\"ab\",\"piece\":{}}"),
                     "record: it has a member too many or too few"},
        BrokenRecord{"OfAFileThatIsNotThere",
                     with_pieces("\"ab\"", "{\"model\":[" + piece("0 1") + "]}"),
                     "record: pieces: it has no file \"model\""},
        BrokenRecord{"OfAFileWithoutAny", with_pieces("\"ab\"", "{\"model.gguf\":[]}"),
                     "record: pieces: \"model.gguf\" is named and has none"},
        BrokenRecord{"BehindTheEnd",
                     with_pieces("\"ab\"", "{\"model.gguf\":[" + piece("3 3") + "]}"),
                     "record: pieces: one of \"model.gguf\" ends at byte 6, the file has 5"},
        BrokenRecord{
            "OutOfOrder",
            with_pieces("\"ab\"", "{\"model.gguf\":[" + piece("3 1") + "," + piece("0 1") + "]}"),
            "record: pieces: those of \"model.gguf\" overlap or are out of order at byte 0"},
        BrokenRecord{
            "ThatOverlap",
            with_pieces("\"ab\"", "{\"model.gguf\":[" + piece("0 2") + "," + piece("1 2") + "]}"),
            "record: pieces: those of \"model.gguf\" overlap or are out of order at byte 1"},
        BrokenRecord{"OfNoSize", with_pieces("\"ab\"", "{\"model.gguf\":[" + piece("0 0") + "]}"),
                     "record: pieces: \"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa 0 0 "
                     "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb\" is none"},
        BrokenRecord{"InAList", with_pieces("\"ab\"", "[]"),
                     "record: expected an object, found an array"}),
    [](const auto& row) { return row.param.name; });

// What is said of a record, at a price that anybody can pay.
std::string answer(const std::string& bytes) {
  const test::Cost cost = test::bounded([&]() -> std::string {
    const std::optional<Error> error = error_of([&] { (void)parse_record(bytes); });
    return error ? error->message() : "read";
  });
  EXPECT_EQ(cost.failure, "");
  EXPECT_LT(cost.cpu_seconds, 2.0);
  EXPECT_LT(cost.grown_mib, 200);
  return cost.said;
}

TEST(BigRecord, OfAMillionFilesIsNotTaken) {
  std::string files;
  for (int i = 0; i < 1'000'000; ++i)
    files += std::string(i == 0 ? "" : ",") + "{\"name\":\"" + std::to_string(i) + "\"}";
  EXPECT_EQ(answer(with_files(files)),
            "record: 1:15331606: its values up to here take more than 117440512 bytes of memory");
}

TEST(BigRecord, OfMoreFilesThanAnArtifactMayHaveIsNotTaken) {
  std::string files;
  for (int i = 0; i <= 100'000; ++i)
    files += std::string(i == 0 ? "" : ",") + file(std::to_string(1'000'000 + i));
  EXPECT_EQ(answer(with_files(files)),
            "record: artifact: 100001 files are more than the 100000 that one may have");
}

TEST(BigRecord, OfManyInlineFilesBesideManyFilesIsReadInTime) {
  std::string files;
  std::string inlines;
  for (int i = 0; i < 100'000; ++i) {
    const std::string name = std::to_string(1'000'000 + i);
    files += std::string(i == 0 ? "" : ",") + file(name);
    inlines += (i == 0 ? "{\"name\":\"" : ",{\"name\":\"") + name + "\",\"text\":\"x\"}";
  }
  std::string text = body();
  const std::size_t begin = text.find("\"inline\":[") + 10;
  text.replace(begin, text.find(']', begin) - begin, inlines);
  const std::size_t list = text.find("\"files\":[") + 9;
  text.replace(list, text.find(']', list) - list, files);
  EXPECT_EQ(answer(sealed(text)), "read");
}

TEST(BigRecord, OfAllThePiecesThatOneMayHaveIsReadAndOneMoreIsNot) {
  std::string lines;
  for (int i = 0; i < 100'000; ++i) lines += (i == 0 ? "" : ",") + piece(std::to_string(i) + " 1");
  const auto with_size = [](const std::string& record) {
    std::string text = record.substr(record.find('\n') + 1);
    return sealed(text.replace(text.find("\"size\":5"), 8, "\"size\":100000"));
  };
  EXPECT_EQ(answer(with_size(with_pieces("\"ab\"", "{\"model.gguf\":[" + lines + "]}"))), "read");
  lines += "," + piece("100000 1");
  EXPECT_EQ(answer(with_size(with_pieces("\"ab\"", "{\"model.gguf\":[" + lines + "]}"))),
            "record: pieces: 100001 are more than the 100000 that an artifact may have");
}

TEST(BigRecord, Of100MegabytesIsNotRead) {
  std::string body;
  body.resize(100'000'000, ' ');
  EXPECT_EQ(answer(sealed(body)), "record: 100000049 bytes are more than a record can have");
}

}  // namespace
}  // namespace qbuild::cache
