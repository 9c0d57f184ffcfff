#pragma once
// A recipe says which type each tensor of a model gets: "Q4_K_M" is a recipe, "Q4_K" is a type.
// Recipes are tables (rules/recipe_table.h) and one pure function of the tensor list; nothing
// depends on the order of visiting. They choose as llama.cpp's quantizer does (October 2026), for
// the networks of every architecture.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/dtype.h"
#include "rules/recipe_override.h"
#include "rules/recipe_table.h"
#include "rules/tensor_role.h"

namespace qbuild::rules {

// What a recipe asks about the network beyond its tensors.
struct NetworkFacts {
  std::uint32_t block_count = 0;    // with those that predict further tokens
  std::uint32_t head_count = 0;     // of the first layer; so with the next
  std::uint32_t head_count_kv = 0;  // 0 where that layer has no attention
  std::uint32_t expert_count = 0;
  std::string architecture = "llama";  // GGUF's general.architecture
};

// What a run may ask for beside the recipe.
struct RecipeOptions {
  std::vector<Override> overrides = {};  // the first that takes a tensor wins over the recipe
  bool has_importance = false;           // an importance matrix: some recipes choose otherwise
  bool pure = false;                     // the recipe's base for all that is quantized
  // Of output.weight; of embeddings that serve as output, unless `pure` or a plain recipe.
  std::optional<DType> output = {};
  // Of embeddings, wherever they serve; an override that takes per_layer_token_embd.weight wins.
  std::optional<DType> embedding = {};
};

struct TypeChoice {
  DType type = DType::kF32;
  // The type that was asked for, where rows of this length cannot hold it and `type` is the
  // fallback.
  std::optional<DType> instead_of;
  // Whether nothing sensible comes out of encoding it without an importance matrix.
  bool needs_importance = false;
};

// Throws Error (kInvalidInput) for a bad expression, and for an override that matches no tensor;
// the message says in which layers it was to, and which the network has.
void check_override(const Override& rule, std::span<const TensorSpec> tensors,
                    const NetworkFacts& facts);

// One choice per tensor, in the order of `tensors`.
// Throws Error: kInvalidInput for a bad expression, for an override that matches no tensor, for
// options whose type the rows do not hold, and for a tensor of an expert outside of the network's
// blocks; kUnsupported for rows that do not hold the type where none stands in for it.
[[nodiscard]] std::vector<TypeChoice> choose_types(const Recipe& recipe,
                                                   const RecipeOptions& options,
                                                   std::span<const TensorSpec> tensors,
                                                   const NetworkFacts& facts);

// Throws Error (kInvalidInput) where a tensor needs an importance matrix and there is none; the
// message names the recipe and the first such tensor.
void require_importance(const Recipe& recipe, const RecipeOptions& options,
                        std::span<const TensorSpec> tensors, std::span<const TypeChoice> choices);

}  // namespace qbuild::rules
