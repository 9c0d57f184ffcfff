#pragma once
// A recipe says which type each tensor of a model gets: "Q4_K_M" is a recipe, "Q4_K" is a type.
// Recipes are a table and one pure function of the tensor list; nothing depends on the order of
// visiting. They choose as llama.cpp's quantizer does (October 2026), so that a file is what its
// name says elsewhere.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/dtype.h"

namespace qbuild::rules {

// Part of the key of `quantize`: raise it when a recipe chooses differently.
//   1  F32 F16 BF16 Q8_0 Q4_0 Q4_K_S Q4_K_M Q6_K
inline constexpr std::string_view kRecipeTablesVersion = "1";

struct Recipe {
  std::string_view name;
  std::uint32_t file_type;  // GGUF's general.file_type
  DType base;
};

[[nodiscard]] std::span<const Recipe> all_recipes();
[[nodiscard]] const Recipe* find_recipe(std::string_view name);  // null: no such recipe

struct TensorSpec {
  std::string name;                  // GGUF's: "blk.0.attn_q.weight"
  std::vector<std::uint64_t> shape;  // GGUF order: shape[0] is the row length
};

// What a recipe asks about the network beyond its tensors.
struct NetworkFacts {
  std::uint32_t block_count = 0;
  std::uint32_t head_count = 0;
  std::uint32_t head_count_kv = 0;
};

// A user's own rule: for tensors whose name matches, in those layers, this type instead of the
// recipe's.
struct Override {
  std::string match;  // a regular expression (ECMAScript), searched in the name
  // First and last layer, negative ones from the end (-1 is the last); none: every tensor.
  std::vector<std::pair<int, int>> layers;
  DType type = DType::kF32;
};

struct TypeChoice {
  DType type = DType::kF32;
  // The type that was asked for, where rows of this length cannot hold it and `type` is the
  // fallback.
  std::optional<DType> instead_of;
};

// Throws Error (kInvalidInput) for a bad expression, and for an override that matches no tensor;
// the message says in which layers it was to, and which the network has.
void check_override(const Override& rule, std::span<const TensorSpec> tensors,
                    const NetworkFacts& facts);

// One choice per tensor, in the order of `tensors`.
// Throws Error (kInvalidInput) for a bad expression and for an override that matches no tensor.
[[nodiscard]] std::vector<TypeChoice> choose_types(const Recipe& recipe,
                                                   std::span<const Override> overrides,
                                                   std::span<const TensorSpec> tensors,
                                                   const NetworkFacts& facts);

// The order of tensors in a file: those outside blocks first, then by block number, ties by name.
[[nodiscard]] bool file_order(std::string_view a, std::string_view b);

}  // namespace qbuild::rules
