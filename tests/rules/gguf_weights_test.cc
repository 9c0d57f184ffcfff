#include "rules/gguf_weights.h"

#include "tests/rules/gguf_files.h"

namespace qbuild::rules {
namespace {

using engine::ActionRequest;
using ::testing::HasSubstr;

using GgufWeights = GgufFiles;

TEST_F(GgufWeights, OfTheSameWeightsTheFileIsTheCheckpoints) {
  const fs::path exact = kept(make(kBard, "F32"), "bard-F32.gguf");
  for (const char* const recipe : {"Q4_K_M", "Q8_0", "BF16", "F32"})
    EXPECT_EQ(read_text(make(exact, recipe)), read_text(make(kBard, recipe))) << recipe;
}

TEST_F(GgufWeights, PartsAreReadAsOne) {
  const fs::path exact = kept(make(kBard, "BF16"), "bard.gguf");
  const std::string whole = read_text(make(exact, "Q4_K_M"));
  for (const std::uint64_t parts : {2u, 3u, 57u})
    EXPECT_EQ(read_text(make(split_gguf(exact, parts), "Q4_K_M")), whole) << parts;
}

TEST_F(GgufWeights, WhatIsNotQuantizedIsCarriedOver) {
  formats::GgufMetadata more{
      {"general.name", formats::GgufValue::text("Woolly")},
      {"general.file_type", formats::GgufValue::u32(1)},
      {"mammoth.tusks", formats::GgufValue::f32(2)},
      {"tokenizer.ggml.scores",
       {formats::GgufType::kArray, formats::GgufType::kF32, std::vector<double>{-1, 0.5}}}};
  const fs::path source = foreign("mammoth-F16.gguf", more);
  const formats::GgufReader before = reader(source);
  const formats::GgufReader after = reader(make(source, "Q8_0"));
  formats::GgufMetadata expected = before.metadata();
  expected[4].value = formats::GgufValue::u32(7);
  expected.push_back({"general.quantization_version", formats::GgufValue::u32(2)});
  EXPECT_EQ(after.metadata(), expected);
  EXPECT_EQ(after.find("blk.0.attn_q.weight")->dtype, DType::kQ8_0);
  for (const char* const name : {"blk.0.map", "a_norm.weight"}) {
    const formats::GgufTensor& was = *before.find(name);
    const formats::GgufTensor& is = *after.find(name);
    EXPECT_EQ(is.dtype, was.dtype) << name;
    std::vector<std::byte> old_bytes(was.size_bytes);
    std::vector<std::byte> new_bytes(is.size_bytes);
    before.read(was, 0, old_bytes);
    after.read(is, 0, new_bytes);
    EXPECT_EQ(new_bytes, old_bytes) << name;
  }
}

TEST_F(GgufWeights, AlignmentIsSaidAsItIsWritten) {
  formats::GgufMetadata metadata{{"general.alignment", formats::GgufValue::u32(64)}};
  metadata = carried_metadata(metadata, {.file_type = 7});
  EXPECT_EQ(*formats::find_value(metadata, "general.alignment"), formats::GgufValue::u32(32));
}

TEST_F(GgufWeights, ATemplateTakesThePlaceOfTheSources) {
  const fs::path exact = kept(make(kBard, "BF16"), "bard.gguf");
  write_text(folder_.path() / "chat.jinja", "{{ mine }}");
  const auto with_template = [&](const fs::path& source) {
    ActionRequest asked = request(source, "Q8_0");
    asked.inputs.push_back(file_input("template", folder_.path() / "chat.jinja"));
    return run(asked);
  };
  const fs::path made = with_template(exact);
  EXPECT_EQ(formats::require_text(reader(made).metadata(), "tokenizer.chat_template"),
            "{{ mine }}");
  EXPECT_EQ(read_text(made), read_text(with_template(kBard)));
}

TEST_F(GgufWeights, ANumberThatIsNoneIsNamedWithItsTensor) {
  const fs::path source = foreign("mammoth.gguf", {});
  std::string bytes = read_text(source);
  const std::uint64_t at = reader(source).find("blk.0.attn_q.weight")->offset;
  bytes.replace(at + 2 * 300, 2, std::string("\x01\x7e", 2));
  write_text(source, bytes);
  for (const char* const recipe : {"Q8_0", "F16"}) {
    const Error error = error_of([&] { (void)make(source, recipe); });
    EXPECT_EQ(error.kind(), ErrorKind::kInvalidInput) << recipe;
    EXPECT_THAT(error.message(), HasSubstr("tensor blk.0.attn_q.weight (mammoth.gguf)"));
    EXPECT_THAT(error.message(), HasSubstr("300"));
  }
}

TEST_F(GgufWeights, FactsOfANetworkComeFromItsMetadata) {
  const formats::GgufMetadata metadata{
      {"general.architecture", formats::GgufValue::text("mammoth")},
      {"mammoth.block_count", formats::GgufValue::u32(32)},
      {"mammoth.attention.head_count", formats::GgufValue::i32s({8, 4})},
      {"mammoth.expert_count", formats::GgufValue::u32(64)}};
  const NetworkFacts facts = network_facts(metadata);
  EXPECT_EQ(facts.architecture, "mammoth");
  EXPECT_EQ(facts.block_count, 32u);
  EXPECT_EQ(facts.head_count, 8u);
  EXPECT_EQ(facts.head_count_kv, 8u);
  EXPECT_EQ(facts.expert_count, 64u);
  EXPECT_EQ(error_of([] { (void)network_facts(formats::GgufMetadata{}); }).message(),
            "the key general.architecture is missing");
}

}  // namespace
}  // namespace qbuild::rules
