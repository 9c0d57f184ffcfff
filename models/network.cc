#include "models/network.h"

#include <fmt/core.h>

#include "base/check.h"
#include "base/error.h"
#include "models/checkpoint_source.h"
#include "models/gguf_source.h"
#include "models/llama.h"
#include "models/weights.h"

namespace qbuild::models {

Network::Network(std::unique_ptr<LlamaModel> model) : model_(std::move(model)) {}
Network::~Network() = default;
Network::Network(Network&&) noexcept = default;
Network& Network::operator=(Network&&) noexcept = default;

Network Network::load(FileSystem& file_system, const fs::path& path,
                      const NetworkOptions& options) {
  const auto stat = file_system.stat(path);
  if (!stat) {
    throw Error(ErrorKind::kNotFound,
                fmt::format("{}: there is no such checkpoint folder or GGUF file", path.string()));
  }
  if (stat->kind == FileStat::Kind::kDirectory) {
    const CheckpointSource source(file_system, path);
    return from_source(source.parameters(), source, options);
  }
  const GgufSource source(file_system, path);
  return from_source(source.parameters(), source, options);
}

Network Network::from_source(const HyperParameters& parameters, const TensorSource& source,
                             const NetworkOptions& options) {
  return Network(std::make_unique<LlamaModel>(
      LlamaModel{parameters, options, load_weights(source, parameters)}));
}

const HyperParameters& Network::hyper_parameters() const {
  return model_->parameters;
}
const NetworkOptions& Network::options() const {
  return model_->options;
}
std::uint64_t Network::weight_bytes() const {
  return model_->weights.bytes();
}

KvCache Network::make_cache(std::size_t positions) const {
  const HyperParameters& p = model_->parameters;
  if (positions > p.context) {
    throw Error(ErrorKind::kExhausted,
                fmt::format("{} positions exceed the model's context of {}", positions, p.context));
  }
  return KvCache(p.layers, p.kv_width(), positions);
}

std::vector<float> Network::forward(std::span<const SequenceInput> sequences, ThreadPool& pool,
                                    Products products) const {
  const std::int64_t vocabulary = static_cast<std::int64_t>(model_->parameters.vocabulary);
  for (const SequenceInput& sequence : sequences) {
    const KvCache& cache = *sequence.cache;
    if (sequence.tokens.size() > cache.capacity() - cache.length()) {
      throw Error(ErrorKind::kExhausted,
                  fmt::format("{} more tokens do not fit a cache of {} positions that holds {}",
                              sequence.tokens.size(), cache.capacity(), cache.length()));
    }
    for (const std::int32_t token : sequence.tokens) {
      if (token < 0 || token >= vocabulary) {
        throw Error(
            ErrorKind::kInvalidInput,
            fmt::format("token {} is outside the model's vocabulary of {}", token, vocabulary));
      }
    }
    for (const std::uint32_t index : sequence.wanted) {
      check(index < sequence.tokens.size(), "forward: wanted logits are of new tokens");
    }
  }
  return llama_forward(*model_, sequences, pool, products);
}

}  // namespace qbuild::models
