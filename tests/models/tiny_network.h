#pragma once
// A network of a few thousand random weights, made in memory or written as a checkpoint or a GGUF.

#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "models/hyper_parameters.h"
#include "models/network.h"
#include "models/weights.h"

namespace qbuild::models {

// Two layers of width 64, four heads of 16 of which two share one key/value head, 50 tokens,
// context 64.
[[nodiscard]] HyperParameters tiny_parameters();

struct TinyTensor {
  std::uint64_t rows = 1;
  std::uint64_t columns = 1;
  bool is_vector = false;
  std::vector<float> values;
};

// Holds every tensor that the parameters ask for, in F32 or, for matrices, in another type; tests
// take away and spoil what they like.
class TinySource final : public TensorSource {
 public:
  explicit TinySource(const HyperParameters& parameters, DType dtype = DType::kF32);

  [[nodiscard]] std::string describe(const TensorName& tensor) const override;
  [[nodiscard]] std::optional<TensorShape> find(const TensorName& tensor) const override;
  [[nodiscard]] std::vector<std::byte> read(const TensorName& tensor) const override;

  // By the checkpoint's name.
  std::map<std::string, TinyTensor> tensors;

 private:
  DType dtype_;
};

[[nodiscard]] std::string tiny_config_json();
// The tensors as model.safetensors with config.json beside it.
void write_checkpoint(const TinySource& source, const std::filesystem::path& folder);
// The same as a converter would make it: q and k permuted. It may have scales.
void write_gguf(const TinySource& source, const std::filesystem::path& path);

// A folder of its own for one test, removed afterwards.
class TestFolder {
 public:
  TestFolder();
  ~TestFolder();
  TestFolder(const TestFolder&) = delete;
  TestFolder& operator=(const TestFolder&) = delete;
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

// The logits of all tokens of one sequence.
[[nodiscard]] std::vector<float> all_logits(const Network& network,
                                            std::span<const std::int32_t> tokens,
                                            unsigned threads = 1,
                                            Products products = Products::kDefined);
[[nodiscard]] std::vector<std::int32_t> some_tokens(std::size_t count);

}  // namespace qbuild::models
