#include "rules/tensor_stream.h"

#include <gmock/gmock.h>

#include <cmath>
#include <cstring>

#include "formats/checkpoint.h"
#include "kernels/codec.h"
#include "models/tensor_names.h"
#include "tests/rules/support.h"

namespace qbuild::rules {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr const char* kQuery = "model.layers.0.self_attn.q_proj.weight";

// One tensor of the trained checkpoint, described as a test likes.
class OneTensor final : public WeightSource {
 public:
  OneTensor(const formats::Checkpoint& checkpoint, const std::string& stored_name,
            const std::string& name)
      : checkpoint_(checkpoint), stored_(*checkpoint.find(stored_name)) {
    tensors_.push_back({.name = name,
                        .stored_name = stored_name,
                        .shape = {stored_.shape.rbegin(), stored_.shape.rend()},
                        .stored = stored_.dtype,
                        .size_bytes = stored_.size_bytes});
  }

  WeightTensor& tensor() { return tensors_[0]; }
  [[nodiscard]] std::string bytes() const {
    std::string all(stored_.size_bytes, '\0');
    checkpoint_.read(stored_, 0, std::as_writable_bytes(std::span(all)));
    return all;
  }

  [[nodiscard]] const std::vector<WeightTensor>& tensors() const override { return tensors_; }
  [[nodiscard]] const NetworkFacts& network() const override { return network_; }
  [[nodiscard]] formats::GgufMetadata metadata(const HeaderWishes&) const override { return {}; }
  void read(std::size_t, std::uint64_t offset, MutableBytes out) const override {
    checkpoint_.read(stored_, offset, out);
  }

 private:
  const formats::Checkpoint& checkpoint_;
  const formats::CheckpointTensor& stored_;
  std::vector<WeightTensor> tensors_;
  NetworkFacts network_;
};

class TensorStreamTest : public testing::Test {
 protected:
  // In each of the types.
  static std::vector<std::string> convert_to(const OneTensor& source,
                                             const std::vector<Encoding>& wanted,
                                             unsigned threads = 1) {
    ThreadPool pool(threads);
    TensorStream stream(source, kernels::best_backend(), pool);
    std::vector<std::string> bytes(wanted.size());
    stream.convert(0, wanted, [&](std::size_t i, const EncodedPiece& piece) {
      bytes.at(i) += as_text(*piece);
    });
    return bytes;
  }
  static std::string convert(const OneTensor& source, DType type, unsigned threads = 1) {
    return convert_to(source, {{.type = type}}, threads).at(0);
  }
  // The embeddings as so many matrices of as many rows, and the values of each.
  struct Stacked {
    OneTensor source;
    std::vector<std::vector<float>> matrices;
  };
  [[nodiscard]] Stacked embeddings_as(std::uint64_t count) const {
    Stacked stacked{{checkpoint_, "model.embed_tokens.weight", "token_embd.weight"}, {}};
    WeightTensor& tensor = stacked.source.tensor();
    tensor.shape = {tensor.shape.at(0), tensor.shape.at(1) / count, count};
    const std::string bytes = stacked.source.bytes();
    const std::uint64_t size = tensor.shape[0] * tensor.shape[1];
    for (std::uint64_t matrix = 0; matrix < count; ++matrix) {
      auto& values = stacked.matrices.emplace_back(size);
      kernels::to_f32(kernels::Backend::kScalar, tensor.stored,
                      as_bytes(bytes).subspan(2 * matrix * size, 2 * size), values);
    }
    return stacked;
  }
  static std::string encoded(std::span<const float> values, std::uint64_t columns, DType type,
                             const kernels::EncodeOptions& options) {
    std::string bytes(*row_bytes(type, columns) * (values.size() / columns), '\0');
    kernels::encode_rows(kernels::Backend::kScalar, type, values, columns,
                         std::as_writable_bytes(std::span(bytes)), options);
    return bytes;
  }
  [[nodiscard]] OneTensor query() const { return {checkpoint_, kQuery, "blk.0.attn_q.weight"}; }

  std::unique_ptr<FileSystem> files_ = make_posix_file_system();
  formats::Checkpoint checkpoint_ = formats::Checkpoint::open(*files_, kBard);
};

TEST_F(TensorStreamTest, TheTypeOfTheSourceIsHandedOnByteForByte) {
  const OneTensor source(checkpoint_, "model.embed_tokens.weight", "token_embd.weight");
  EXPECT_EQ(convert(source, DType::kBF16), source.bytes());
}

TEST_F(TensorStreamTest, FloatsAreTheSourcesValues) {
  const OneTensor source(checkpoint_, "model.norm.weight", "output_norm.weight");
  const std::string bytes = convert(source, DType::kF32);
  const std::string half = source.bytes();
  ASSERT_EQ(bytes.size(), 2 * half.size());
  for (std::size_t i = 0; i < half.size() / 2; ++i) {
    EXPECT_EQ(bytes.substr(4 * i, 2), std::string(2, '\0')) << i;
    EXPECT_EQ(bytes.substr(4 * i + 2, 2), half.substr(2 * i, 2)) << i;
  }
}

TEST_F(TensorStreamTest, WhatIsOpaqueIsHandedOnWhateverItsBytesMean) {
  OneTensor source = query();
  source.tensor().stored = DType::kI16;
  source.tensor().is_opaque = true;
  EXPECT_EQ(convert(source, DType::kI16), source.bytes());
}

TEST_F(TensorStreamTest, BlocksOfTheTypeThatIsWantedAreHandedOn) {
  OneTensor source(checkpoint_, "model.embed_tokens.weight", "token_embd.weight");
  // The same bytes, read as blocks of Q8_0.
  WeightTensor& tensor = source.tensor();
  tensor.stored = DType::kQ8_0;
  tensor.shape = {32, tensor.size_bytes / 34};
  tensor.size_bytes = tensor.shape[1] * 34;
  EXPECT_EQ(convert(source, DType::kQ8_0), source.bytes().substr(0, tensor.size_bytes));
}

TEST_F(TensorStreamTest, EachTypeOfSeveralIsWhatItIsAlone) {
  OneTensor source(checkpoint_, "model.embed_tokens.weight", "token_embd.weight");
  const std::vector<Encoding> wanted{{.type = DType::kQ4_K},
                                     {.type = DType::kQ8_0},
                                     {.type = DType::kQ4_K, .effort = kernels::Effort::kBest},
                                     {.type = DType::kQ4_K},
                                     {.type = DType::kF32}};
  const auto together = convert_to(source, wanted, 2);
  EXPECT_EQ(together[0], convert(source, DType::kQ4_K));
  EXPECT_EQ(together[1], convert(source, DType::kQ8_0));
  EXPECT_EQ(together[2], convert_to(source, {wanted[2]}).at(0));
  EXPECT_NE(together[2], together[0]);
  EXPECT_EQ(together[3], together[0]);
  EXPECT_EQ(together[4], convert(source, DType::kF32));
}

TEST_F(TensorStreamTest, EachOfSeveralMatricesHasColumnsOfItsOwn) {
  const Stacked stacked = embeddings_as(8);
  const std::uint64_t columns = stacked.source.tensors()[0].row_length();
  auto numbers = std::make_shared<std::vector<float>>();
  for (std::size_t matrix = 0; matrix < 8; ++matrix)
    for (std::size_t i = 0; i < columns; ++i)
      numbers->push_back(static_cast<float>((i % 7 + 1) * (matrix + 1) + i % 5 * matrix));
  const Encoding encoding{.type = DType::kQ4_K, .importance = {.digest = "x", .columns = numbers}};
  std::string each;
  for (std::size_t matrix = 0; matrix < 8; ++matrix)
    each += encoded(stacked.matrices[matrix], columns, DType::kQ4_K,
                    {.importance = std::span(*numbers).subspan(matrix * columns, columns)});
  for (const unsigned threads : {1u, 3u})
    EXPECT_EQ(convert_to(stacked.source, {encoding}, threads).at(0), each);
}

TEST_F(TensorStreamTest, EachOfSeveralMatricesIsDividedByAFactorOfItsOwn) {
  const Stacked stacked = embeddings_as(4);
  const auto scales =
      std::make_shared<const std::vector<float>>(std::vector<float>{0.5F, 1, 4, 0x1p-10F});
  const Encoding encoding{.type = DType::kNVFP4, .is_scaled = true, .scales = scales};
  std::string each;
  for (std::size_t matrix = 0; matrix < 4; ++matrix) {
    std::vector<float> divided = stacked.matrices[matrix];
    for (float& value : divided) value /= (*scales)[matrix];
    each += encoded(divided, stacked.source.tensors()[0].row_length(), DType::kNVFP4, {});
  }
  for (const unsigned threads : {1u, 3u})
    EXPECT_EQ(convert_to(stacked.source, {encoding}, threads).at(0), each);
}

TEST_F(TensorStreamTest, ASurveyTellsTheLargestMagnitudeOfEachMatrix) {
  const Stacked stacked = embeddings_as(4);
  std::vector<float> largest;
  for (const std::vector<float>& values : stacked.matrices) {
    largest.push_back(0);
    for (const float value : values) largest.back() = std::max(largest.back(), std::abs(value));
  }
  for (const unsigned threads : {1u, 3u}) {
    ThreadPool pool(threads);
    TensorStream stream(stacked.source, kernels::best_backend(), pool);
    const TensorStream::Survey survey = stream.survey(0, 4);
    EXPECT_EQ(survey.checksum, stream.checksum(0));
    EXPECT_EQ(survey.largest, largest);
  }
}

TEST_F(TensorStreamTest, OnePieceServesAllWhoWantTheSame) {
  const OneTensor source = query();
  ThreadPool pool(1);
  TensorStream stream(source, kernels::best_backend(), pool);
  const std::vector<Encoding> wanted{{.type = DType::kQ4_0}, {.type = DType::kQ4_0}};
  std::vector<EncodedPiece> pieces;
  stream.convert(0, wanted,
                 [&](std::size_t, const EncodedPiece& piece) { pieces.push_back(piece); });
  ASSERT_EQ(pieces.size(), 2u);
  EXPECT_EQ(pieces[0], pieces[1]);
  EXPECT_EQ(stream.bytes_read(), source.tensors()[0].size_bytes);
}

TEST_F(TensorStreamTest, RowsOfPermutedTensorsComeInTheOrderOfTheFile) {
  OneTensor source = query();
  const std::string plain = convert(source, DType::kBF16);
  source.tensor().permuted_head_dim = 32;
  const std::string permuted = convert(source, DType::kBF16);
  ASSERT_EQ(permuted.size(), plain.size());
  EXPECT_NE(permuted, plain);
  const std::size_t row_bytes = 2 * source.tensor().row_length();
  for (std::uint64_t row = 0; row < source.tensor().values() / source.tensor().row_length(); ++row)
    EXPECT_EQ(permuted.substr(row * row_bytes, row_bytes),
              plain.substr(models::checkpoint_row(row, 32) * row_bytes, row_bytes))
        << row;
}

TEST_F(TensorStreamTest, TheNumberOfThreadsChangesNoByte) {
  OneTensor source = query();
  source.tensor().permuted_head_dim = 32;
  for (const DType type : {DType::kQ4_0, DType::kQ4_K, DType::kQ6_K, DType::kQ8_0}) {
    const std::string one = convert(source, type, 1);
    EXPECT_EQ(one.size(), *row_bytes(type, source.tensor().values()));
    EXPECT_EQ(convert(source, type, 2), one);
    EXPECT_EQ(convert(source, type, 7), one);
  }
}

TEST_F(TensorStreamTest, RowsThatAreNoWholeHeadsAreRefused) {
  OneTensor source = query();
  source.tensor().permuted_head_dim = 96;
  const Error error = error_of([&] { (void)convert(source, DType::kF32); });
  EXPECT_EQ(error.kind(), ErrorKind::kInvalidInput);
  EXPECT_EQ(error.message(),
            "tensor blk.0.attn_q.weight (model.layers.0.self_attn.q_proj.weight): 256 rows are no "
            "whole heads of 96");
}

TEST_F(TensorStreamTest, AShapeWithoutValuesIsRefused) {
  OneTensor source = query();
  for (const std::vector<std::uint64_t>& shape :
       std::vector<std::vector<std::uint64_t>>{{}, {0}, {0, 4}, {4, 0}}) {
    source.tensor().shape = shape;
    const Error error = error_of([&] { (void)convert(source, DType::kF32); });
    EXPECT_EQ(error.kind(), ErrorKind::kCorrupt);
    EXPECT_THAT(error.message(), HasSubstr("its shape holds no values"));
  }
}

TEST_F(TensorStreamTest, RowsThatAreNoWholeBlocksAreRefused) {
  OneTensor source = query();
  source.tensor().shape = {128, 512};
  const Error error = error_of([&] { (void)convert(source, DType::kQ4_K); });
  EXPECT_EQ(error.kind(), ErrorKind::kInvalidInput);
  EXPECT_THAT(error.message(), HasSubstr("rows of 128 values are no whole blocks"));
}

// Twice the same tensor, the second of which cannot be read.
class SecondIsBroken final : public WeightSource {
 public:
  explicit SecondIsBroken(const WeightSource& source)
      : source_(source), tensors_{source.tensors().at(0), source.tensors().at(0)} {
    tensors_[1].name = "blk.1.attn_q.weight";
  }
  [[nodiscard]] const std::vector<WeightTensor>& tensors() const override { return tensors_; }
  [[nodiscard]] const NetworkFacts& network() const override { return source_.network(); }
  [[nodiscard]] formats::GgufMetadata metadata(const HeaderWishes&) const override { return {}; }
  void read(std::size_t tensor, std::uint64_t offset, MutableBytes out) const override {
    if (tensor == 1) throw Error(ErrorKind::kTransient, "the disk does not answer");
    source_.read(0, offset, out);
  }

 private:
  const WeightSource& source_;
  std::vector<WeightTensor> tensors_;
};

TEST_F(TensorStreamTest, WhatCannotBeReadAheadIsToldWhenItIsAskedFor) {
  const OneTensor one = query();
  const SecondIsBroken source(one);
  ThreadPool pool(1);
  TensorStream stream(source, kernels::best_backend(), pool);
  const std::vector<Encoding> wanted{{.type = DType::kBF16}};
  const auto convert_again = [&](std::size_t tensor) {
    std::string bytes;
    stream.convert(tensor, wanted,
                   [&](std::size_t, const EncodedPiece& piece) { bytes += as_text(*piece); });
    return bytes;
  };
  EXPECT_EQ(convert_again(0), one.bytes());
  EXPECT_THAT(error_of([&] { (void)convert_again(1); }).message(),
              AllOf(HasSubstr("blk.1.attn_q.weight"), HasSubstr("the disk does not answer")));
  EXPECT_EQ(convert_again(0), one.bytes());
  // And not at all if it is not.
  EXPECT_EQ(convert_again(0), one.bytes());
  EXPECT_EQ(stream.checksum(0), xxh3_hex(as_bytes(one.bytes())));
  EXPECT_EQ(stream.bytes_read(), 4 * one.bytes().size());
}

}  // namespace
}  // namespace qbuild::rules
