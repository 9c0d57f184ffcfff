#include "rules/recipe.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <map>

#include "base/error.h"
#include "manifests/tensor_pattern.h"

namespace qbuild::rules {
namespace {

constexpr std::array<Recipe, 8> kRecipes{{
    {"F32", 0, DType::kF32},
    {"F16", 1, DType::kF16},
    {"BF16", 32, DType::kBF16},
    {"Q8_0", 7, DType::kQ8_0},
    {"Q6_K", 18, DType::kQ6_K},
    {"Q4_K_M", 15, DType::kQ4_K},
    {"Q4_K_S", 14, DType::kQ4_K},
    {"Q4_0", 2, DType::kQ4_0},
}};

// Names of which a part is enough to leave a tensor as it is (gguf.md 11.1; the reference's list).
constexpr std::array<std::string_view, 4> kNeverQuantized{"_norm.weight", "ffn_gate_inp.weight",
                                                          "ssm_conv1d", ".position_embd"};

// The first of these that a name contains is its class; the order is the reference's.
enum class TensorClass : std::uint8_t {
  kAttnV,
  kAttnK,
  kAttnQ,
  kAttnOutput,
  kFfnUp,
  kFfnGate,
  kFfnDown,
  kOther
};
struct ClassPattern {
  std::string_view part;
  TensorClass tensor_class;
};
constexpr std::array<ClassPattern, 9> kClasses{{
    {"attn_qkv.weight", TensorClass::kAttnV},
    {"attn_kv_b.weight", TensorClass::kAttnV},
    {"attn_v.weight", TensorClass::kAttnV},
    {"attn_k.weight", TensorClass::kAttnK},
    {"attn_q.weight", TensorClass::kAttnQ},
    {"attn_output.weight", TensorClass::kAttnOutput},
    {"ffn_up", TensorClass::kFfnUp},
    {"ffn_gate", TensorClass::kFfnGate},
    {"ffn_down", TensorClass::kFfnDown},
}};

TensorClass class_of(std::string_view name) {
  for (const auto& [part, tensor_class] : kClasses)
    if (name.find(part) != std::string_view::npos) return tensor_class;
  return TensorClass::kOther;
}

// The block number in "blk.12.attn_q.weight", or nothing.
std::optional<std::uint32_t> block_of(std::string_view name) {
  constexpr std::string_view kPrefix = "blk.";
  if (!name.starts_with(kPrefix)) return std::nullopt;
  std::uint32_t block = 0;
  const char* const end = name.data() + name.size();
  const auto parsed = std::from_chars(name.data() + kPrefix.size(), end, block);
  if (parsed.ec != std::errc{} || parsed.ptr == end || *parsed.ptr != '.') return std::nullopt;
  return block;
}

bool is_quantizable(const TensorSpec& tensor) {
  const auto dimensions = std::count_if(tensor.shape.begin() + (tensor.shape.empty() ? 0 : 1),
                                        tensor.shape.end(), [](auto n) { return n > 1; });
  if (!tensor.name.ends_with("weight") || dimensions == 0) return false;
  return std::none_of(kNeverQuantized.begin(), kNeverQuantized.end(), [&](std::string_view part) {
    return tensor.name.find(part) != std::string::npos;
  });
}

// The layers in which a mix spends more bits: the first and last eighth, and every third between.
bool gets_more_bits(std::uint32_t index, std::uint32_t count) {
  return index < count / 8 || index >= 7 * count / 8 || (index - count / 8) % 3 == 2;
}

struct ClassPlace {
  TensorClass tensor_class = TensorClass::kOther;
  std::uint32_t index = 0;  // among the tensors of its class, in file order
  std::uint32_t count = 0;  // that the index runs to
};

// What the recipe says of one quantizable tensor, before shapes are looked at (gguf.md 11.3).
DType asked_type(const Recipe& recipe, std::string_view name, const ClassPlace& place,
                 bool has_output, const NetworkFacts& facts) {
  if (name == "output.weight" || (name == "token_embd.weight" && !has_output))
    return recipe.base == DType::kQ8_0 ? DType::kQ8_0 : DType::kQ6_K;
  const bool medium = recipe.name == "Q4_K_M";
  const bool small = recipe.name == "Q4_K_S";
  if (!medium && !small) return recipe.base;
  DType type = recipe.base;
  if (place.tensor_class == TensorClass::kAttnV) {
    if (medium && gets_more_bits(place.index, place.count)) type = DType::kQ6_K;
    if (small && place.index < 4) type = DType::kQ5_K;
    // "70B": 80 layers with grouped heads share each value row among so many queries that it gets
    // more.
    if (facts.block_count == 80 && facts.head_count_kv < facts.head_count && type == DType::kQ4_K)
      type = DType::kQ5_K;
  } else if (place.tensor_class == TensorClass::kFfnDown) {
    if (medium && gets_more_bits(place.index, place.count)) type = DType::kQ6_K;
    if (small && place.index < place.count / 8) type = DType::kQ5_K;
  }
  return type;
}

// Rows that are no multiple of the block (gguf.md 11.4).
DType fallback_of(DType asked, std::uint64_t row_length) {
  if (row_length % dtype_info(asked).block_values == 0) return asked;
  DType next = DType::kF16;
  if (asked == DType::kQ4_K) next = DType::kQ5_0;
  if (asked == DType::kQ5_K) next = DType::kQ5_1;
  if (asked == DType::kQ6_K) next = DType::kQ8_0;
  return row_length % dtype_info(next).block_values == 0 ? next : DType::kF16;
}

// The class of each tensor and its place in it, counted in file order.
std::vector<ClassPlace> class_places(std::span<const TensorSpec> tensors,
                                     std::span<const bool> counted, std::uint32_t block_count) {
  std::vector<std::size_t> order(tensors.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::sort(order.begin(), order.end(),
            [&](auto a, auto b) { return file_order(tensors[a].name, tensors[b].name); });
  std::vector<ClassPlace> places(tensors.size());
  std::map<TensorClass, std::uint32_t> next;
  std::uint32_t attn_v_count = 0;
  for (const std::size_t i : order) {
    places[i].tensor_class = class_of(tensors[i].name);
    places[i].count = block_count;
    if (places[i].tensor_class == TensorClass::kAttnV) ++attn_v_count;
    if (counted[i]) places[i].index = next[places[i].tensor_class]++;
  }
  for (auto& place : places)
    if (place.tensor_class == TensorClass::kAttnV) place.count = attn_v_count;
  return places;
}

bool in_layers(const Override& rule, std::string_view name, std::uint32_t block_count) {
  if (rule.layers.empty()) return true;
  const auto block = block_of(name);
  if (!block) return false;
  const auto absolute = [&](int layer) {
    return layer < 0 ? layer + static_cast<int>(block_count) : layer;
  };
  return std::any_of(rule.layers.begin(), rule.layers.end(), [&](const auto& range) {
    const int layer = static_cast<int>(*block);
    return layer >= absolute(range.first) && layer <= absolute(range.second);
  });
}

std::string no_match_text(const Override& rule, std::uint32_t block_count) {
  std::string text = fmt::format("rule \"{}\" matches no tensor that is quantized", rule.match);
  if (!rule.layers.empty()) {
    std::string layers;
    for (const auto& [first, last] : rule.layers)
      layers += fmt::format(
          "{}{}", layers.empty() ? "" : ",",
          first == last ? fmt::format("{}", first) : fmt::format("{}..{}", first, last));
    text += fmt::format(" in the layers {}; the model has the layers 0..{}", layers,
                        block_count == 0 ? 0 : block_count - 1);
  }
  return text + "; `qbuild inspect` on a built variant lists their names";
}

// Indexes of the tensors that the rule takes; at least one.
std::vector<std::size_t> matches_of(const Override& rule, std::span<const TensorSpec> tensors,
                                    std::uint32_t block_count) {
  const manifests::TensorPattern pattern(rule.match);
  std::vector<std::size_t> matched;
  for (std::size_t i = 0; i < tensors.size(); ++i)
    if (is_quantizable(tensors[i]) && in_layers(rule, tensors[i].name, block_count) &&
        pattern.is_in(tensors[i].name))
      matched.push_back(i);
  if (matched.empty()) throw Error(ErrorKind::kInvalidInput, no_match_text(rule, block_count));
  return matched;
}

// For each tensor the first override that takes it, if any.
std::vector<const Override*> match_overrides(std::span<const Override> overrides,
                                             std::span<const TensorSpec> tensors,
                                             std::uint32_t block_count) {
  std::vector<const Override*> chosen(tensors.size(), nullptr);
  for (const Override& rule : overrides)
    for (const std::size_t i : matches_of(rule, tensors, block_count))
      if (chosen[i] == nullptr) chosen[i] = &rule;
  return chosen;
}

}  // namespace

std::span<const Recipe> all_recipes() {
  return kRecipes;
}

const Recipe* find_recipe(std::string_view name) {
  const auto* const found = std::find_if(kRecipes.begin(), kRecipes.end(),
                                         [&](const Recipe& recipe) { return recipe.name == name; });
  return found == kRecipes.end() ? nullptr : found;
}

void check_override(const Override& rule, std::span<const TensorSpec> tensors,
                    const NetworkFacts& facts) {
  (void)matches_of(rule, tensors, facts.block_count);
}

std::vector<TypeChoice> choose_types(const Recipe& recipe, std::span<const Override> overrides,
                                     std::span<const TensorSpec> tensors,
                                     const NetworkFacts& facts) {
  const bool plain = dtype_info(recipe.base).block_values == 1;
  const bool has_output = std::any_of(tensors.begin(), tensors.end(), [](const TensorSpec& tensor) {
    return tensor.name == "output.weight";
  });
  const auto overridden = match_overrides(overrides, tensors, facts.block_count);
  const auto counted = std::make_unique<bool[]>(tensors.size());
  for (std::size_t i = 0; i < tensors.size(); ++i) counted[i] = overridden[i] == nullptr;
  const auto places = class_places(tensors, {counted.get(), tensors.size()}, facts.block_count);

  std::vector<TypeChoice> choices(tensors.size());
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    const TensorSpec& tensor = tensors[i];
    if (!is_quantizable(tensor)) continue;  // F32: one-dimensional tensors and the like stay exact
    DType asked = recipe.base;
    if (overridden[i] != nullptr) {
      asked = overridden[i]->type;
    } else if (!plain) {
      asked = asked_type(recipe, tensor.name, places[i], has_output, facts);
    }
    choices[i].type = fallback_of(asked, tensor.shape.front());
    if (choices[i].type != asked) choices[i].instead_of = asked;
  }
  return choices;
}

bool file_order(std::string_view a, std::string_view b) {
  const auto block_a = block_of(a);
  const auto block_b = block_of(b);
  if (block_a != block_b) return block_a < block_b;
  return a < b;
}

}  // namespace qbuild::rules
