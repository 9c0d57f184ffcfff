#include "cli/inspect_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/fake_file_system.h"
#include "base/json.h"
#include "cache/record.h"
#include "formats/gguf_writer.h"
#include "tests/base/expect_error.h"
#include "tests/formats/imatrix_files.h"

namespace qbuild::cli {
namespace {

using test::error_of;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

void put_gguf(FakeFileSystem& disk, const fs::path& path) {
  disk.create_directories("/d");
  const auto file = disk.create(path, CreateMode::kExclusive);
  const formats::GgufMetadata metadata{
      {"general.architecture", formats::GgufValue::text("llama")},
      {"llama.block_count", formats::GgufValue::u32(2)},
      {"tokenizer.ggml.add_bos_token", formats::GgufValue::boolean(true)},
      {"tokenizer.ggml.tokens", formats::GgufValue::strings({"a", "b", "c", "d", "e", "f", "g", "h",
                                                             "the-ninth", "the-tenth"})}};
  formats::GgufWriter writer(
      *file, metadata,
      {{.name = "output_norm.weight", .shape = {4}, .dtype = DType::kF32},
       {.name = "token_embd.weight", .shape = {32, 3}, .dtype = DType::kF16}});
  writer.append(as_bytes(std::string(4 * 4, '\0')));
  writer.append(as_bytes(std::string(std::size_t{32} * 3 * 2, '\0')));
  writer.finish();
  file->close();
}

std::string safetensors() {
  const std::string header = R"({"norm":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},)"
                             R"("scale":{"dtype":"BF16","shape":[],"data_offsets":[8,10]}})";
  std::string bytes(8, '\0');
  bytes[0] = static_cast<char>(header.size());
  return bytes + header + std::string(10, '\1');
}

cache::Record record() {
  cache::Record made;
  made.key_text = "rule quality 1\nparam.context: 512\n";
  made.key = sha256(made.key_text);
  made.rule = "quality";
  const std::string result = "{\"perplexity\":7}\n";
  made.artifact.files = {
      {.name = "result.json", .sha256 = sha256(result), .size_bytes = result.size()}};
  made.inline_files = {{"result.json", result}};
  made.seconds = 1.5;
  made.machine = Json::object({{"cpu", "a cpu"}});
  made.tool_version = "qbuild 0.1.0";
  return made;
}

TEST(InspectText, OfAGgufShowsKeysAndTensors) {
  FakeFileSystem disk;
  put_gguf(disk, "/d/model.gguf");
  const std::string text = inspect_text(disk, "/d/model.gguf", false);
  EXPECT_THAT(text, StartsWith("GGUF, "));
  EXPECT_THAT(text, HasSubstr(", 2 tensors\n\n"));
  EXPECT_THAT(text, HasSubstr("general.architecture          string  \"llama\"\n"));
  EXPECT_THAT(text, HasSubstr("llama.block_count             u32     2\n"));
  EXPECT_THAT(text, HasSubstr("tokenizer.ggml.add_bos_token  bool    true\n"));
  EXPECT_THAT(text, HasSubstr("output_norm.weight  F32        4   16 B\n"));
  EXPECT_THAT(text, HasSubstr("token_embd.weight   F16   32 x 3  192 B\n"));
}

TEST(InspectText, ShowsTheBeginningOfLongArraysAndTheirLength) {
  FakeFileSystem disk;
  put_gguf(disk, "/d/model.gguf");
  const std::string text = inspect_text(disk, "/d/model.gguf", false);
  EXPECT_THAT(text, HasSubstr(R"({"count":10,"first":["a","b","c","d","e","f","g","h"]})"));
  EXPECT_THAT(text, Not(HasSubstr("the-ninth")));
}

TEST(InspectText, OfAGgufIsJsonOnRequest) {
  FakeFileSystem disk;
  put_gguf(disk, "/d/model.gguf");
  const Json json = Json::parse(inspect_text(disk, "/d/model.gguf", true));
  EXPECT_EQ(json.get_string("kind"), "gguf");
  EXPECT_EQ(json.at("size").as_uint(), disk.contents("/d/model.gguf").size());
  EXPECT_EQ(json.at("metadata").get_string("general.architecture"), "llama");
  EXPECT_TRUE(json.at("metadata").at("tokenizer.ggml.add_bos_token").as_bool());
  const auto& tensors = json.at("tensors").as_array();
  ASSERT_EQ(tensors.size(), 2U);
  EXPECT_EQ(tensors[1].get_string("name"), "token_embd.weight");
  EXPECT_EQ(tensors[1].get_string("type"), "F16");
  EXPECT_EQ(tensors[1].at("shape").dump(), "[32,3]");
  EXPECT_EQ(tensors[1].at("size").as_uint(), 192U);
}

TEST(InspectText, OfSafetensorsShowsItsTensors) {
  FakeFileSystem disk;
  disk.put("/d/model.safetensors", safetensors());
  EXPECT_EQ(inspect_text(disk, "/d/model.safetensors", false),
            "safetensors, 2 tensors\n\n"
            "tensor  type   shape  size\n"
            "norm    F32        2   8 B\n"
            "scale   BF16  scalar   2 B\n");
}

TEST(InspectText, KnowsSafetensorsOfAnyNameAndGivesThemAsJson) {
  FakeFileSystem disk;
  disk.put("/d/blob", safetensors());
  const Json json = Json::parse(inspect_text(disk, "/d/blob", true));
  EXPECT_EQ(json.get_string("kind"), "safetensors");
  ASSERT_EQ(json.at("tensors").as_array().size(), 2U);
  EXPECT_EQ(json.at("tensors").as_array()[0].get_string("name"), "norm");
  EXPECT_EQ(json.at("tensors").as_array()[1].at("shape").dump(), "[]");
}

TEST(InspectText, OfARecordShowsItsKeyAndWhatItKeeps) {
  FakeFileSystem disk;
  const cache::Record made = record();
  disk.put("/d/record", cache::serialize(made));
  const std::string text = inspect_text(disk, "/d/record", false);
  EXPECT_THAT(text, StartsWith("record of quality, made by qbuild 0.1.0 in 1.5 s\n\nkey " +
                               made.key.hex() + "\nrule quality 1\nparam.context: 512\n"));
  EXPECT_THAT(text, HasSubstr("file result.json 17 B " + sha256("{\"perplexity\":7}\n").hex()));
  EXPECT_THAT(text, HasSubstr("--- result.json\n{\"perplexity\":7}\n"));
}

TEST(InspectText, OfARecordIsJsonOnRequest) {
  FakeFileSystem disk;
  const cache::Record made = record();
  disk.put("/d/record", cache::serialize(made));
  const Json json = Json::parse(inspect_text(disk, "/d/record", true));
  EXPECT_EQ(json.get_string("kind"), "record");
  EXPECT_EQ(json.get_string("rule"), "quality");
  EXPECT_EQ(json.get_string("key"), made.key.hex());
  EXPECT_EQ(json.get_string("key_text"), made.key_text);
  EXPECT_EQ(json.at("inline").get_string("result.json"), "{\"perplexity\":7}\n");
  EXPECT_EQ(json.at("artifact").at("files").as_array().size(), 1U);
}

TEST(InspectText, OfARecordSaysHowManyPiecesOthersMayCopy) {
  FakeFileSystem disk;
  cache::Record made = record();
  made.piece_scope = "ab";
  const std::string key(32, 'a');
  made.pieces["result.json"] = {{.key = key, .offset = 0, .size_bytes = 4, .checksum = key},
                                {.key = key, .offset = 4, .size_bytes = 4, .checksum = key}};
  disk.put("/d/record", cache::serialize(made));
  EXPECT_THAT(inspect_text(disk, "/d/record", false),
              HasSubstr("pieces of result.json: 2, which another file may copy"));
  EXPECT_EQ(Json::parse(inspect_text(disk, "/d/record", true)).at("pieces").dump(),
            R"({"result.json":2})");
}

const std::vector<formats::ImatrixSpec> kImportance{
    {.name = "blk.0.ffn_up.weight", .counts = {4}, .sums = {4, 8, 0, 0}},
    {.name = "blk.0.ffn_up_exps.weight", .counts = {2, 0}, .sums = {2, 4, 0, 0}}};

TEST(InspectText, OfAnImportanceMatrixShowsWhatMatters) {
  FakeFileSystem disk;
  disk.put("/d/x.gguf", formats::imatrix_gguf(kImportance));
  EXPECT_EQ(inspect_text(disk, "/d/x.gguf", false),
            "importance matrix, 2 entries, 12 chunks of train.txt\n\n"
            "tensor                    columns  matrices  unseen  mean  largest    idle\n"
            "blk.0.ffn_up.weight             4         1       0  0.75        2  50.0 %\n"
            "blk.0.ffn_up_exps.weight        2         2       1   1.5        2   0.0 %\n");
  const Json json = Json::parse(inspect_text(disk, "/d/x.gguf", true));
  EXPECT_EQ(json.at("kind").as_string(), "imatrix");
  EXPECT_EQ(json.at("entries").as_array().at(1).at("unseen").as_int(), 1);
}

TEST(InspectText, OfAnOlderImportanceMatrixShowsTheSame) {
  FakeFileSystem disk;
  disk.put("/d/x.dat", formats::imatrix_dat(kImportance));
  EXPECT_THAT(inspect_text(disk, "/d/x.dat", false),
              StartsWith("importance matrix, 2 entries, 12 chunks of train.txt\n"));
  disk.put("/d/y.dat", "hello, world");
  EXPECT_THAT(error_of([&] { (void)inspect_text(disk, "/d/y.dat", false); }).message(),
              StartsWith("/d/y.dat: it is no importance matrix: "));
}

TEST(InspectText, SaysWhichFilesCanBeInspected) {
  FakeFileSystem disk;
  disk.put("/d/notes.txt", "hello");
  disk.put("/d/empty", "");
  const Error error = error_of([&] { (void)inspect_text(disk, "/d/notes.txt", false); });
  EXPECT_EQ(error.kind(), ErrorKind::kUnsupported);
  EXPECT_EQ(error.message(),
            "/d/notes.txt is no GGUF, safetensors or record file, and no importance matrix (.dat, "
            ".imatrix); these can be inspected");
  EXPECT_EQ(error_of([&] { (void)inspect_text(disk, "/d/empty", true); }).kind(),
            ErrorKind::kUnsupported);
}

TEST(InspectText, NamesAFileThatIsDamagedOrNotThere) {
  FakeFileSystem disk;
  std::string bytes = cache::serialize(record());
  bytes[bytes.size() - 3] = static_cast<char>(bytes[bytes.size() - 3] ^ 1);
  disk.put("/d/record", bytes);
  const Error damaged = error_of([&] { (void)inspect_text(disk, "/d/record", false); });
  EXPECT_EQ(damaged.kind(), ErrorKind::kCorrupt);
  EXPECT_THAT(damaged.message(), StartsWith("/d/record: "));
  const Error missing = error_of([&] { (void)inspect_text(disk, "/d/nothing", false); });
  EXPECT_EQ(missing.kind(), ErrorKind::kNotFound);
  EXPECT_THAT(missing.message(), HasSubstr("/d/nothing"));
}

}  // namespace
}  // namespace qbuild::cli
