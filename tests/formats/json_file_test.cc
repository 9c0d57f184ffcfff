#include "formats/json_file.h"

#include <gmock/gmock.h>

#include "tests/formats/support.h"

namespace qbuild::formats {
namespace {

Error refusal(std::string_view text) {
  FakeFileSystem files;
  files.put("/m/config.json", text);
  return error_of([&] { static_cast<void>(read_json_file(files, "/m/config.json")); });
}

TEST(JsonFile, ReadsAValue) {
  FakeFileSystem files;
  files.put("/m/config.json", R"({"a": 1})");
  EXPECT_EQ(read_json_file(files, "/m/config.json"), Json::object({{"a", 1}}));
}

TEST(JsonFile, HashesTheBytesThatItParsed) {
  FakeFileSystem files;
  files.put("/m/config.json", R"({ "a": 1 })");
  const HashedJson read = read_hashed_json(files, "/m/config.json");
  EXPECT_EQ(read.value, Json::object({{"a", 1}}));
  EXPECT_EQ(read.sha256, sha256(R"({ "a": 1 })"));
}

TEST(JsonFile, SaysWhichFolderLacksIt) {
  FakeFileSystem files;
  files.create_directories("/m");
  const Error error = error_of([&] { static_cast<void>(read_json_file(files, "/m/config.json")); });
  EXPECT_EQ(error.kind(), ErrorKind::kNotFound);
  EXPECT_EQ(error.message(), "/m has no config.json");
}

TEST(JsonFile, NamesFileLineAndColumnOfAMistake) {
  const Error error = refusal("{\n  \"a\": ,\n}");
  EXPECT_EQ(error.kind(), ErrorKind::kInvalidInput);
  EXPECT_THAT(error.message(), testing::StartsWith("/m/config.json: 2:8: "));
}

TEST(JsonFile, RecognizesALfsPointer) {
  EXPECT_EQ(refusal("version https://git-lfs.github.com/spec/v1\n").message(),
            "/m/config.json is a Git LFS pointer, not the file itself; run \"git lfs pull\" in /m");
}

TEST(JsonFile, RefusesAnEmptyFileAndEveryTruncation) {
  const std::string whole = R"({"a":[1,"x",{"b":null}]})";
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_EQ(refusal(whole.substr(0, size)).kind(), ErrorKind::kInvalidInput) << size;
  }
}

TEST(JsonFile, TakesMoreOfATokenizerThanOfAnyOtherFile) {
  const std::string text = "[" + std::string(std::size_t{3} << 20U, ' ') + "]";
  FakeFileSystem files;
  for (const std::string_view name : {"tokenizer.json", "tokenizer_config.json", "config.json"})
    files.put(fs::path("/m") / name, text);
  EXPECT_EQ(read_json_file(files, "/m/tokenizer.json"), Json::array());
  EXPECT_EQ(read_json_file(files, "/m/tokenizer_config.json"), Json::array());
  const Error error = error_of([&] { static_cast<void>(read_json_file(files, "/m/config.json")); });
  EXPECT_EQ(error.kind(), ErrorKind::kExhausted);
  EXPECT_EQ(error.message(), "read /m/config.json: 3145730 bytes, more than the limit of 2097152");
}

}  // namespace
}  // namespace qbuild::formats
