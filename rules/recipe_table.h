#pragma once
// The recipes as tables: for each the types of what every network has, and rows for the tensors
// that get another type than the rest. The names and choices are those of llama.cpp's quantizer
// (October 2026), so that a file is what its name says elsewhere. Source: docs/recipes.md.

#include <cstdint>
#include <optional>
#include <set>
#include <span>
#include <string_view>

#include "base/dtype.h"
#include "rules/tensor_role.h"

namespace qbuild::rules {

// Part of the key of `quantize`: raise it when a recipe chooses differently.
//   1  F32 F16 BF16 Q8_0 Q4_0 Q4_K_S Q4_K_M Q6_K; the others came later and changed none of these
inline constexpr std::string_view kRecipeTablesVersion = "1";

// In which layers a row holds. n is the number of layers, i the tensor's; of kAttnV, tensors of
// that role are counted instead, since not every layer has one.
enum class Where : std::uint8_t {
  kEverywhere,
  kFirstTwo,
  kFirstFour,
  kFirstSixteenth,  // i < n/16
  kFirstEighth,     // i < n/8
  kFirstEighthMet,  // as kFirstEighth, but i counts tensors of the role: experts and shared experts
                    // of one layer are two
  kMiddle,          // not in the first nor in the last eighth
  kMoreBits,        // the first and the last eighth, and every third between
};

// What may be true of a network, a tensor or a run; a row names those it needs. Bits.
using Facts = std::uint32_t;
inline constexpr Facts kGroupedByFour = 1u << 0;  // four queries or more to a value head
inline constexpr Facts kFourExperts = 1u << 1;    // or more
inline constexpr Facts kEightExperts = 1u << 2;   // exactly: Mixtral's size
inline constexpr Facts kNotEightExperts = 1u << 3;
inline constexpr Facts kImportance = 1u << 4;  // there is an importance matrix
inline constexpr Facts kNoImportance = 1u << 5;
inline constexpr Facts kFalcon = 1u << 6;
inline constexpr Facts kNotFalcon = 1u << 7;
inline constexpr Facts kStacked = 1u << 8;        // a tensor of three dimensions: experts
inline constexpr Facts kNotStackedMla = 1u << 9;  // attention has no tensors of three dimensions

struct Row {
  TensorRole role;
  DType type;
  Where where = Where::kEverywhere;
  Facts needs = 0;
};

// Which rows of all recipes come before a recipe's own.
enum class Common : std::uint8_t {
  kOfAll,   // those that hold for every recipe
  kOfMost,  // and more bits for eight experts and for the largest networks (raised_for_large)
};

struct Recipe {
  std::string_view name;
  std::uint32_t file_type;  // GGUF's general.file_type
  DType base;               // of all tensors that no row takes
  DType output;
  DType embedding;  // where it is not the output, too
  Common common = Common::kOfMost;
  std::span<const Row> rows = {};      // the first that holds wins
  bool base_needs_importance = false;  // although the type alone does not

  // Whether it makes blocks at all: plain types take no rows.
  [[nodiscard]] bool is_quantized() const { return dtype_info(base).block_values > 1; }
};

[[nodiscard]] std::span<const Recipe> all_recipes();
[[nodiscard]] const Recipe* find_recipe(std::string_view name);  // null: no such recipe

// Rows that come before the recipe's own.
[[nodiscard]] std::span<const Row> common_rows(const Recipe& recipe);

// In the largest networks with grouped heads, few values serve many queries: what their type
// becomes there.
[[nodiscard]] DType raised_for_large(const Recipe& recipe, DType type);

// What a type becomes whose blocks a row does not fill; itself if its blocks are of 32, nothing if
// no type stands in for it. Where that does not fit either, it is F16.
[[nodiscard]] std::optional<DType> smaller_block(DType type);

// Whether the type is of no use without an importance matrix, in blocks of a network.
[[nodiscard]] bool needs_importance(const Recipe& recipe, DType type);

// Every type that a tensor can get by the recipe, in some network: a recipe can be offered where
// there is an encoder for each.
[[nodiscard]] std::set<DType> possible_types(const Recipe& recipe, bool has_importance);

}  // namespace qbuild::rules
