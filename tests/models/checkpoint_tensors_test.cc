#include "models/checkpoint_tensors.h"

#include <gmock/gmock.h>

#include "base/error.h"
#include "tests/models/tiny_network.h"

namespace qbuild::models {
namespace {

constexpr const char* kUp = "model.layers.1.mlp.up_proj.weight";

class CheckpointTensors : public testing::Test {
 protected:
  std::vector<std::string> names() {
    write_checkpoint(tiny_, folder_.path());
    const auto checkpoint = formats::Checkpoint::open(*files_, folder_.path());
    std::vector<std::string> found;
    for (const auto& [name, stored] : network_tensors(checkpoint, parameters_, folder_.path()))
      found.push_back(stored->name);
    return found;
  }
  // What is wrong, without the folder; the file as it lies there if `is_written`.
  Error failure(bool is_written = false) {
    try {
      if (!is_written) write_checkpoint(tiny_, folder_.path());
      const auto checkpoint = formats::Checkpoint::open(*files_, folder_.path());
      (void)network_tensors(checkpoint, parameters_, folder_.path());
    } catch (const Error& error) {
      std::string message = error.message();
      const std::string folder = folder_.path().string();
      if (const auto at = message.find(folder); at != std::string::npos)
        message.replace(at, folder.size(), "FOLDER");
      return {error.kind(), message};
    }
    return {ErrorKind::kInternal, "accepted"};
  }
  void expect(ErrorKind kind, std::string_view message) {
    const Error error = failure();
    EXPECT_EQ(error.kind(), kind);
    EXPECT_EQ(error.message(), message);
  }
  static TinyTensor tensor(std::uint64_t rows, std::uint64_t columns, bool is_vector = false) {
    return {rows, columns, is_vector, std::vector<float>(rows * columns, 1.0F)};
  }

  TestFolder folder_;
  std::unique_ptr<FileSystem> files_ = make_posix_file_system();
  HyperParameters parameters_ = tiny_parameters();
  TinySource tiny_{tiny_parameters()};
};

TEST_F(CheckpointTensors, AreAllOfTheNetwork) {
  EXPECT_EQ(names().size(), 3U + 2 * 9);
}

TEST_F(CheckpointTensors, MoreLayersThanThereAreAreMissing) {
  parameters_.layers = 99;
  expect(ErrorKind::kInvalidInput,
         "FOLDER: model.layers.2.input_layernorm.weight is missing: config.json says 99 layers");
}

TEST_F(CheckpointTensors, ALayerBeyondTheCountIsTold) {
  parameters_.layers = 1;
  expect(ErrorKind::kInvalidInput,
         "FOLDER/model.safetensors: model.layers.1.input_layernorm.weight: config.json says 1 "
         "layers");
}

TEST_F(CheckpointTensors, AnotherFeedForwardSizeIsTold) {
  parameters_.feed_forward = 999;
  expect(ErrorKind::kInvalidInput,
         "FOLDER/model.safetensors: model.layers.0.mlp.down_proj.weight: its shape is [64, 96]; "
         "config.json makes it [64, 999]");
}

TEST_F(CheckpointTensors, AnotherNumberOfKeyValueHeadsIsTold) {
  parameters_.kv_heads = 4;
  expect(ErrorKind::kInvalidInput,
         "FOLDER/model.safetensors: model.layers.0.self_attn.k_proj.weight: its shape is [32, 64]; "
         "config.json makes it [64, 64]");
}

TEST_F(CheckpointTensors, AMatrixOfOneRowIsNoVector) {
  tiny_.tensors["model.norm.weight"] = tensor(1, 64);
  expect(ErrorKind::kInvalidInput,
         "FOLDER/model.safetensors: model.norm.weight: its shape is [1, 64]; config.json makes it "
         "[64]");
}

TEST_F(CheckpointTensors, WhatIsMissingSaysWhyItIsWanted) {
  tiny_.tensors.erase("model.norm.weight");
  expect(ErrorKind::kInvalidInput, "FOLDER: model.norm.weight is missing");
  tiny_ = TinySource(tiny_parameters());
  tiny_.tensors.erase("lm_head.weight");
  expect(ErrorKind::kInvalidInput,
         "FOLDER: lm_head.weight is missing: config.json does not say tie_word_embeddings: true");
  tiny_ = TinySource(tiny_parameters());
  parameters_.attention_bias = true;
  expect(ErrorKind::kInvalidInput,
         "FOLDER: model.layers.0.self_attn.q_proj.bias is missing: config.json says "
         "attention_bias: true");
}

TEST_F(CheckpointTensors, ATiedOutputMayBeThereOrNot) {
  parameters_.tied_output = true;
  EXPECT_THAT(names(), testing::Not(testing::Contains("lm_head.weight")));
  tiny_.tensors.erase("lm_head.weight");
  EXPECT_EQ(names().size(), 2U + 2 * 9);
}

TEST_F(CheckpointTensors, ABiasThatNobodyDemandsMayBeThere) {
  tiny_.tensors["model.layers.0.self_attn.q_proj.bias"] = tensor(1, 64, true);
  EXPECT_EQ(names().size(), 3U + 2 * 9 + 1);
  tiny_.tensors["model.layers.0.self_attn.q_proj.bias"] = tensor(1, 63, true);
  expect(ErrorKind::kInvalidInput,
         "FOLDER/model.safetensors: model.layers.0.self_attn.q_proj.bias: its shape is [63]; "
         "config.json makes it [64]");
}

TEST_F(CheckpointTensors, WhatConvertersLeaveOutMayHaveAnyShape) {
  tiny_.tensors["model.layers.0.self_attn.rotary_emb.inv_freq"] = tensor(0, 0);
  EXPECT_EQ(names().size(), 3U + 2 * 9);
}

TEST_F(CheckpointTensors, WhatNoLlamaHasIsUnsupported) {
  tiny_.tensors["model.norm.bias"] = tensor(1, 64, true);
  expect(ErrorKind::kUnsupported, "tensor model.norm.bias is no tensor of a llama network");
  tiny_.tensors.erase("model.norm.bias");
  tiny_.tensors["model.extra"] = tensor(1, 64, true);
  expect(ErrorKind::kUnsupported, "tensor model.extra is no tensor of a llama network");
}

TEST_F(CheckpointTensors, OneThatIsThereTwiceIsCorrupt) {
  tiny_.tensors["norm.weight"] = tensor(1, 64, true);
  expect(ErrorKind::kCorrupt,
         "FOLDER/model.safetensors: norm.weight: it is there a second time, as model.norm.weight");
}

TEST_F(CheckpointTensors, AShapeWithoutWeightsIsCorrupt) {
  const std::string head =
      "FOLDER/model.safetensors: model.layers.1.mlp.up_proj.weight: its shape is ";
  tiny_.tensors[kUp] = tensor(1, 0, true);
  expect(ErrorKind::kCorrupt, head + "[0], which holds no weights");
  tiny_.tensors[kUp] = tensor(4, 0);
  expect(ErrorKind::kCorrupt, head + "[4, 0], which holds no weights");
  tiny_.tensors[kUp] = tensor(0, 4);
  expect(ErrorKind::kCorrupt, head + "[0, 4], which holds no weights");
}

TEST_F(CheckpointTensors, AShapeWithoutDimensionsIsCorrupt) {
  tiny_.tensors[kUp] = tensor(1, 1, true);
  write_checkpoint(tiny_, folder_.path());
  const auto path = folder_.path() / "model.safetensors";
  std::string bytes = read_file(*files_, path, 1U << 20U);
  const auto at = bytes.find("[1]");  // no other tensor has this shape
  ASSERT_NE(at, std::string::npos);
  bytes[at + 1] = ' ';
  publish_file(*files_, path, as_bytes(bytes));
  const Error error = failure(true);
  EXPECT_EQ(error.kind(), ErrorKind::kCorrupt);
  EXPECT_EQ(error.message(),
            "FOLDER/model.safetensors: model.layers.1.mlp.up_proj.weight: its shape is [], which "
            "holds no weights");
}

}  // namespace
}  // namespace qbuild::models
