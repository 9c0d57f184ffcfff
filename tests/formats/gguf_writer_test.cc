#include "formats/gguf_writer.h"

#include <gmock/gmock.h>

#include "formats/gguf_reader.h"
#include "tests/formats/support.h"

namespace qbuild::formats {
namespace {

using testing::HasSubstr;

// Written by the gguf package 0.19.0 from the same values: an independent implementation.
constexpr std::string_view kGolden =
    "474755460300000002000000000000000600000000000000140000000000000067656e6572616c2e61726368697465"
    "63"
    "747572650800000005000000000000006c6c616d6111000000000000006c6c616d612e626c6f636b5f636f756e7404"
    "00"
    "00000700000014000000000000006c6c616d612e726f70652e667265715f626173650600000000401c461c00000000"
    "00"
    "0000746f6b656e697a65722e67676d6c2e6164645f626f735f746f6b656e07000000011500000000000000746f6b65"
    "6e"
    "697a65722e67676d6c2e746f6b656e7309000000080000000300000000000000010000000000000061030000000000"
    "00"
    "00c4a06200000000000000001900000000000000746f6b656e697a65722e67676d6c2e746f6b656e5f747970650900"
    "00"
    "000500000003000000000000000100000003000000ffffffff1100000000000000746f6b656e5f656d62642e776569"
    "67"
    "6874020000000300000000000000020000000000000000000000000000000000000012000000000000006f75747075"
    "74"
    "5f6e6f726d2e7765696768740100000003000000000000000100000020000000000000000000000000000000000000"
    "00"
    "00000000000000000000000000000000000000000000803f0000004000004040000080400000a04000000000000000"
    "00"
    "003c004000420000000000000000000000000000000000000000000000000000";

const GgufMetadata kMetadata = {
    {"general.architecture", GgufValue::text("llama")},
    {"llama.block_count", GgufValue::u32(7)},
    {"llama.rope.freq_base", GgufValue::f32(10000)},
    {"tokenizer.ggml.add_bos_token", GgufValue::boolean(true)},
    {"tokenizer.ggml.tokens", GgufValue::strings({"a", "\xc4\xa0\x62", ""})},
    {"tokenizer.ggml.token_type", GgufValue::i32s({1, 3, -1})}};
const std::vector<GgufTensorSpec> kTensors = {
    {.name = "token_embd.weight", .shape = {3, 2}, .dtype = DType::kF32},
    {.name = "output_norm.weight", .shape = {3}, .dtype = DType::kF16}};

std::string tensor_bytes() {
  std::string bytes;
  for (const float value : {0.0F, 1.0F, 2.0F, 3.0F, 4.0F, 5.0F}) bytes += le(value);
  for (const unsigned half : {0x3c00U, 0x4000U, 0x4200U})
    bytes += le(static_cast<std::uint16_t>(half));
  return bytes;
}

std::string written(std::size_t piece_bytes) {
  FakeFileSystem files;
  const auto file = files.create("/x.gguf", CreateMode::kExclusive);
  GgufWriter writer(*file, kMetadata, kTensors);
  const std::string bytes = tensor_bytes();
  for (std::size_t at = 0; at < bytes.size(); at += piece_bytes) {
    writer.append(as_bytes(std::string_view(bytes).substr(at, piece_bytes)));
  }
  writer.finish();
  EXPECT_EQ(writer.total_bytes(), files.contents("/x.gguf").size());
  return files.contents("/x.gguf");
}

Error refusal(const GgufMetadata& metadata, const std::vector<GgufTensorSpec>& tensors) {
  FakeFileSystem files;
  const auto file = files.create("/x.gguf", CreateMode::kExclusive);
  Error error = error_of([&] { GgufWriter(*file, metadata, tensors); });
  EXPECT_EQ(files.contents("/x.gguf"), "") << "something was written before the refusal";
  EXPECT_EQ(error.kind(), ErrorKind::kInvalidInput);
  return error;
}

TEST(GgufWriter, WritesTheBytesOfAnIndependentWriter) {
  EXPECT_EQ(written(1000), from_hex(kGolden));
}

TEST(GgufWriter, GivesTheSameBytesForAnyPieces) {
  for (const std::size_t piece : {1U, 5U, 24U, 29U})
    EXPECT_EQ(written(piece), from_hex(kGolden)) << piece;
}

TEST(GgufWriter, WritesWhatTheReaderReads) {
  FakeFileSystem files;
  files.put("/x.gguf", written(7));
  const GgufReader reader = GgufReader::open(files, "/x.gguf");
  EXPECT_EQ(reader.metadata(), kMetadata);
  ASSERT_EQ(reader.tensors().size(), 2U);
  std::string bytes(6, '\0');
  reader.read(reader.tensors()[1], 0, std::as_writable_bytes(std::span<char>(bytes)));
  EXPECT_EQ(bytes, tensor_bytes().substr(24));
}

TEST(GgufWriter, WritesAFileWithoutTensors) {
  FakeFileSystem files;
  const auto file = files.create("/x.gguf", CreateMode::kExclusive);
  GgufWriter(*file, {}, {}).finish();
  EXPECT_EQ(files.contents("/x.gguf"), padded(gguf_start(0, 0)));
}

TEST(GgufWriter, RefusesWhatNoReaderTakes) {
  EXPECT_THAT(refusal({}, {{.name = std::string(64, 'n'), .shape = {1}}}).message(),
              HasSubstr("is no name for a tensor: 1 to 63 bytes"));
  EXPECT_THAT(refusal({}, {{.name = "", .shape = {1}}}).message(),
              HasSubstr("is no name for a tensor"));
  EXPECT_EQ(refusal({}, {{.name = "a", .shape = {1}}, {.name = "a", .shape = {1}}}).message(),
            "two tensors would be called a");
  EXPECT_EQ(refusal({}, {{.name = "a", .shape = {}}}).message(),
            "tensor a has 0 dimensions; GGUF holds 1 to 4");
  EXPECT_EQ(refusal({}, {{.name = "a", .shape = {1, 1, 1, 1, 1}}}).message(),
            "tensor a has 5 dimensions; GGUF holds 1 to 4");
  EXPECT_EQ(refusal({}, {{.name = "a", .shape = {48}, .dtype = DType::kQ4_0}}).message(),
            "tensor a: rows of 48 values are no whole blocks of Q4_0");
  EXPECT_EQ(refusal({}, {{.name = "a", .shape = {1U << 31U, 1ULL << 62U}}}).message(),
            "tensor a has an impossible size");
  EXPECT_EQ(refusal({{"k", GgufValue::u32(1)}, {"k", GgufValue::u32(2)}}, {}).message(),
            "the key k twice");
}

TEST(GgufWriter, RefusesAnAlignmentThatItDoesNotKeep) {
  EXPECT_EQ(refusal({{"general.alignment", GgufValue::u32(64)}}, {}).message(),
            "general.alignment is not 32, which is what is written");
}

TEST(GgufWriterDeathTest, EndsTheProcessWhenATensorIsIncomplete) {
  FakeFileSystem files;
  const auto file = files.create("/x.gguf", CreateMode::kExclusive);
  GgufWriter writer(*file, kMetadata, kTensors);
  writer.append(as_bytes("1234"));
  EXPECT_DEATH(writer.finish(), "every tensor is written completely");
}

TEST(GgufWriterDeathTest, EndsTheProcessWhenThereAreTooManyBytes) {
  FakeFileSystem files;
  const auto file = files.create("/x.gguf", CreateMode::kExclusive);
  GgufWriter writer(*file, {}, {{.name = "a", .shape = {1}, .dtype = DType::kF32}});
  EXPECT_DEATH(writer.append(as_bytes("12345")), "no more tensors are written than were declared");
}

}  // namespace
}  // namespace qbuild::formats
