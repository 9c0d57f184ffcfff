#include "rules/tensor_stream.h"

#include <gmock/gmock.h>

#include <cstring>

#include "kernels/codec.h"
#include "models/tensor_names.h"
#include "tests/rules/support.h"

namespace qbuild::rules {
namespace {

using ::testing::HasSubstr;

constexpr const char* kQuery = "model.layers.0.self_attn.q_proj.weight";

class TensorStreamTest : public testing::Test {
 protected:
  [[nodiscard]] StreamedTensor streamed(const std::string& source, const std::string& name,
                                        DType type) const {
    const formats::CheckpointTensor* const tensor = checkpoint_.find(source);
    return {.source = tensor,
            .name = name,
            .shape = {tensor->shape.rbegin(), tensor->shape.rend()},
            .type = type,
            .permuted_head_dim = 0};
  }
  [[nodiscard]] std::string convert(const StreamedTensor& tensor, unsigned threads = 1) const {
    ThreadPool pool(threads);
    TensorStream stream(checkpoint_, {kernels::best_backend(), kernels::Effort::kDefault}, pool);
    std::string bytes;
    stream.convert(tensor, [&](Bytes encoded) { bytes += as_text(encoded); });
    return bytes;
  }
  [[nodiscard]] std::string stored(const formats::CheckpointTensor& tensor) const {
    std::string bytes(tensor.size_bytes, '\0');
    checkpoint_.read(tensor, 0, std::as_writable_bytes(std::span(bytes)));
    return bytes;
  }

  std::unique_ptr<FileSystem> files_ = make_posix_file_system();
  formats::Checkpoint checkpoint_ = formats::Checkpoint::open(*files_, kBard);
};

TEST_F(TensorStreamTest, TheTypeOfTheSourceIsHandedOnByteForByte) {
  const auto tensor = streamed("model.embed_tokens.weight", "token_embd.weight", DType::kBF16);
  EXPECT_EQ(convert(tensor), stored(*tensor.source));
}

TEST_F(TensorStreamTest, FloatsAreTheSourcesValues) {
  const auto tensor = streamed("model.norm.weight", "output_norm.weight", DType::kF32);
  const std::string bytes = convert(tensor);
  const std::string half = stored(*tensor.source);
  ASSERT_EQ(bytes.size(), 2 * half.size());
  for (std::size_t i = 0; i < half.size() / 2; ++i) {
    EXPECT_EQ(bytes.substr(4 * i, 2), std::string(2, '\0')) << i;
    EXPECT_EQ(bytes.substr(4 * i + 2, 2), half.substr(2 * i, 2)) << i;
  }
}

TEST_F(TensorStreamTest, RowsOfPermutedTensorsComeInTheOrderOfTheFile) {
  auto tensor = streamed(kQuery, "blk.0.attn_q.weight", DType::kBF16);
  const std::string plain = convert(tensor);
  tensor.permuted_head_dim = 32;
  const std::string permuted = convert(tensor);
  ASSERT_EQ(permuted.size(), plain.size());
  EXPECT_NE(permuted, plain);
  const std::size_t row_bytes = 2 * tensor.row_length();
  for (std::uint64_t row = 0; row < tensor.values() / tensor.row_length(); ++row)
    EXPECT_EQ(permuted.substr(row * row_bytes, row_bytes),
              plain.substr(models::checkpoint_row(row, 32) * row_bytes, row_bytes))
        << row;
}

TEST_F(TensorStreamTest, TheNumberOfThreadsChangesNoByte) {
  for (const DType type : {DType::kQ4_0, DType::kQ4_K, DType::kQ6_K, DType::kQ8_0}) {
    auto tensor = streamed(kQuery, "blk.0.attn_q.weight", type);
    tensor.permuted_head_dim = 32;
    const std::string one = convert(tensor, 1);
    EXPECT_EQ(one.size(), *row_bytes(type, tensor.values()));
    EXPECT_EQ(convert(tensor, 2), one);
    EXPECT_EQ(convert(tensor, 7), one);
  }
}

TEST_F(TensorStreamTest, RowsThatAreNoWholeHeadsAreRefused) {
  auto tensor = streamed(kQuery, "blk.0.attn_q.weight", DType::kF32);
  tensor.permuted_head_dim = 96;
  const Error error = error_of([&] { (void)convert(tensor); });
  EXPECT_EQ(error.kind(), ErrorKind::kInvalidInput);
  EXPECT_EQ(error.message(),
            "tensor blk.0.attn_q.weight (model.layers.0.self_attn.q_proj.weight): 256 rows are no "
            "whole heads of 96");
}

TEST_F(TensorStreamTest, AShapeWithoutValuesIsRefused) {
  auto tensor = streamed(kQuery, "blk.0.attn_q.weight", DType::kF32);
  for (const std::vector<std::uint64_t>& shape :
       std::vector<std::vector<std::uint64_t>>{{}, {0}, {0, 4}, {4, 0}}) {
    tensor.shape = shape;
    const Error error = error_of([&] { (void)convert(tensor); });
    EXPECT_EQ(error.kind(), ErrorKind::kCorrupt);
    EXPECT_THAT(error.message(), HasSubstr("its shape holds no values"));
  }
}

TEST_F(TensorStreamTest, RowsThatAreNoWholeBlocksAreRefused) {
  auto tensor = streamed(kQuery, "blk.0.attn_q.weight", DType::kQ4_K);
  tensor.shape = {128, 512};
  const Error error = error_of([&] { (void)convert(tensor); });
  EXPECT_EQ(error.kind(), ErrorKind::kInvalidInput);
  EXPECT_THAT(error.message(), HasSubstr("rows of 128 values are no whole blocks"));
}

}  // namespace
}  // namespace qbuild::rules
