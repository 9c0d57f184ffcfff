#pragma once
// The names that a manifest may use for recipes, types and methods. `rules` has the tables behind
// them and a test that both agree.

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/dtype.h"

namespace qbuild::manifests {

// GGUF recipes: those of llama.cpp whose every type is made and measured here.
[[nodiscard]] std::span<const std::string_view> recipe_names();
[[nodiscard]] bool is_recipe_name(std::string_view name);

// Types that a recipe's rule may give to a tensor: those that this program encodes
// and computes with.
[[nodiscard]] std::span<const std::string_view> tensor_types();
[[nodiscard]] std::optional<DType> tensor_type(std::string_view name);

// Values of `method`.
[[nodiscard]] std::span<const std::string_view> method_names();

// What stands in a target where a variant's name could: MODEL:card and MODEL:card:quality could not
// be told apart if a variant were called "card". `rules` has a test that no target is missing.
[[nodiscard]] bool is_step_name(std::string_view name);

// Types, recipes and methods of other tools that this program does not make yet: "Q3_K_M", "gptq",
// in any case of letters.
[[nodiscard]] bool is_word_of_the_field(std::string_view word);
// `"Q3_K_M" is not possible yet; possible are F32, F16`
[[nodiscard]] std::string not_yet(std::string_view word, std::span<const std::string_view> known);

// `unknown quant "Q4_K_X"; did you mean "Q4_K_M"?`, or what is known where nothing is near; of a
// word of the field that it is not possible yet.
//   what   "quant", "type", "method"
//   known  the words that could have stood there
[[nodiscard]] std::string unknown_word(std::string_view what, std::string_view word,
                                       std::span<const std::string_view> known);

}  // namespace qbuild::manifests
