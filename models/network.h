#pragma once
// A network that runs: weights packed as their file has them, one forward pass.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/file_system.h"
#include "base/thread_pool.h"
#include "kernels/backend.h"
#include "kernels/matmul.h"
#include "models/hyper_parameters.h"
#include "models/kv_cache.h"

namespace qbuild::models {

// Which products a pass uses. kDefined gives the same bits everywhere and is what `quality` uses;
// kFast is for `run` and `speed`: tokens that come alone take kernels/dot.h.
enum class Products : std::uint8_t { kDefined, kFast };

struct NetworkOptions {
  kernels::Backend backend = kernels::Backend::kScalar;
  kernels::ActivationMode activations = kernels::ActivationMode::kReference;
};

class TensorSource;
struct LlamaModel;

// New tokens of one sequence. `cache` holds what came before and is advanced; `tokens` and `wanted`
// must outlive the call.
struct SequenceInput {
  KvCache* cache = nullptr;
  std::span<const std::int32_t> tokens;
  // Indices into `tokens`, ascending, of those whose logits are wanted.
  std::span<const std::uint32_t> wanted;
};

class Network {
 public:
  // path: a checkpoint folder (config.json and safetensors) or a GGUF file. Reads all weights into
  // memory. Throws kNotFound "PATH: tensor model.layers.1.mlp.up_proj.weight is missing",
  // kInvalidInput on a wrong shape, kUnsupported for an architecture or a type that nothing here
  // runs.
  [[nodiscard]] static Network load(FileSystem& file_system, const fs::path& path,
                                    const NetworkOptions& options);
  // The same from any source of tensors.
  [[nodiscard]] static Network from_source(const HyperParameters& parameters,
                                           const TensorSource& source,
                                           const NetworkOptions& options);
  ~Network();
  Network(Network&&) noexcept;
  Network& operator=(Network&&) noexcept;

  [[nodiscard]] const HyperParameters& hyper_parameters() const;
  [[nodiscard]] const NetworkOptions& options() const;
  // Bytes of the weights in memory.
  [[nodiscard]] std::uint64_t weight_bytes() const;

  [[nodiscard]] KvCache make_cache(std::size_t positions) const;

  // Runs the new tokens of all sequences at once. Returns one row of `vocabulary` logits per wanted
  // token, sequence after sequence. Throws kInvalidInput for a token outside the vocabulary and
  // kExhausted when a cache is full. One call at a time per cache and pool; the network itself is
  // not changed.
  [[nodiscard]] std::vector<float> forward(std::span<const SequenceInput> sequences,
                                           ThreadPool& pool,
                                           Products products = Products::kDefined) const;

 private:
  explicit Network(std::unique_ptr<LlamaModel> model);
  std::unique_ptr<LlamaModel> model_;
};

}  // namespace qbuild::models
