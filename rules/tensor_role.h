#pragma once
// What a tensor of a GGUF does in its network, told from its name: recipes choose by role. Names
// are matched as llama.cpp's quantizer matches them (October 2026), for every architecture.
// Source: docs/recipes.md.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/dtype.h"

namespace qbuild::rules {

struct TensorSpec {
  std::string name;                  // GGUF's: "blk.0.attn_q.weight"
  std::vector<std::uint64_t> shape;  // GGUF order: shape[0] is the row length
  DType plain = DType::kF32;         // what it gets where it is not quantized
};

enum class TensorRole : std::uint8_t {
  kOutput,     // "output.weight" alone; where there is none, the embeddings have this role
  kEmbedding,  // of tokens, and those that Gemma has for every layer
  kDelicate,   // never below eight bits, for architectures that say so
  kAttnV,      // and the joined tensors that hold values: attn_qkv, attn_kv_b
  kAttnK,
  kAttnQ,
  kAttnOutput,
  kFfnUp,  // of experts and shared experts, too; so with the next two
  kFfnGate,
  kFfnDown,
  kOther,
  kAny,  // in tables: whichever
};

//   architecture  GGUF's general.architecture
//   has_output    whether the file has an "output.weight" (if not, embeddings are tied to it)
[[nodiscard]] TensorRole role_of(std::string_view name, std::string_view architecture,
                                 bool has_output);

// The block number in "blk.12.attn_q.weight", or nothing.
[[nodiscard]] std::optional<std::uint32_t> block_of(std::string_view name);

// Whether quantizing touches it: matrices whose name ends in "weight", but for norms, routers,
// convolutions and other small ones. The rest stays as it is (TensorSpec::plain).
[[nodiscard]] bool is_quantizable(const TensorSpec& tensor, std::string_view architecture);

// The order of tensors in a file: those outside blocks first, then by block number, ties by name.
[[nodiscard]] bool file_order(std::string_view a, std::string_view b);

}  // namespace qbuild::rules
