// The table of keys: what is made of a model, and measured of it.

#include <array>

#include "manifests/key_table.h"
#include "manifests/quant_names.h"

namespace qbuild::manifests {
namespace {

using S = Section;

constexpr std::array<std::string_view, 2> kActivations{"packed", "f32"};
constexpr std::array<std::string_view, 2> kEfforts{"default", "best"};

// Tokens, repetitions, threads, bytes and seconds beyond these are slips.
constexpr std::int64_t kMaxTokens = 1 << 20;
constexpr std::int64_t kMaxRepeat = 1000;
constexpr std::int64_t kMaxThreads = 4096;
constexpr std::int64_t kMaxSeconds = std::int64_t{365} * 86'400;
constexpr std::int64_t kMaxBytes = std::int64_t{1} << 50;

}  // namespace

void add_quant_keys(std::vector<KeySpec>& keys) {
  const auto quant = [&](KeySpec key) {
    key.sections = {S::kQuant};
    keys.push_back(std::move(key));
  };
  quant({.sections = {},
         .name = "type",
         .accepts = kTextShape,
         .variables = kInModel,
         .example = "Q4_K_M",
         .meaning = "A recipe by its name.",
         .choices = recipe_names()});
  quant({.sections = {},
         .name = "name",
         .accepts = kTextShape,
         .variables = kInModel,
         .fallback = "the recipe's, or the tool's",
         .example = "smol-Q4_K_M",
         .meaning = "Name of the variant; required with `rules`."});
  quant({.sections = {},
         .name = "base",
         .accepts = kTextShape,
         .variables = kInModel,
         .example = "Q4_K_M",
         .meaning = "The recipe that `rules` change.",
         .choices = recipe_names()});
  quant({.sections = {},
         .name = "rules",
         .accepts = kListShape,
         .elements = kMappingShape,
         .inside = S::kRule,
         .example = "[{match: ffn_down, type: Q6_K}]",
         .meaning = "Types for some tensors: in order, the first match wins; one that matches "
                    "nothing is an error."});
  quant({.sections = {},
         .name = "effort",
         .accepts = kTextShape,
         .fallback = "default",
         .example = "best",
         .meaning = "How long encoders look for the least error: `best` takes several times as "
                    "long.",
         .choices = kEfforts});
  quant({.sections = {},
         .name = "imatrix",
         .accepts = kBoolShape,
         .fallback = "false",
         .example = "true",
         .meaning = "Whether the model's importance matrix says how much each column matters. "
                    "IQ1, IQ2, IQ3_XXS, IQ3_XS and Q2_K_S need it."});
  quant({.sections = {},
         .name = "method",
         .accepts = kTextShape,
         .example = "command",
         .meaning = "How the variant is made, if not by a GGUF recipe.",
         .choices = method_names()});
}

void add_command_keys(std::vector<KeySpec>& keys) {
  const auto quant = [&](KeySpec key) {
    key.sections = {S::kQuant};
    keys.push_back(std::move(key));
  };
  quant({.sections = {},
         .name = "run",
         .accepts = kListShape,
         .elements = kScalarShape,
         .variables = kInCommand | kRunPaths,
         .example = "[my-tool, \"{source}\", \"{out}\"]",
         .meaning = "The program and its arguments; no shell. `{source}` is the source's folder, "
                    "`{out}` an empty folder to write in. Required with `method: command`."});
  quant({.sections = {},
         .name = "outputs",
         .accepts = kListShape,
         .elements = kTextShape,
         .variables = kInCommand,
         .example = "[\"*.bin\"]",
         .meaning =
             "Patterns of the files that it writes; each must match one, and each file "
             "must be matched. Required with `method: command`. A single pattern that ends in "
             "`.gguf` makes the variant a GGUF file."});
  quant({.sections = {},
         .name = "inputs",
         .accepts = kListShape,
         .elements = kTextShape,
         .variables = kInCommand,
         .fallback = "none but the source",
         .example = "[scales.json]",
         .meaning = "Other files that it reads. A program named with its folder, and "
                    "arguments that are files beside the manifest, need not be named again."});
  quant({.sections = {},
         .name = "environment",
         .accepts = kMappingShape,
         .inside = S::kEnvironment,
         .fallback = "PATH, HOME, LANG, TMPDIR",
         .example = "{OMP_NUM_THREADS: 4}",
         .meaning = "Variables that it gets besides the default ones."});
  quant({.sections = {},
         .name = "resources",
         .accepts = kMappingShape,
         .inside = S::kResources,
         .example = "{threads: 4, memory: 8GiB}",
         .meaning = "What it needs while it runs."});
  quant({.sections = {},
         .name = "tool",
         .accepts = kTextShape,
         .variables = kInModel,
         .example = "my-tool@1.4",
         .meaning = "Identity of the tool. When it changes, the variant is made anew."});
}

void add_quant_part_keys(std::vector<KeySpec>& keys) {
  keys.insert(
      keys.end(),
      {{.sections = {S::kRule},
        .name = "match",
        .accepts = kTextShape,
        .example = "\"attn_|_shexp\"",
        .meaning = "Regular expression (ECMAScript, no back-references), searched in the GGUF name "
                   "of the tensor.",
        .is_required = true},
       {.sections = {S::kRule},
        .name = "type",
        .accepts = kTextShape,
        .example = "Q6_K",
        .meaning = "The type of those tensors.",
        .choices = tensor_types(),
        .is_required = true},
       {.sections = {S::kRule},
        .name = "layers",
        .accepts = kTextShape | kWholeShape,
        .fallback = "all",
        .example = "\"0-3,-4..-1\"",
        .meaning = "Only in these layers: `N`, `N-M` or `N..M`, separated by commas; negative "
                   "ones count from the end.",
        .least = -100000,
        .most = 100000},
       {.sections = {S::kEnvironment},
        .name = "*",
        .accepts = kScalarShape,
        .variables = kInCommand,
        .example = "4",
        .meaning = "A variable and its value."},
       {.sections = {S::kResources},
        .name = "threads",
        .accepts = kWholeShape,
        .fallback = "1",
        .example = "4",
        .meaning = "Threads that it uses.",
        .least = 1,
        .most = kMaxThreads},
       {.sections = {S::kResources},
        .name = "memory",
        .accepts = kTextShape | kWholeShape,
        .fallback = "unknown",
        .example = "8GiB",
        .meaning = "Memory at its peak: bytes, or a number with KiB, MiB, GiB, TiB, kB, MB, GB "
                   "or TB.",
        .least = 1,
        .most = kMaxBytes},
       {.sections = {S::kResources},
        .name = "scratch",
        .accepts = kTextShape | kWholeShape,
        .fallback = "unknown",
        .example = "20GB",
        .meaning = "Disk at its peak, outputs included; as for `memory`.",
        .least = 1,
        .most = kMaxBytes},
       {.sections = {S::kResources},
        .name = "time_limit",
        .accepts = kTextShape | kWholeShape,
        .fallback = "7d",
        .example = "2h",
        .meaning = "How long it may run before it is ended and fails: seconds, or a number with s, "
                   "min, h or d.",
        .least = 1,
        .most = kMaxSeconds}});
}

void add_benchmark_keys(std::vector<KeySpec>& keys) {
  keys.insert(
      keys.end(),
      {{.sections = {S::kBenchmark},
        .name = "perplexity",
        .accepts = kFalseShape | kListShape | kMappingShape,
        .elements = kMappingShape,
        .inside = S::kPerplexity,
        .example = "{text: data/heldout.txt, context: 512, chunks: 100}",
        .meaning = "Perplexity over a text, or over each of a list. Gates mean the first one."},
       {.sections = {S::kBenchmark},
        .name = "throughput",
        .accepts = kFalseShape | kMappingShape,
        .inside = S::kThroughput,
        .example = "{prompt: 512, generate: 128, repeat: 5}",
        .meaning = "Speed, load time and memory."},
       {.sections = {S::kPerplexity},
        .name = "text",
        .accepts = kTextShape,
        .variables = kInModel,
        .example = "data/heldout.txt",
        .meaning = "File with the text. Required."},
       {.sections = {S::kPerplexity},
        .name = "name",
        .accepts = kTextShape,
        .fallback = "the file's, without ending",
        .example = "heldout",
        .meaning = "Name of the text in results and cards."},
       {.sections = {S::kPerplexity},
        .name = "context",
        .accepts = kWholeShape,
        .fallback = "512",
        .example = "512",
        .meaning = "Tokens of one chunk.",
        .least = 8,
        .most = kMaxTokens},
       {.sections = {S::kPerplexity},
        .name = "chunks",
        .accepts = kWholeShape,
        .fallback = "the whole text",
        .example = "100",
        .meaning = "How many chunks.",
        .least = 1,
        .most = kMaxTokens},
       {.sections = {S::kPerplexity},
        .name = "activations",
        .accepts = kTextShape,
        .fallback = "packed",
        .example = "f32",
        .meaning = "`packed`: activations quantized as users run the file; `f32`: the error of "
                   "the weights alone. The same for all texts of a benchmark.",
        .choices = kActivations}});
}

void add_throughput_keys(std::vector<KeySpec>& keys) {
  keys.insert(keys.end(), {{.sections = {S::kThroughput},
                            .name = "prompt",
                            .accepts = kWholeShape,
                            .fallback = "512",
                            .example = "512",
                            .meaning = "Tokens of the prompt.",
                            .least = 1,
                            .most = kMaxTokens},
                           {.sections = {S::kThroughput},
                            .name = "generate",
                            .accepts = kWholeShape,
                            .fallback = "128",
                            .example = "128",
                            .meaning = "Tokens generated.",
                            .least = 1,
                            .most = kMaxTokens},
                           {.sections = {S::kThroughput},
                            .name = "repeat",
                            .accepts = kWholeShape,
                            .fallback = "5",
                            .example = "5",
                            .meaning = "How often.",
                            .least = 1,
                            .most = kMaxRepeat}});
}

void add_gate_keys(std::vector<KeySpec>& keys) {
  const auto gate = [&](std::string_view name, std::string_view example, std::string_view meaning) {
    keys.push_back({.sections = {S::kGates},
                    .name = name,
                    .accepts = kFalseShape | kMappingShape,
                    .inside = S::kBounds,
                    .example = example,
                    .meaning = meaning});
  };
  gate("perplexity", "{max: 12}", "Of the variant.");
  gate("perplexity_ratio", "{max: 1.03}", "The variant's perplexity over the source's.");
  gate("bits_per_weight", "{max: 5}", "Of the variant's file.");
  gate("prompt_tokens_per_second", "{min: 100}", "Reading the prompt.");
  gate("generate_tokens_per_second", "{min: 10}", "Generating.");
  for (const std::string_view name : {"min", "max"})
    keys.push_back(
        {.sections = {S::kBounds},
         .name = name,
         .accepts = kNumberShape,
         .example = "1.03",
         .meaning = name == "min" ? "The value may not be below." : "The value may not be above."});
}

}  // namespace qbuild::manifests
