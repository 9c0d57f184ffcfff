#include "manifests/quant_names.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>

#include "base/nearest_word.h"
#include "manifests/yaml_node.h"

namespace qbuild::manifests {
namespace {

// Of two names that are equally near to a slip, the first is suggested: the more usual one stands
// first.
constexpr std::array<std::string_view, 8> kRecipes{"F32",  "F16",    "BF16",   "Q8_0",
                                                   "Q4_0", "Q4_K_M", "Q4_K_S", "Q6_K"};
constexpr std::array<std::string_view, 10> kTensorTypes{"F32",  "F16",  "BF16", "Q8_0", "Q4_0",
                                                        "Q5_0", "Q5_1", "Q4_K", "Q5_K", "Q6_K"};
constexpr std::array<std::string_view, 1> kMethods{"command"};
// A longer list in a message helps nobody.
constexpr std::size_t kMaxListed = 16;

}  // namespace

std::span<const std::string_view> recipe_names() {
  return kRecipes;
}

bool is_recipe_name(std::string_view name) {
  return std::find(kRecipes.begin(), kRecipes.end(), name) != kRecipes.end();
}

std::span<const std::string_view> tensor_types() {
  return kTensorTypes;
}

std::optional<DType> tensor_type(std::string_view name) {
  if (std::find(kTensorTypes.begin(), kTensorTypes.end(), name) == kTensorTypes.end())
    return std::nullopt;
  return dtype_from_name(name);
}

std::span<const std::string_view> method_names() {
  return kMethods;
}

std::string unknown_word(std::string_view what, std::string_view word,
                         std::span<const std::string_view> known) {
  std::string message = fmt::format("unknown {} {}", what, quote(word));
  if (const std::string hint = did_you_mean(word, known); !hint.empty()) return message + hint;
  if (known.empty() || known.size() > kMaxListed) return message;
  std::string_view between = "; known: ";
  for (const std::string_view name : known) {
    message += between;
    message += name;
    between = ", ";
  }
  return message;
}

}  // namespace qbuild::manifests
