#include "rules/recipe.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <map>
#include <memory>
#include <string_view>

#include "base/error.h"

namespace qbuild::rules {
namespace {

// Networks that are large and share each value head among many queries: the values are so few that
// more bits for them cost nothing.
struct LargeNetwork {
  std::string_view architecture;
  std::uint32_t block_count;
  bool only_grouped;  // whether the heads are asked, too
};
constexpr std::array<LargeNetwork, 6> kLargeNetworks{{{"llama", 80, true},
                                                      {"llama-embed", 80, true},
                                                      {"qwen2", 80, false},
                                                      {"deci", 80, false},
                                                      {"olmo", 80, false},
                                                      {"jais2", 68, false}}};

bool is_large(const NetworkFacts& facts) {
  return std::any_of(kLargeNetworks.begin(), kLargeNetworks.end(), [&](const LargeNetwork& large) {
    return facts.architecture == large.architecture && facts.block_count == large.block_count &&
           (!large.only_grouped || facts.head_count != facts.head_count_kv);
  });
}

Facts facts_of(const NetworkFacts& network, bool has_importance) {
  Facts facts = has_importance ? kImportance : kNoImportance;
  if (network.head_count_kv > 0 && network.head_count / network.head_count_kv >= 4)
    facts |= kGroupedByFour;
  if (network.expert_count >= 4) facts |= kFourExperts;
  facts |= network.expert_count == 8 ? kEightExperts : kNotEightExperts;
  facts |= network.architecture == "falcon" ? kFalcon : kNotFalcon;
  if (network.architecture != "bailingmoe3") facts |= kNotStackedMla;
  return facts;
}

// Where a tensor stands among those of its role.
struct Place {
  TensorRole role = TensorRole::kOther;
  std::uint32_t met = 0;    // tensors of its role before it, in file order
  std::uint32_t layer = 0;  // that rows ask for
  std::uint32_t count = 0;  // that `layer` runs to
};

bool is_ffn(TensorRole role) {
  return role == TensorRole::kFfnUp || role == TensorRole::kFfnGate || role == TensorRole::kFfnDown;
}

// With experts a layer has several tensors of a role, so the name must tell the layer.
std::uint32_t layer_in_name(std::string_view name, std::uint32_t block_count) {
  const auto block = block_of(name);
  if (!block || *block >= block_count)
    throw Error(ErrorKind::kInvalidInput,
                fmt::format("{}: not in one of the network's {} blocks", name, block_count));
  return *block;
}

// The place of each tensor. Those that no row is asked about (`counted` is false) are passed over;
// a network's values are counted all the same, since their number stands for its layers.
std::vector<Place> places_of(std::span<const TensorSpec> tensors, std::span<const bool> counted,
                             const NetworkFacts& facts) {
  const bool has_output = std::any_of(tensors.begin(), tensors.end(), [](const TensorSpec& tensor) {
    return tensor.name == "output.weight";
  });
  std::vector<std::size_t> order(tensors.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::sort(order.begin(), order.end(),
            [&](auto a, auto b) { return file_order(tensors[a].name, tensors[b].name); });
  std::vector<Place> places(tensors.size());
  std::map<TensorRole, std::uint32_t> next;
  std::uint32_t values = 0;
  for (const std::size_t i : order) {
    Place& place = places[i];
    place.role = role_of(tensors[i].name, facts.architecture, has_output);
    place.count = facts.block_count;
    if (place.role == TensorRole::kAttnV) ++values;
    if (!counted[i]) continue;
    place.met = next[place.role]++;
    place.layer = is_ffn(place.role) && facts.expert_count > 1
                      ? layer_in_name(tensors[i].name, facts.block_count)
                      : place.met;
  }
  for (Place& place : places)
    if (place.role == TensorRole::kAttnV) place.count = values;
  return places;
}

bool is_there(Where where, const Place& place) {
  const std::uint32_t layer = place.layer;
  const std::uint32_t eighth = place.count / 8;
  const bool is_in_last_eighth = layer >= 7 * place.count / 8;
  switch (where) {
    case Where::kEverywhere:
      return true;
    case Where::kFirstTwo:
      return layer < 2;
    case Where::kFirstFour:
      return layer < 4;
    case Where::kFirstSixteenth:
      return layer < place.count / 16;
    case Where::kFirstEighth:
      return layer < eighth;
    case Where::kFirstEighthMet:
      return place.met < eighth;
    case Where::kMiddle:
      return layer >= eighth && !is_in_last_eighth;
    case Where::kMoreBits:
      return layer < eighth || is_in_last_eighth || (layer - eighth) % 3 == 2;
  }
  return false;
}

const Row* find_row(std::span<const Row> rows, const Place& place, Facts facts) {
  const auto found = std::find_if(rows.begin(), rows.end(), [&](const Row& row) {
    return (row.role == place.role || row.role == TensorRole::kAny) && (row.needs & ~facts) == 0 &&
           is_there(row.where, place);
  });
  return found == rows.end() ? nullptr : &*found;
}

// What the recipe says of one tensor, before its row length is looked at.
DType asked_type(const Recipe& recipe, const RecipeOptions& options, const Place& place,
                 Facts facts, bool is_large_network) {
  if (place.role == TensorRole::kOutput && options.output) return *options.output;
  const Row* row = find_row(common_rows(recipe), place, facts);
  if (row == nullptr) {
    if (place.role == TensorRole::kOutput) return recipe.output;
    if (place.role == TensorRole::kEmbedding) return recipe.embedding;
    row = find_row(recipe.rows, place, facts);
  }
  const DType type = row == nullptr ? recipe.base : row->type;
  const bool is_raised = is_large_network && place.role == TensorRole::kAttnV;
  return is_raised ? raised_for_large(recipe, type) : type;
}

bool is_whole(const TensorSpec& tensor, DType type) {
  return tensor.shape.front() % dtype_info(type).block_values == 0;
}

DType fallback_of(const TensorSpec& tensor, DType asked) {
  if (is_whole(tensor, asked)) return asked;
  const auto smaller = smaller_block(asked);
  if (!smaller)
    throw Error(
        ErrorKind::kUnsupported,
        fmt::format("{}: rows of {} values do not hold whole blocks of {} ({}), and no type "
                    "stands in for it",
                    tensor.name, tensor.shape.front(), dtype_name(asked),
                    dtype_info(asked).block_values));
  return is_whole(tensor, *smaller) ? *smaller : DType::kF16;
}

// The option that decides alone, before recipe and overrides.
std::optional<DType> demanded_type(const RecipeOptions& options, const TensorSpec& tensor,
                                   const Override* overridden) {
  std::optional<DType> type;
  if (tensor.name == "output.weight") type = options.output;
  if (tensor.name == "token_embd.weight") type = options.embedding;
  if (tensor.name == "per_layer_token_embd.weight" && overridden == nullptr)
    type = options.embedding;
  if (type && !is_whole(tensor, *type))
    throw Error(ErrorKind::kInvalidInput,
                fmt::format("{}: rows of {} values do not hold whole blocks of {}, which was asked "
                            "for",
                            tensor.name, tensor.shape.front(), dtype_name(*type)));
  return type;
}

}  // namespace

void check_override(const Override& rule, std::span<const TensorSpec> tensors,
                    const NetworkFacts& facts) {
  (void)match_overrides({&rule, 1}, tensors, facts.architecture, facts.block_count);
}

std::vector<TypeChoice> choose_types(const Recipe& recipe, const RecipeOptions& options,
                                     std::span<const TensorSpec> tensors,
                                     const NetworkFacts& facts) {
  const auto overridden =
      match_overrides(options.overrides, tensors, facts.architecture, facts.block_count);
  const bool has_rows = recipe.is_quantized() && !options.pure;
  const auto counted = std::make_unique<bool[]>(tensors.size());
  for (std::size_t i = 0; i < tensors.size(); ++i)
    counted[i] =
        has_rows && overridden[i] == nullptr && is_quantizable(tensors[i], facts.architecture);
  const auto places = places_of(tensors, {counted.get(), tensors.size()}, facts);
  const Facts network = facts_of(facts, options.has_importance);
  const bool large = is_large(facts);

  std::vector<TypeChoice> choices(tensors.size());
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    const TensorSpec& tensor = tensors[i];
    TypeChoice& choice = choices[i];
    choice.type = tensor.plain;
    if (!is_quantizable(tensor, facts.architecture)) continue;
    const auto demanded = demanded_type(options, tensor, overridden[i]);
    DType asked = demanded.value_or(recipe.base);
    if (!demanded && overridden[i] != nullptr) {
      asked = overridden[i]->type;
    } else if (!demanded && has_rows) {
      const bool is_stacked = tensor.shape.size() > 2 && tensor.shape[2] > 1;
      asked = asked_type(recipe, options, places[i], network | (is_stacked ? kStacked : 0), large);
    }
    choice.type = fallback_of(tensor, asked);
    // The output is worth eight bits where the recipe's blocks do not fit, even if others would.
    if (!demanded && counted[i] && places[i].role == TensorRole::kOutput && !options.output &&
        !is_whole(tensor, recipe.base))
      choice.type = fallback_of(tensor, DType::kQ8_0);
    if (choice.type != asked) choice.instead_of = asked;
    const bool is_in_a_block =
        places[i].role != TensorRole::kOutput && places[i].role != TensorRole::kEmbedding;
    choice.needs_importance = is_in_a_block && needs_importance(recipe, choice.type);
  }
  return choices;
}

void require_importance(const Recipe& recipe, const RecipeOptions& options,
                        std::span<const TensorSpec> tensors, std::span<const TypeChoice> choices) {
  if (options.has_importance) return;
  for (std::size_t i = 0; i < tensors.size(); ++i)
    if (choices[i].needs_importance)
      throw Error(ErrorKind::kInvalidInput,
                  fmt::format("{} needs an importance matrix: {} becomes {}, which is of no use "
                              "without one; give the model one (imatrix: FILE), and this quant "
                              "the key imatrix: true",
                              recipe.name, tensors[i].name, dtype_name(choices[i].type)));
}

}  // namespace qbuild::rules
