#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <map>

#include "manifests/decode.h"
#include "manifests/limits.h"
#include "manifests/quant_names.h"

namespace qbuild::manifests {
namespace {

constexpr std::array<std::string_view, 6> kCommandKeys{"run",         "outputs",   "inputs",
                                                       "environment", "resources", "tool"};
constexpr std::array<std::string_view, 5> kRecipeKeys{"type", "base", "rules", "effort", "imatrix"};
// What an entry is charged at least: texts and places are copied for it.
constexpr std::size_t kEntryBytes = 256;
// What a message shows of a cycle.
constexpr std::size_t kMaxCycleBytes = 500;

std::string command_name(const Command& command) {
  if (!command.tool.empty()) return command.tool.substr(0, command.tool.find('@'));
  return command.run.empty() ? "" : fs::path(command.run.front()).filename().string();
}

// Whether a set's name stands for its quants, or only has to be one.
enum class Sets : std::uint8_t { kExpand, kLookUp };

bool holds_variables(const YamlNode& node) {
  return node.text.find('{') != std::string::npos ||
         std::any_of(node.items.begin(), node.items.end(), holds_variables) ||
         std::any_of(node.members.begin(), node.members.end(),
                     [](const YamlMember& member) { return holds_variables(member.value); });
}

class QuantReader {
 public:
  QuantReader(const Scope& scope, Sets sets) : scope_(scope), sets_(sets) {}

  void entry(const YamlNode& node) {
    // A set of sets costs time without making anything.
    if (scope_.diagnostics.is_full() || !scope_.load.budget.work(node.at, kEntryBytes)) return;
    if (node.is_mapping())
      mapping(node);
    else if (node.is_text())
      word(node);
  }

  [[nodiscard]] std::vector<Variant> take() { return std::move(variants_); }

 private:
  void complain(const Place& at, std::string_view message) const {
    scope_.diagnostics.add(at, message);
  }

  // A recipe or a set.
  void word(const YamlNode& node) {
    const auto text = scope_.expanded(node, find_key(Section::kModel, "quants")->variables);
    if (!text || is_too_much(node.at)) return;
    if (is_recipe_name(text->text)) {
      Variant variant;
      variant.name = variant.recipe = text->text;
      variant.at = node.at;
      variant.declaration = text->text;
      add(std::move(variant));
      return;
    }
    const YamlNode* const set = scope_.sets == nullptr ? nullptr : scope_.sets->find(text->text);
    if (set == nullptr) {
      complain(node.at, unknown_word("quant", text->text, known_words()));
      return;
    }
    if (sets_ == Sets::kLookUp) return;
    if (std::find(open_sets_.begin(), open_sets_.end(), text->text) != open_sets_.end()) {
      complain(node.at, fmt::format("a set inside of itself: {}", cycle_text(text->text)));
      return;
    }
    if (open_sets_.size() == kMaxDepth) {
      complain(node.at, fmt::format("sets of sets are deeper than {} levels", kMaxDepth));
      return;
    }
    open_sets_.push_back(text->text);
    for (const YamlNode& item : set->items) entry(item);
    open_sets_.pop_back();
  }

  // From the set that is repeated, in the order of the references.
  [[nodiscard]] std::string cycle_text(const std::string& repeated) const {
    const auto first = std::find(open_sets_.begin(), open_sets_.end(), repeated);
    std::string text;
    for (auto name = first; name != open_sets_.end(); ++name) {
      if (text.size() > kMaxCycleBytes) return text + "... -> " + quote(repeated);
      text += quote(*name) + " -> ";
    }
    return text + quote(repeated);
  }

  [[nodiscard]] std::vector<std::string_view> known_words() const {
    std::vector<std::string_view> known(recipe_names().begin(), recipe_names().end());
    if (scope_.sets != nullptr)
      known.insert(known.end(), scope_.sets->names().begin(), scope_.sets->names().end());
    return known;
  }

  void mapping(const YamlNode& node) {
    if (is_too_much(node.at) || !scope_.load.budget.work(node.at, weight(node))) return;
    const YamlNode* const method = node.find("method");
    const bool is_command = method != nullptr;
    if (is_command && method->text != "command") return;  // check_shape has named it
    if (!check_keys(node, is_command)) return;
    Variant variant;
    variant.at = node.at;
    variant.declaration = one_line(node);
    if (is_command)
      command(node, variant);
    else
      recipe(node, variant);
    if (const auto name = scope_.text(node, Section::kQuant, "name")) {
      variant.name = name->text;
      if (!scope_.check_name("a variant", *name)) return;
    } else if (node.find("name") != nullptr) {
      return;
    }
    const bool is_understood = is_command ? !variant.command->run.empty() : !variant.recipe.empty();
    if (!is_understood) return;  // a diagnostic says why
    if (name_problem(variant.name)) {
      complain(node.at, "this variant needs a \"name\": none follows from its tool");
      return;
    }
    if (is_recipe_name(variant.name) && variant.name != variant.recipe && !is_command) {
      complain(node.at, fmt::format("\"{}\" is the name of another recipe than this variant's",
                                    variant.name));
      return;
    }
    add(std::move(variant));
  }

  // Keys that do not go together.
  [[nodiscard]] bool check_keys(const YamlNode& node, bool is_command) const {
    bool is_good = true;
    const auto refuse = [&](std::string_view message) {
      complain(node.at, message);
      is_good = false;
    };
    for (const YamlMember& member : node.members) {
      const auto is_one_of = [&](const auto& keys) {
        return std::find(keys.begin(), keys.end(), member.key) != keys.end();
      };
      if (is_command ? is_one_of(kRecipeKeys) : is_one_of(kCommandKeys)) {
        complain(member.at,
                 quote(member.key) + (is_command ? " does not go with \"method\""
                                                 : " goes only with \"method: command\""));
        is_good = false;
      }
    }
    if (is_command || !is_good) return is_good;
    const bool has_type = node.find("type") != nullptr;
    const bool has_base = node.find("base") != nullptr;
    const bool has_rules = node.find("rules") != nullptr;
    if (has_type && (has_base || has_rules))
      refuse("\"type\" is a recipe as it is; to change one, write \"base\" and \"rules\"");
    else if (has_base && !has_rules)
      refuse("\"base\" goes with \"rules\"; for the recipe itself write \"type\"");
    else if (has_rules && !has_base)
      refuse("\"rules\" need the recipe that they change: \"base\"");
    else if (has_rules && node.find("name") == nullptr)
      refuse("a recipe with \"rules\" needs a \"name\" of its own");
    else if (!has_type && !has_base)
      refuse("a quant needs \"type\", or \"base\" with \"rules\", or \"method\"");
    return is_good;
  }

  void recipe(const YamlNode& node, Variant& variant) const {
    const std::string_view key = node.find("type") != nullptr ? "type" : "base";
    if (const auto text = scope_.text(node, Section::kQuant, key)) {
      if (is_recipe_name(text->text))
        variant.name = variant.recipe = text->text;
      else
        complain(text->at, unknown_word(key, text->text, recipe_names()));
    }
    if (const auto text = scope_.text(node, Section::kQuant, "effort"))
      variant.effort = text->text == "best" ? Effort::kBest : Effort::kDefault;
    if (const YamlNode* const imatrix = scope_.value(node, Section::kQuant, "imatrix"))
      variant.uses_imatrix = imatrix->as_bool().value_or(false);
    const YamlNode* const rules = scope_.value(node, Section::kQuant, "rules");
    if (rules == nullptr) return;
    for (const YamlNode& rule : rules->items)
      if (auto decoded = rule.is_mapping() ? decode_rule(rule, scope_) : std::nullopt)
        variant.rules.push_back(std::move(*decoded));
  }

  // {variant} in a command is the variant's name, which its own keys may say.
  void command(const YamlNode& node, Variant& variant) const {
    Scope scope = scope_;
    const YamlNode* const name = node.find("name");
    if (name != nullptr && name->is_text()) {
      if (const auto text = scope_.text(node, Section::kQuant, "name"))
        scope.values.variant = text->text;
    } else if (const auto tool = scope_.text(node, Section::kQuant, "tool")) {
      scope.values.variant = tool->text.substr(0, tool->text.find('@'));
    }
    variant.method = Method::kCommand;
    variant.command = decode_command(node, scope);
    variant.name = command_name(*variant.command);
    const std::vector<std::string>& outputs = variant.command->outputs;
    variant.is_gguf_file = outputs.size() == 1 && outputs[0].ends_with(".gguf");
  }

  void add(Variant variant) {
    if (is_step_name(variant.name)) {
      complain(variant.at, fmt::format("\"{}\" is the name of a step; give the variant another one",
                                       variant.name));
      return;
    }
    const std::size_t size = sizeof(Variant) + variant.name.size() + variant.declaration.size();
    if (!scope_.load.budget.keep(variant.at, size)) return;
    const auto [first, is_new] = names_.emplace(folded(variant.name), variant.at);
    if (!is_new) {
      complain(variant.at,
               fmt::format("the variant {} stands twice; the first is at {}", quote(variant.name),
                           scope_.diagnostics.place_text(first->second)));
      return;
    }
    variants_.push_back(std::move(variant));
  }

  // Sets of sets of sets can name more than anybody waits for.
  bool is_too_much(const Place& at) {
    if (++entries_ == kMaxVariants + 1)
      complain(at, fmt::format("more than {} variants in one model", kMaxVariants));
    return entries_ > kMaxVariants;
  }

  const Scope& scope_;
  Sets sets_;
  std::vector<Variant> variants_;
  std::map<std::string, Place> names_;  // folded
  std::vector<std::string> open_sets_;
  std::size_t entries_ = 0;
};

}  // namespace

std::vector<Variant> decode_quants(const YamlNode& quants, const Scope& scope) {
  QuantReader reader(scope, Sets::kExpand);
  if (!quants.is_list()) reader.entry(quants);
  for (const YamlNode& item : quants.items) reader.entry(item);
  return reader.take();
}

void check_sets(const YamlNode& sets, const Scope& scope) {
  for (const YamlMember& set : sets.members) {
    if (is_recipe_name(set.key))
      scope.diagnostics.add(
          set.at, fmt::format("\"{}\" is the name of a recipe; give the set another one", set.key));
    QuantReader reader(scope, Sets::kLookUp);
    // What holds variables means something only under a model.
    for (const YamlNode& item : set.value.items)
      if (!holds_variables(item)) reader.entry(item);
  }
}

}  // namespace qbuild::manifests
