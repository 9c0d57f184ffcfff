// The table of keys: the file, its models, where they are published.

#include "manifests/key_table.h"

#include <array>

#include "manifests/quant_names.h"

namespace qbuild::manifests {
namespace {

using S = Section;

constexpr std::array<std::string_view, 3> kLayouts{"flat", "folders", "per-variant"};

}  // namespace

void add_top_keys(std::vector<KeySpec>& keys) {
  keys.insert(
      keys.end(),
      {{.sections = {S::kManifest},
        .name = "version",
        .accepts = kWholeShape,
        .example = "1",
        .meaning = "Version of this format; required in a file that is named on the command line.",
        .least = 1,
        .most = 1},
       {.sections = {S::kManifest},
        .name = "include",
        .accepts = kTextShape | kListShape,
        .elements = kTextShape,
        .example = "[common.yaml]",
        .meaning = "Manifests laid under this one: mappings merge, lists and scalars are replaced. "
                   "Of several, a later one lies above an earlier one."},
       {.sections = {S::kManifest},
        .name = "sets",
        .accepts = kMappingShape,
        .inside = S::kSets,
        .example = "{house: [Q4_K_M, Q8_0]}",
        .meaning = "Named lists of quants, for `quants`."},
       {.sections = {S::kSets},
        .name = "*",
        .accepts = kListShape,
        .elements = kTextShape | kMappingShape,
        .inside = S::kQuant,
        .variables = kInModel,
        .example = "[Q4_K_M, Q8_0]",
        .meaning = "What the set's name stands for: recipes, quants, other sets."},
       {.sections = {S::kManifest},
        .name = "defaults",
        .accepts = kMappingShape,
        .inside = S::kDefaults,
        .example = "{quants: [Q8_0]}",
        .meaning = "Laid under every model, as an include is laid under a file."},
       {.sections = {S::kManifest},
        .name = "models",
        .accepts = kMappingShape | kListShape,
        .elements = kTextShape,
        .inside = S::kModels,
        .example = "{tiny: {source: ./tiny}}",
        .meaning = "The models by name; or a list of sources, each named after its folder or file, "
                   "which take everything from defaults. Required."},
       {.sections = {S::kModels},
        .name = "*",
        .accepts = kMappingShape,
        .inside = S::kModel,
        .variables = kMatrixVariables,
        .example = "{source: ./tiny}",
        .meaning = "One model, or one for each combination of its matrix. The name: letters, "
                   "digits, `.`, `_`, `-`."}});
}

void add_model_keys(std::vector<KeySpec>& keys) {
  const std::vector<Section> both{S::kDefaults, S::kModel};
  keys.insert(
      keys.end(),
      {{.sections = {S::kModel},
        .name = "source",
        .accepts = kTextShape,
        .variables = kInModel,
        .example = "./checkpoints/run7",
        .meaning =
            "Folder of the source checkpoint (config.json, safetensors, tokenizer.json), or a "
            "GGUF file of F32, F16 or BF16 (the first, if it is in parts), of any "
            "architecture. Required."},
       {.sections = both,
        .name = "requantize",
        .accepts = kBoolShape,
        .fallback = "false",
        .example = "true",
        .meaning =
            "Whether a GGUF source of Q8_0 may be quantized again. Its own error adds to the "
            "variants'."},
       {.sections = both,
        .name = "quants",
        .accepts = kTextShape | kListShape,
        .elements = kTextShape | kMappingShape,
        .inside = S::kQuant,
        .variables = kInModel,
        .example = "[Q4_K_M, Q8_0]",
        .meaning = "The variants to make: recipes, sets, or mappings. Required.",
        .choices = recipe_names()},
       {.sections = both,
        .name = "template",
        .accepts = kTextShape,
        .variables = kInModel,
        .fallback = "the source's",
        .example = "fixes/chat_template.jinja",
        .meaning = "File with the chat template; replaces the source's. Changes headers only."},
       {.sections = both,
        .name = "imatrix",
        .accepts = kFalseShape | kTextShape,
        .variables = kInModel,
        .fallback = "none",
        .example = "imatrix/{model}.gguf",
        .meaning = "File with the importance matrix of quants that say `imatrix: true`, as "
                   "`llama-imatrix` writes it: GGUF, or the older `.dat`."},
       {.sections = both,
        .name = "benchmark",
        .accepts = kFalseShape | kMappingShape,
        .inside = S::kBenchmark,
        .example = "{throughput: {repeat: 3}}",
        .meaning = "What to measure of every variant and of the source."},
       {.sections = both,
        .name = "gates",
        .accepts = kFalseShape | kMappingShape,
        .inside = S::kGates,
        .example = "{perplexity_ratio: {max: 1.03}}",
        .meaning = "Bounds that a variant must keep to be published."},
       {.sections = {S::kManifest, S::kDefaults, S::kModel},
        .name = "licenses",
        .accepts = kFalseShape | kListShape,
        .elements = kTextShape,
        .fallback = "any",
        .example = "[apache-2.0, mit]",
        .meaning = "Licences that may be published. The model's list counts, else that of "
                   "defaults, else the manifest's."},
       {.sections = {S::kModel},
        .name = "license",
        .accepts = kMappingShape,
        .inside = S::kLicense,
        .example = "{accept: gemma, reason: \"cleared by legal\"}",
        .meaning = "Lets this model be published under a licence that the list lacks."},
       {.sections = both,
        .name = "card",
        .accepts = kMappingShape,
        .inside = S::kCard,
        .example = "{template: card.md}",
        .meaning = "How the model card is written."},
       {.sections = both,
        .name = "publish",
        .accepts = kFalseShape | kMappingShape,
        .inside = S::kPublish,
        .example = "{repo: \"acme/{model}-GGUF\", hub: ./hub}",
        .meaning = "Where the variants go. Without it nothing is published."}});
}

void add_model_part_keys(std::vector<KeySpec>& keys) {
  keys.insert(
      keys.end(),
      {{.sections = {S::kModel},
        .name = "matrix",
        .accepts = kMappingShape,
        .inside = S::kMatrix,
        .example = "{size: [0.5b, 1.5b]}",
        .meaning = "Multiplies the model: one for each combination, minus excludes."},
       {.sections = {S::kMatrix},
        .name = "exclude",
        .accepts = kListShape,
        .elements = kMappingShape,
        .inside = S::kExclude,
        .example = "[{size: 0.5b, tuned: base}]",
        .meaning = "Combinations that are left out: each entry names some variables with the "
                   "values that exclude."},
       {.sections = {S::kMatrix},
        .name = "*",
        .accepts = kListShape,
        .elements = kScalarShape,
        .example = "[0.5b, 1.5b]",
        .meaning = "A variable and its values. The variable is `{size}` in texts; the model's "
                   "name must use each one."},
       {.sections = {S::kExclude},
        .name = "*",
        .accepts = kScalarShape,
        .example = "0.5b",
        .meaning = "A variable of the matrix and one of its values."},
       {.sections = {S::kLicense},
        .name = "accept",
        .accepts = kTextShape,
        .example = "gemma",
        .meaning = "The licence, as the source's card calls it.",
        .is_required = true},
       {.sections = {S::kLicense},
        .name = "reason",
        .accepts = kTextShape,
        .example = "\"cleared by legal\"",
        .meaning = "Why it may be published.",
        .is_required = true},
       {.sections = {S::kCard},
        .name = "template",
        .accepts = kTextShape,
        .variables = kInModel,
        .fallback = "the built-in one",
        .example = "card.md",
        .meaning = "File with a template of your own, which sees [this document]"
                   "(../templates/card/README.md)."},
       {.sections = {S::kCard},
        .name = "base_model",
        .accepts = kTextShape,
        .variables = kInModel,
        .example = "acme/tiny",
        .meaning = "Where the source is on the Hub, as `owner/name`: `base_model` of the card, "
                   "with the relation `quantized`."}});
}

void add_publish_keys(std::vector<KeySpec>& keys) {
  keys.insert(
      keys.end(),
      {{.sections = {S::kPublish},
        .name = "repo",
        .accepts = kTextShape,
        .variables = kInRepository | kVariantName,
        .example = "\"acme/{model}-GGUF\"",
        .meaning = "Repository, `owner/name`. With the layout `per-variant`, and only with it, it "
                   "must contain `{variant}`. Required."},
       {.sections = {S::kPublish},
        .name = "hub",
        .accepts = kTextShape,
        .variables = kInModel,
        .fallback = "https://huggingface.co",
        .example = "./hub",
        .meaning = "Where the repository lives: a folder. A URL, the default one too, is not "
                   "possible yet."},
       {.sections = {S::kPublish},
        .name = "layout",
        .accepts = kTextShape,
        .fallback = "flat",
        .example = "folders",
        .meaning = "`flat`: files side by side; `folders`: one per variant; `per-variant`: one "
                   "repository each.",
        .choices = kLayouts},
       {.sections = {S::kPublish},
        .name = "file",
        .accepts = kTextShape,
        .variables = kInRepository | kVariantName,
        .fallback = "\"{source.name}-{variant}\"",
        .example = "\"{model}-{variant}\"",
        .meaning = "Names of GGUF files, without the ending. Each must yield a quant label of its "
                   "own."},
       {.sections = {S::kPublish},
        .name = "private",
        .accepts = kBoolShape,
        .fallback = "false",
        .example = "true",
        .meaning = "Whether a new repository is private."},
       {.sections = {S::kPublish},
        .name = "message",
        .accepts = kTextShape,
        .variables = kInRepository | kDate,
        .fallback = "\"Update by qbuild\"",
        .example = "\"nightly {date}\"",
        .meaning = "Message of the commit."}});
}

}  // namespace qbuild::manifests
