#include "rules/gguf_artifact.h"

#include <gmock/gmock.h>

#include "formats/gguf_reader.h"
#include "rules/quantize.h"
#include "tests/rules/support.h"

namespace qbuild::rules {
namespace {

using ::testing::HasSubstr;

class GgufArtifact : public testing::Test {
 protected:
  // A file of the recipe Q8_0, made once for all tests.
  static const std::string& quantized() {
    static const std::string bytes = [] {
      const TemporaryFolder folder;
      TestContext context;
      const auto made =
          make_quantize_rule()->run(quantize_request(kBard, "Q8_0", folder.path()), context);
      return read_text(made.files.at(0).path);
    }();
    return bytes;
  }
  GgufDescription describe(const std::string& bytes) {
    write_text(path_, bytes);
    return describe_gguf(*files_, path_);
  }

  // The tensors of quantized(), as their writer planned them.
  std::vector<formats::GgufTensorSpec> planned() {
    write_text(path_, quantized());
    std::vector<formats::GgufTensorSpec> specs;
    const auto reader = formats::GgufReader::open(*files_, path_);
    for (const formats::GgufTensor& tensor : reader.tensors())
      specs.push_back({tensor.name, tensor.shape, tensor.dtype});
    return specs;
  }
  Error difference(const std::vector<formats::GgufTensorSpec>& specs) {
    return error_of([&] { require_tensors(*files_, path_, specs); });
  }

  TemporaryFolder folder_;
  std::unique_ptr<FileSystem> files_ = make_posix_file_system();
  fs::path path_ = folder_.path() / "model.gguf";
};

TEST_F(GgufArtifact, SaysWhatACardNeeds) {
  const Json facts = describe(quantized()).facts;
  EXPECT_EQ(facts.at("architecture").as_string(), "llama");
  EXPECT_EQ(facts.at("file_type").as_int(), 7);
  EXPECT_EQ(facts.at("context_length").as_int(), 1024);
  EXPECT_EQ(facts.at("parameters").as_uint(), import_folder(kBard).parameters);
  EXPECT_NEAR(facts.at("bits_per_weight").as_double(), 8.5, 0.05);
  EXPECT_EQ(facts.at("tensor_count").as_int(), 57);
  EXPECT_EQ(facts.at("types").at("Q8_0").as_int(), 44);
  EXPECT_EQ(facts.at("types").at("F32").as_int(), 13);
}

TEST_F(GgufArtifact, HasADigestForEachPartThatAConsumerMayDependOn) {
  const auto facets = describe(quantized()).facets;
  std::vector<std::string> names;
  for (const auto& [name, hex] : facets) {
    names.push_back(name);
    EXPECT_TRUE(Digest::from_hex(hex)) << name;
  }
  EXPECT_THAT(names, testing::ElementsAre("general", "hyperparameters", "template", "tensors",
                                          "tokenizer"));
  EXPECT_EQ(facets, describe(quantized()).facets);
}

TEST_F(GgufArtifact, OneChangedWeightChangesTheTensorsAndNothingElse) {
  auto before = describe(quantized()).facets;
  const auto tensor = formats::GgufReader::open(*files_, path_).tensors().back();
  std::string bytes = quantized();
  bytes[tensor.offset + tensor.size_bytes - 1] ^= 1;
  const auto after = describe(bytes).facets;
  EXPECT_NE(after.at("tensors"), before.at("tensors"));
  before["tensors"] = after.at("tensors");
  EXPECT_EQ(after, before);
}

TEST_F(GgufArtifact, TheTensorsThatWerePlannedAreFound) {
  const auto specs = planned();
  EXPECT_NO_THROW(require_tensors(*files_, path_, specs));
}

TEST_F(GgufArtifact, ATensorOfAnotherNameShapeOrTypeIsFound) {
  const std::string head = path_.string() + ": tensor 0 is output.weight [256, 1024] Q8_0; ";
  auto specs = planned();
  ASSERT_EQ(specs[0].name, "output.weight");
  specs[0].name = "output";
  EXPECT_EQ(difference(specs).kind(), ErrorKind::kCorrupt);
  EXPECT_EQ(difference(specs).message(), head + "output [256, 1024] Q8_0 was written");
  specs = planned();
  specs[0].shape = {1024, 256};
  EXPECT_EQ(difference(specs).message(), head + "output.weight [1024, 256] Q8_0 was written");
  specs = planned();
  specs[0].dtype = DType::kQ4_0;
  EXPECT_EQ(difference(specs).message(), head + "output.weight [256, 1024] Q4_0 was written");
}

TEST_F(GgufArtifact, ATensorTooManyOrTooFewIsFound) {
  auto specs = planned();
  specs.pop_back();
  EXPECT_THAT(difference(specs).message(), testing::EndsWith("; nothing was written"));
  specs = planned();
  specs.push_back({"rope_freqs.weight", {16}, DType::kF32});
  EXPECT_EQ(difference(specs).message(), path_.string() +
                                             ": tensor 57 is nothing; rope_freqs.weight [16] F32 "
                                             "was written");
}

TEST_F(GgufArtifact, AFileThatWasCutOffIsCorrupt) {
  const Error error = error_of([&] { (void)describe(quantized().substr(0, 500'000)); });
  EXPECT_EQ(error.kind(), ErrorKind::kCorrupt);
  EXPECT_THAT(error.message(), HasSubstr(path_.string()));
}

TEST_F(GgufArtifact, WhatIsNoGgufIsSaid) {
  EXPECT_EQ(error_of([&] { (void)describe("not a model at all, just text"); }).kind(),
            ErrorKind::kCorrupt);
  EXPECT_EQ(error_of([&] { (void)describe_gguf(*files_, folder_.path() / "none"); }).kind(),
            ErrorKind::kNotFound);
  const Error pointer = error_of(
      [&] { (void)describe("version https://git-lfs.github.com/spec/v1\noid sha256:00\n"); });
  EXPECT_EQ(pointer.kind(), ErrorKind::kInvalidInput);
  EXPECT_THAT(pointer.message(), HasSubstr("is a Git LFS pointer, not the file itself"));
}

}  // namespace
}  // namespace qbuild::rules
