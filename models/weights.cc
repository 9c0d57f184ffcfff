#include "models/weights.h"

#include <fmt/core.h>

#include <cmath>

#include "base/check.h"
#include "base/error.h"
#include "kernels/codec.h"
#include "models/expected_tensors.h"

namespace qbuild::models {
namespace {

class Loader {
 public:
  Loader(const TensorSource& source, const HyperParameters& parameters)
      : source_(source), parameters_(parameters) {}

  Weights load() {
    Weights weights;
    weights.embedding = matrix({TensorRole::kTokenEmbedding});
    weights.output_norm = vector({TensorRole::kOutputNorm});
    if (!parameters_.tied_output) weights.output = scaled_matrix({TensorRole::kOutput});
    for (std::uint32_t i = 0; i < parameters_.layers; ++i) weights.layers.push_back(layer(i));
    return weights;
  }

 private:
  LayerWeights layer(std::uint32_t index) {
    const auto name = [index](TensorRole role) {
      return TensorName{role, TensorPart::kWeight, index};
    };
    LayerWeights layer;
    layer.attention_norm = vector(name(TensorRole::kAttentionNorm));
    layer.query = linear(name(TensorRole::kQuery));
    layer.key = linear(name(TensorRole::kKey));
    layer.value = linear(name(TensorRole::kValue));
    layer.attention_output = linear(name(TensorRole::kAttentionOutput));
    layer.feed_forward_norm = vector(name(TensorRole::kFeedForwardNorm));
    layer.gate = linear(name(TensorRole::kGate));
    layer.up = linear(name(TensorRole::kUp));
    layer.down = linear(name(TensorRole::kDown));
    return layer;
  }

  // Of a tensor that must be there, with the rows and columns that the parameters ask for.
  TensorShape shape_of(const TensorName& name) {
    const auto expected = expected_extent(name, parameters_);
    check(expected.has_value(), "only tensors of the network are loaded");
    const auto shape = source_.find(name);
    if (!shape) {
      throw Error(ErrorKind::kNotFound,
                  fmt::format("{} is missing; the model is not complete", source_.describe(name)));
    }
    if (shape->rows != expected->rows || shape->columns != expected->columns) {
      throw Error(
          ErrorKind::kInvalidInput,
          fmt::format("{} has the shape {} x {}, but the model's parameters ask for {} x {}",
                      source_.describe(name), shape->rows, shape->columns, expected->rows,
                      expected->columns));
    }
    if (!kernels::has_product(shape->dtype)) {
      throw Error(ErrorKind::kUnsupported,
                  fmt::format("{} has the type {}, with which nothing here can compute",
                              source_.describe(name), dtype_name(shape->dtype)));
    }
    return *shape;
  }

  Matrix matrix(const TensorName& name) {
    const TensorShape shape = shape_of(name);
    const auto row = row_bytes(shape.dtype, shape.columns);
    Matrix result{shape.dtype, shape.rows, shape.columns, source_.read(name), 1};
    if (!row || result.bytes.size() != *row * shape.rows) {
      throw Error(ErrorKind::kCorrupt,
                  fmt::format("{} has {} bytes, which is not {} rows of {} values of {}",
                              source_.describe(name), result.bytes.size(), shape.rows,
                              shape.columns, dtype_name(shape.dtype)));
    }
    return result;
  }

  std::vector<float> vector(const TensorName& name) {
    const Matrix values = matrix(name);
    std::vector<float> result(values.columns);
    kernels::decode_rows(kernels::Backend::kScalar, values.dtype, values.bytes, result);
    return result;
  }

  Matrix scaled_matrix(TensorName name) {
    Matrix result = matrix(name);
    name.part = TensorPart::kScale;
    if (!source_.find(name)) return result;
    result.scale = vector(name).front();
    if (!std::isfinite(result.scale))
      throw Error(ErrorKind::kCorrupt, fmt::format("{} has the value {}, which is no "
                                                   "finite number",
                                                   source_.describe(name), result.scale));
    return result;
  }

  Linear linear(TensorName name) {
    Linear result{scaled_matrix(name), {}};
    name.part = TensorPart::kBias;
    if (needs_bias(name.role, parameters_) || source_.find(name)) result.bias = vector(name);
    return result;
  }

  const TensorSource& source_;
  const HyperParameters& parameters_;
};

std::uint64_t size_of(const Linear& linear) {
  return linear.weight.bytes.size() + linear.bias.size() * sizeof(float);
}

}  // namespace

std::uint64_t Weights::bytes() const {
  std::uint64_t total =
      embedding.bytes.size() + output.bytes.size() + output_norm.size() * sizeof(float);
  for (const LayerWeights& layer : layers) {
    total += (layer.attention_norm.size() + layer.feed_forward_norm.size()) * sizeof(float);
    for (const Linear* linear : {&layer.query, &layer.key, &layer.value, &layer.attention_output,
                                 &layer.gate, &layer.up, &layer.down}) {
      total += size_of(*linear);
    }
  }
  return total;
}

Weights load_weights(const TensorSource& source, const HyperParameters& parameters) {
  return Loader(source, parameters).load();
}

}  // namespace qbuild::models
