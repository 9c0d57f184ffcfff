#include "manifests/keys.h"

#include <algorithm>
#include <array>
#include <map>

#include "base/check.h"
#include "manifests/key_table.h"

namespace qbuild::manifests {
namespace {

constexpr std::array<SectionInfo, 19> kSections{{
    {Section::kManifest, "manifest", "a manifest"},
    {Section::kSets, "sets", "sets"},
    {Section::kDefaults, "defaults", "defaults"},
    {Section::kModels, "models", "models"},
    {Section::kModel, "model", "a model"},
    {Section::kQuant, "quant", "a quant"},
    {Section::kRule, "rule", "a rule"},
    {Section::kEnvironment, "environment", "an environment"},
    {Section::kResources, "resources", "resources"},
    {Section::kBenchmark, "benchmark", "a benchmark"},
    {Section::kPerplexity, "perplexity", "a perplexity benchmark"},
    {Section::kThroughput, "throughput", "a throughput benchmark"},
    {Section::kGates, "gates", "gates"},
    {Section::kBounds, "bounds", "a gate"},
    {Section::kLicense, "license", "a licence override"},
    {Section::kCard, "card", "a card"},
    {Section::kPublish, "publish", "publish"},
    {Section::kMatrix, "matrix", "a matrix"},
    {Section::kExclude, "exclude", "an exclude"},
}};

constexpr std::array<std::string_view, 12> kLaterKeys{
    "divergence", "kld",        "kld_mean",    "kld_p99", "top_token", "tasks",
    "bits",       "group_size", "calibration", "samples", "smoke",     "split"};

struct ShapeWord {
  Shapes shape;
  std::string_view word;
};
constexpr std::array<ShapeWord, 8> kShapeWords{{
    {kTextShape, "text"},
    {kWholeShape, "a whole number"},
    {kNumberShape, "a number"},
    {kBoolShape, "true or false"},
    {kFalseShape, "false"},
    {kScalarShape, "text, a number or a truth value"},
    {kListShape, "a list"},
    {kMappingShape, "a mapping"},
}};

struct VariableWord {
  Variables variable;
  std::string_view word;
};
constexpr std::array<VariableWord, 6> kVariableWords{{
    {kModelName, "{model}"},
    {kVariantName, "{variant}"},
    {kSourceName, "{source.name}"},
    {kDate, "{date}"},
    {kRunPaths, "{source}, {out}"},
    {kMatrixVariables, "matrix"},
}};

std::vector<KeySpec> make_keys() {
  std::vector<KeySpec> keys;
  add_top_keys(keys);
  add_model_keys(keys);
  add_model_part_keys(keys);
  add_quant_keys(keys);
  add_command_keys(keys);
  add_quant_part_keys(keys);
  add_benchmark_keys(keys);
  add_throughput_keys(keys);
  add_gate_keys(keys);
  add_publish_keys(keys);
  return keys;
}

// Every member of every mapping is looked up.
std::map<Section, std::vector<const KeySpec*>> keys_by_section() {
  std::map<Section, std::vector<const KeySpec*>> found;
  for (const KeySpec& key : all_keys())
    for (const Section section : key.sections) found[section].push_back(&key);
  return found;
}

}  // namespace

const std::vector<KeySpec>& all_keys() {
  static const std::vector<KeySpec> kKeys = make_keys();
  return kKeys;
}

const KeySpec* find_key(Section section, std::string_view name) {
  static const std::map<Section, std::vector<const KeySpec*>> kBySection = keys_by_section();
  const auto found = kBySection.find(section);
  if (found == kBySection.end()) return nullptr;
  for (const KeySpec* const key : found->second)
    if (key->name == name || key->name == "*") return key;
  return nullptr;
}

std::vector<std::string_view> key_names(Section section) {
  std::vector<std::string_view> names;
  for (const KeySpec& key : all_keys())
    if (std::find(key.sections.begin(), key.sections.end(), section) != key.sections.end())
      names.push_back(key.name);
  return names;
}

bool is_later_key(std::string_view name) {
  return std::find(kLaterKeys.begin(), kLaterKeys.end(), name) != kLaterKeys.end();
}

std::span<const SectionInfo> all_sections() {
  return kSections;
}

const SectionInfo& section_info(Section section) {
  const auto found = std::find_if(kSections.begin(), kSections.end(),
                                  [&](const SectionInfo& info) { return info.section == section; });
  check(found != kSections.end(), "every section has its info");
  return *found;
}

std::string shapes_text(Shapes shapes) {
  std::vector<std::string_view> words;
  for (const ShapeWord& word : kShapeWords)
    if ((shapes & word.shape) != 0) words.push_back(word.word);
  std::string text;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (i > 0) text += i + 1 == words.size() ? " or " : ", ";
    text += words[i];
  }
  return text;
}

std::string variables_text(Variables variables) {
  std::string text;
  for (const VariableWord& word : kVariableWords) {
    if ((variables & word.variable) == 0) continue;
    if (!text.empty()) text += ", ";
    text += word.word;
  }
  return text;
}

}  // namespace qbuild::manifests
