#pragma once
// Which tensors a Llama network of given parameters consists of, and their shapes: what loading
// asks of any file, and what an import asks of a checkpoint. Pure; any thread.

#include <cstdint>
#include <optional>
#include <vector>

#include "models/hyper_parameters.h"
#include "models/tensor_names.h"

namespace qbuild::models {

// A matrix of rows * columns, or a vector of `columns` values (rows = 1).
struct TensorExtent {
  std::uint64_t rows = 1;
  std::uint64_t columns = 0;
  bool is_vector = false;

  friend bool operator==(const TensorExtent&, const TensorExtent&) = default;
};

// Nothing for what no such network has: a layer beyond the last, the bias or scale of a norm or of
// an embedding, and rope_freqs, which only a GGUF has.
[[nodiscard]] std::optional<TensorExtent> expected_extent(const TensorName& tensor,
                                                          const HyperParameters& parameters);

// Those that must be there: outside the layers first, then layer by layer. The output matrix is
// among them unless it is tied, a bias only where the parameters demand it.
[[nodiscard]] std::vector<TensorName> required_tensors(const HyperParameters& parameters);

// True for the roles that may have a bias: q, k, v, output, gate, up, down.
[[nodiscard]] bool may_have_bias(TensorRole role);
// Whether the parameters demand it.
[[nodiscard]] bool needs_bias(TensorRole role, const HyperParameters& parameters);

}  // namespace qbuild::models
