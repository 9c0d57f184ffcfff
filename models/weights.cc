#include "models/weights.h"

#include <fmt/core.h>

#include "base/error.h"
#include "kernels/codec.h"

namespace qbuild::models {
namespace {

class Loader {
 public:
  Loader(const TensorSource& source, const HyperParameters& parameters)
      : source_(source), parameters_(parameters) {}

  Weights load() {
    const auto& p = parameters_;
    Weights weights;
    weights.embedding = matrix({TensorRole::kTokenEmbedding}, p.vocabulary, p.hidden);
    weights.output_norm = vector({TensorRole::kOutputNorm}, p.hidden);
    if (!p.tied_output) weights.output = matrix({TensorRole::kOutput}, p.vocabulary, p.hidden);
    for (std::uint32_t i = 0; i < p.layers; ++i) weights.layers.push_back(layer(i));
    return weights;
  }

 private:
  LayerWeights layer(std::uint32_t index) {
    const auto& p = parameters_;
    const auto name = [index](TensorRole role) {
      return TensorName{role, TensorPart::kWeight, index};
    };
    LayerWeights layer;
    layer.attention_norm = vector(name(TensorRole::kAttentionNorm), p.hidden);
    layer.query = linear(name(TensorRole::kQuery), p.query_width(), p.hidden);
    layer.key = linear(name(TensorRole::kKey), p.kv_width(), p.hidden);
    layer.value = linear(name(TensorRole::kValue), p.kv_width(), p.hidden);
    layer.attention_output = linear(name(TensorRole::kAttentionOutput), p.hidden, p.query_width());
    layer.feed_forward_norm = vector(name(TensorRole::kFeedForwardNorm), p.hidden);
    layer.gate = linear(name(TensorRole::kGate), p.feed_forward, p.hidden);
    layer.up = linear(name(TensorRole::kUp), p.feed_forward, p.hidden);
    layer.down = linear(name(TensorRole::kDown), p.hidden, p.feed_forward);
    return layer;
  }

  // The shape of a tensor that must be there with these rows and columns.
  TensorShape shape_of(const TensorName& name, std::uint64_t rows, std::uint64_t columns) {
    const auto shape = source_.find(name);
    if (!shape) {
      throw Error(ErrorKind::kNotFound,
                  fmt::format("{} is missing; the model is not complete", source_.describe(name)));
    }
    if (shape->rows != rows || shape->columns != columns) {
      throw Error(
          ErrorKind::kInvalidInput,
          fmt::format("{} has the shape {} x {}, but the model's parameters ask for {} x {}",
                      source_.describe(name), shape->rows, shape->columns, rows, columns));
    }
    if (!kernels::has_product(shape->dtype)) {
      throw Error(ErrorKind::kUnsupported,
                  fmt::format("{} has the type {}, with which nothing here can compute",
                              source_.describe(name), dtype_name(shape->dtype)));
    }
    return *shape;
  }

  Matrix matrix(const TensorName& name, std::uint64_t rows, std::uint64_t columns) {
    const TensorShape shape = shape_of(name, rows, columns);
    const auto row = row_bytes(shape.dtype, columns);
    Matrix result{shape.dtype, rows, columns, source_.read(name)};
    if (!row || result.bytes.size() != *row * rows) {
      throw Error(ErrorKind::kCorrupt,
                  fmt::format("{} has {} bytes, which is not {} rows of {} values of {}",
                              source_.describe(name), result.bytes.size(), rows, columns,
                              dtype_name(shape.dtype)));
    }
    return result;
  }

  std::vector<float> vector(const TensorName& name, std::uint64_t size) {
    const Matrix values = matrix(name, 1, size);
    std::vector<float> result(values.columns);
    kernels::decode_rows(kernels::Backend::kScalar, values.dtype, values.bytes, result);
    return result;
  }

  Linear linear(TensorName name, std::uint64_t rows, std::uint64_t columns) {
    Linear result{matrix(name, rows, columns), {}};
    name.part = TensorPart::kBias;
    const bool needed =
        name.role >= TensorRole::kGate ? parameters_.feed_forward_bias : parameters_.attention_bias;
    if (needed || source_.find(name)) result.bias = vector(name, rows);
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
