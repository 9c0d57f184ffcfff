#pragma once
// The weights of a Llama network in memory, packed as their file has them, and how they are loaded
// from any source of tensors.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/dtype.h"
#include "kernels/matmul.h"
#include "models/hyper_parameters.h"
#include "models/tensor_names.h"

namespace qbuild::models {

// A tensor as its file describes it: a matrix of rows * columns, or a vector (rows = 1).
struct TensorShape {
  DType dtype = DType::kF32;
  std::uint64_t rows = 0;
  std::uint64_t columns = 0;
};

// The seam between weights and files.
class TensorSource {
 public:
  virtual ~TensorSource() = default;
  // The name that the source gives the tensor, for messages: with the file's path in front.
  [[nodiscard]] virtual std::string describe(const TensorName& tensor) const = 0;
  // Nothing if the source has no such tensor.
  [[nodiscard]] virtual std::optional<TensorShape> find(const TensorName& tensor) const = 0;
  // Of a tensor that find() knows: all its bytes.
  [[nodiscard]] virtual std::vector<std::byte> read(const TensorName& tensor) const = 0;
};

struct Matrix {
  DType dtype = DType::kF32;
  std::size_t rows = 0;
  std::size_t columns = 0;
  std::vector<std::byte> bytes;
  float scale = 1;  // of every product with it: GGUF's X.scale beside X.weight

  [[nodiscard]] kernels::WeightView view() const { return {dtype, rows, columns, bytes}; }
};

// A matrix with its bias, which may be empty.
struct Linear {
  Matrix weight;
  std::vector<float> bias;
};

struct LayerWeights {
  std::vector<float> attention_norm;
  Linear query, key, value, attention_output;
  std::vector<float> feed_forward_norm;
  Linear gate, up, down;
};

struct Weights {
  Matrix embedding;
  std::vector<float> output_norm;
  Matrix output;  // empty when tied
  std::vector<LayerWeights> layers;

  [[nodiscard]] std::uint64_t bytes() const;
};

// Throws kNotFound "FILE: tensor NAME is missing", kInvalidInput on a shape other than the
// parameters say, kUnsupported on a type that products do not take, kCorrupt on a scale that is no
// finite number.
[[nodiscard]] Weights load_weights(const TensorSource& source, const HyperParameters& parameters);

}  // namespace qbuild::models
