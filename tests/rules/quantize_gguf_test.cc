#include <gmock/gmock.h>

#include "formats/gguf_reader.h"
#include "formats/gguf_writer.h"
#include "rules/gguf_weights.h"
#include "rules/quantize.h"
#include "tests/rules/support.h"

namespace qbuild::rules {
namespace {

using engine::ActionRequest;
using ::testing::HasSubstr;
using ::testing::UnorderedElementsAre;

// A GGUF as a source: what is made of it.
class QuantizeGguf : public testing::Test {
 protected:
  fs::path make(const fs::path& source, std::string_view recipe) {
    return run(request(source, recipe));
  }
  ActionRequest request(const fs::path& source, std::string_view recipe) {
    return quantize_request(source, recipe,
                            make_scratch(folder_.path(), "scratch" + std::to_string(++scratches_)));
  }
  fs::path run(const ActionRequest& asked) { return rule_->run(asked, context_).files.at(0).path; }

  // Under a name of its own.
  fs::path kept(const fs::path& made, const std::string& name) {
    fs::path path = folder_.path() / name;
    fs::rename(made, path);
    return path;
  }
  formats::GgufReader reader(const fs::path& path) {
    return formats::GgufReader::open(context_.file_system(), path);
  }
  // A file of any architecture: one matrix, one norm, and what a test adds.
  fs::path foreign(const std::string& name, const formats::GgufMetadata& more,
                   DType matrix = DType::kF16) {
    formats::GgufMetadata metadata{
        {"general.architecture", formats::GgufValue::text("mammoth")},
        {"mammoth.block_count", formats::GgufValue::u32(1)},
        {"mammoth.attention.head_count", formats::GgufValue::i32s({8, 4})}};
    metadata.insert(metadata.end(), more.begin(), more.end());
    const std::vector<formats::GgufTensorSpec> specs{{"blk.0.attn_q.weight", {256, 4}, matrix},
                                                     {"blk.0.map", {3}, DType::kI32},
                                                     {"a_norm.weight", {8}, DType::kF16}};
    fs::path path = folder_.path() / name;
    const auto file = context_.file_system().create(path, CreateMode::kExclusive);
    formats::GgufWriter writer(*file, metadata, specs);
    writer.append(std::vector<std::byte>(*row_bytes(matrix, 1024)));
    writer.append(as_bytes("\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c"));
    // A not-a-number: nobody asked what a tensor means that is carried over.
    writer.append(as_bytes(std::string_view("\x01\x7e\x00\x3c\x00\x3c\x00\x3c"
                                            "\x00\x3c\x00\x3c\x00\x3c\x00\x3c",
                                            16)));
    writer.finish();
    file->close();
    return path;
  }

  TemporaryFolder folder_;
  TestContext context_;
  std::unique_ptr<engine::Rule> rule_ = make_quantize_rule();
  int scratches_ = 0;
};

TEST_F(QuantizeGguf, OfTheSameWeightsTheFileIsTheCheckpoints) {
  const fs::path exact = kept(make(kBard, "F32"), "bard-F32.gguf");
  for (const char* const recipe : {"Q4_K_M", "Q8_0", "BF16", "F32"})
    EXPECT_EQ(read_text(make(exact, recipe)), read_text(make(kBard, recipe))) << recipe;
}

TEST_F(QuantizeGguf, PartsAreReadAsOne) {
  const fs::path exact = kept(make(kBard, "BF16"), "bard.gguf");
  const std::string whole = read_text(make(exact, "Q4_K_M"));
  for (const std::uint64_t parts : {2u, 3u, 57u})
    EXPECT_EQ(read_text(make(split_gguf(exact, parts), "Q4_K_M")), whole) << parts;
}

TEST_F(QuantizeGguf, WhatIsNotQuantizedIsCarriedOver) {
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

TEST_F(QuantizeGguf, AlignmentIsSaidAsItIsWritten) {
  formats::GgufMetadata metadata{{"general.alignment", formats::GgufValue::u32(64)}};
  metadata = carried_metadata(metadata, {.file_type = 7});
  EXPECT_EQ(*formats::find_value(metadata, "general.alignment"), formats::GgufValue::u32(32));
}

TEST_F(QuantizeGguf, ATemplateTakesThePlaceOfTheSources) {
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

TEST_F(QuantizeGguf, NothingIsQuantizedASecondTimeUnlessAsked) {
  const fs::path eight = kept(make(kBard, "Q8_0"), "bard-Q8_0.gguf");
  const Error error = error_of([&] { (void)make(eight, "Q4_K_M"); });
  EXPECT_EQ(error.kind(), ErrorKind::kInvalidInput);
  EXPECT_EQ(error.message(),
            "output.weight is Q8_0 in the source: its error would add to that of Q6_K; take a "
            "source of F16, BF16 or F32, or write requantize: true");
  ActionRequest asked = request(eight, "Q4_K_M");
  asked.context["requantize"] = true;
  const formats::GgufReader file = reader(run(asked));
  EXPECT_EQ(file.find("output.weight")->dtype, DType::kQ6_K);
  // What has the type already is the same.
  EXPECT_EQ(read_text(make(eight, "Q8_0")), read_text(eight));
}

TEST_F(QuantizeGguf, FewerBitsThanEightAreNeverQuantizedAgain) {
  const fs::path four = kept(make(kBard, "Q4_0"), "bard-Q4_0.gguf");
  ActionRequest asked = request(four, "Q8_0");
  asked.context["requantize"] = true;
  const Error error = error_of([&] { (void)run(asked); });
  EXPECT_EQ(error.kind(), ErrorKind::kInvalidInput);
  EXPECT_THAT(error.message(), HasSubstr("output.weight is Q6_K in the source, of which no Q8_0 is made"));
}

TEST_F(QuantizeGguf, ANumberThatIsNoneIsNamedWithItsTensor) {
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

TEST_F(QuantizeGguf, FactsOfANetworkComeFromItsMetadata) {
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

// ---- what the import says of it ----

TEST_F(QuantizeGguf, TheImportTellsWhatTheHeaderSays) {
  const fs::path exact = kept(make(kBard, "BF16"), "bard-BF16.gguf");
  const SourceModel source = import_folder(exact);
  const SourceModel checkpoint = import_folder(kBard);
  EXPECT_EQ(source.name, "bard");
  EXPECT_TRUE(source.is_gguf);
  EXPECT_EQ(source.architecture, "llama");
  EXPECT_EQ(source.cannot_run, "");
  EXPECT_EQ(source.parameters, checkpoint.parameters);
  EXPECT_EQ(source.context_length, checkpoint.context_length);
  EXPECT_EQ(source.network.block_count, 6u);
  EXPECT_EQ(source.network.head_count_kv, 4u);
  ASSERT_EQ(source.artifact.files.size(), 1u);
  EXPECT_EQ(source.artifact.files[0].name, "bard-BF16.gguf");
  EXPECT_EQ(source.paths[0], exact);
}

TEST_F(QuantizeGguf, UnderAnotherNameItsWeightsAreTheSame) {
  const fs::path one = kept(make(kBard, "BF16"), "bard-BF16.gguf");
  const auto before = import_folder(one).artifact.facets;
  const fs::path other = kept(one, "renamed.gguf");
  EXPECT_EQ(import_folder(other).artifact.facets, before);
}

TEST_F(QuantizeGguf, AllPartsAreItsFiles) {
  const fs::path exact = kept(make(kBard, "BF16"), "bard-BF16.gguf");
  const SourceModel source = import_folder(split_gguf(exact, 2));
  EXPECT_EQ(source.name, "bard");
  std::vector<std::string> names;
  for (const auto& file : source.artifact.files) names.push_back(file.name);
  EXPECT_THAT(names, UnorderedElementsAre("bard-BF16-00001-of-00002.gguf",
                                          "bard-BF16-00002-of-00002.gguf"));
}

TEST_F(QuantizeGguf, ItsLicenceIsTheCardsOrTheMetadatas) {
  const fs::path source =
      foreign("mammoth.gguf", {{"general.license", formats::GgufValue::text("mit")},
                               {"general.tags", formats::GgufValue::strings({"ice", "age"})}});
  EXPECT_EQ(import_folder(source).license(), "mit");
  EXPECT_THAT(import_folder(source).cannot_run, HasSubstr("mammoth"));
  write_text(folder_.path() / "README.md", "---\nlicense: apache-2.0\n---\n");
  EXPECT_EQ(import_folder(source).license(), "apache-2.0");
}

}  // namespace
}  // namespace qbuild::rules
