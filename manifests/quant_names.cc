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
constexpr std::array<std::string_view, 35> kRecipes{
    "F32",    "F16",   "BF16",   "Q8_0",      "Q4_0",    "Q4_K_M", "Q4_K_S", "Q6_K",   "Q5_K_M",
    "Q5_K_S", "Q5_0",  "Q5_1",   "Q4_1",      "Q3_K_M",  "Q3_K_L", "Q3_K_S", "Q2_K",   "IQ4_XS",
    "IQ4_NL", "IQ3_M", "IQ3_S",  "IQ3_XS",    "IQ3_XXS", "IQ2_M",  "IQ2_S",  "IQ2_XS", "IQ2_XXS",
    "IQ1_M",  "IQ1_S", "Q2_K_S", "MXFP4_MOE", "NVFP4",   "TQ2_0",  "TQ1_0",  "Q1_0"};
constexpr std::array<std::string_view, 28> kTensorTypes{
    "F32",   "F16",   "BF16",  "Q8_0",   "Q4_0",   "Q5_0",  "Q5_1",    "Q4_K",  "Q5_K",   "Q6_K",
    "Q4_1",  "Q3_K",  "Q2_K",  "IQ4_XS", "IQ4_NL", "IQ3_S", "IQ3_XXS", "IQ2_S", "IQ2_XS", "IQ2_XXS",
    "IQ1_M", "IQ1_S", "MXFP4", "NVFP4",  "TQ2_0",  "TQ1_0", "Q2_0",    "Q1_0"};
constexpr std::array<std::string_view, 1> kMethods{"command"};
constexpr std::array<std::string_view, 9> kSteps{"source",  "card",  "publish",   "license", "gate",
                                                 "quality", "speed", "benchmark", "ready"};
// Words of the field that a user may rightly expect and that nothing here makes yet: the nearest
// known word would be a bad guess. In capitals. `rules` has a table for Q2_0 among them; what that
// lacks is a label that the Hub shows.
constexpr std::array<std::string_view, 24> kNotYet{"Q2_0",    "Q3_K",
                                                   "Q6_K_L",  "Q8_K",
                                                   "MXFP4",   "FP8",
                                                   "FP4",     "NF4",
                                                   "INT4",    "INT8",
                                                   "GPTQ",    "AWQ",
                                                   "BNB",     "BITSANDBYTES",
                                                   "EXL2",    "EXL3",
                                                   "HQQ",     "AQLM",
                                                   "QUIP",    "MLX",
                                                   "ONNX",    "COMPRESSED-TENSORS",
                                                   "TORCHAO", "SMOOTHQUANT"};
// A longer list in a message helps nobody.
constexpr std::size_t kMaxListed = 40;
constexpr std::size_t kMaxListedBytes = 500;
// Letters compared in search of a near word, about: a hostile file has a thousand slips, and a
// thousand names of its own to compare each with.
constexpr std::size_t kMaxCompared = 65536;

bool is_too_much_to_compare(std::string_view word, std::span<const std::string_view> known) {
  return word.size() * word.size() > kMaxCompared / std::max<std::size_t>(1, known.size());
}

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

bool is_step_name(std::string_view name) {
  return std::find(kSteps.begin(), kSteps.end(), name) != kSteps.end();
}

std::string list_of(std::string_view between, std::span<const std::string_view> known) {
  std::string text;
  if (known.size() > kMaxListed) return text;
  for (const std::string_view name : known) {
    text += text.empty() ? between : ", ";
    if (text.size() + name.size() > kMaxListedBytes) return text + "...";
    text += name;
  }
  return text;
}

bool is_word_of_the_field(std::string_view word) {
  std::string upper;
  for (const char c : word) upper += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  return std::find(kNotYet.begin(), kNotYet.end(), upper) != kNotYet.end();
}

std::string not_yet(std::string_view word, std::span<const std::string_view> known) {
  return fmt::format("{} is not possible yet{}", quote(word), list_of("; possible are ", known));
}

std::string unknown_word(std::string_view what, std::string_view word,
                         std::span<const std::string_view> known) {
  if (is_word_of_the_field(word)) return not_yet(word, known);
  std::string message = fmt::format("unknown {} {}", what, quote(word));
  if (is_too_much_to_compare(word, known)) return message + list_of("; known: ", known);
  if (const std::string hint = did_you_mean(word, known); !hint.empty()) return message + hint;
  return message + list_of("; known: ", known);
}

}  // namespace qbuild::manifests
