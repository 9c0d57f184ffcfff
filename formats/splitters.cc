#include "formats/splitters.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>

#include "base/error.h"
#include "base/shown.h"

namespace qbuild::formats {
namespace {

constexpr std::string_view kLlama3 =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr std::string_view kLlama3Spelled =
    R"((?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr std::string_view kQwen2 =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr std::string_view kGpt2 =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";
constexpr std::string_view kDigit = R"(\p{N})";
constexpr std::string_view kGpt4o =
    R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr std::string_view kTekken =
    R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)";

struct Known {
  std::string_view name;
  std::array<std::string_view, 2> patterns;  // an empty one is none
  bool ignore_merges;
  bool add_bos;
};

// Of several names with one meaning the first is written.
constexpr std::array<Known, 14> kKnown{{
    {"llama-bpe", {kLlama3, ""}, true, true},
    {"llama3", {kLlama3, ""}, true, true},
    {"llama-v3", {kLlama3, ""}, true, true},
    {"falcon3", {kLlama3, ""}, true, true},
    {"smaug-bpe", {kLlama3, ""}, false, false},
    {"dbrx", {kLlama3, ""}, false, false},
    {"qwen2", {kQwen2, ""}, false, false},
    {"deepseek-r1-qwen", {kQwen2, ""}, false, false},
    {"gpt-2", {kGpt2, ""}, false, false},
    {"olmo", {kGpt2, ""}, false, false},
    {"smollm", {kDigit, kGpt2}, false, false},
    {"starcoder", {kDigit, kGpt2}, false, false},
    {"gpt-4o", {kGpt4o, ""}, false, false},
    {"tekken", {kTekken, ""}, true, true},
}};

Splitter splitter_of(const Known& known) {
  Splitter splitter;
  for (const std::string_view pattern : known.patterns)
    if (!pattern.empty()) splitter.patterns.emplace_back(pattern);
  return splitter;
}

// The spelling under which a pattern is known; both cut alike but for U+017F.
std::vector<std::string> known_spelling(std::vector<std::string> patterns) {
  for (std::string& pattern : patterns)
    if (pattern == kLlama3Spelled) pattern = kLlama3;
  return patterns;
}

void add_pattern(Splitter& splitter, std::string_view pattern) {
  if (pattern.size() > kMaxPatternBytes)
    throw Error(ErrorKind::kExhausted, fmt::format("a pattern of {} bytes; it may have {}",
                                                   pattern.size(), kMaxPatternBytes));
  if (splitter.patterns.size() == kMaxPatterns)
    throw Error(ErrorKind::kExhausted, fmt::format("more than {} patterns", kMaxPatterns));
  splitter.patterns.emplace_back(pattern);
}

void add_step(const Json& step, Splitter& splitter, bool& has_bytes) {
  const std::string type = step.at("type").as_string();
  if (type != "Sequence" && has_bytes)
    throw Error(ErrorKind::kUnsupported, "ByteLevel is not its last step, which is not supported");
  if (type == "Sequence") {
    for (const Json& inner : step.at("pretokenizers").as_array())
      add_step(inner, splitter, has_bytes);
  } else if (type == "Split") {
    const Json& pattern = step.at("pattern");
    const Json* const regex = pattern.find("Regex");
    const std::string behavior = step.get_string("behavior", "Isolated");
    if (regex == nullptr || behavior != "Isolated" || step.get_bool("invert", false))
      throw Error(ErrorKind::kUnsupported,
                  fmt::format("a Split that is no isolating regular expression (behavior \"{}\")",
                              shown(behavior)));
    add_pattern(splitter, regex->as_string());
  } else if (type == "Digits") {
    add_pattern(splitter, step.get_bool("individual_digits", false) ? R"(\p{N})" : R"(\p{N}+)");
  } else if (type == "ByteLevel") {
    has_bytes = true;
    splitter.add_prefix_space = step.get_bool("add_prefix_space", true);
    // Each piece would get a prefix of its own.
    if (splitter.add_prefix_space && !splitter.patterns.empty())
      throw Error(ErrorKind::kUnsupported, "add_prefix_space behind other steps is not supported");
    if (step.get_bool("use_regex", true)) add_pattern(splitter, kGpt2);
  } else {
    throw Error(ErrorKind::kUnsupported,
                fmt::format("the kind \"{}\" is not supported; Split, Digits, "
                            "ByteLevel and Sequence are",
                            shown(type)));
  }
}

}  // namespace

Splitter splitter_from_json(const Json& pre_tokenizer) {
  Splitter splitter;
  if (pre_tokenizer.is_null()) return splitter;
  return with_context("pre_tokenizer", [&] {
    bool has_bytes = false;
    add_step(pre_tokenizer, splitter, has_bytes);
    if (!has_bytes)
      throw Error(ErrorKind::kUnsupported,
                  "there is no ByteLevel in it; only byte-level tokenizers are supported");
    return splitter;
  });
}

bool is_known_pattern(std::string_view pattern) {
  if (pattern == kLlama3Spelled || pattern == R"(\p{N}+)") return true;
  return std::any_of(kKnown.begin(), kKnown.end(), [&](const Known& known) {
    return std::find(known.patterns.begin(), known.patterns.end(), pattern) != known.patterns.end();
  });
}

std::string pre_name(const Splitter& splitter, bool ignore_merges) {
  const std::vector<std::string> patterns = known_spelling(splitter.patterns);
  for (const Known& known : kKnown)
    if (splitter_of(known).patterns == patterns && known.ignore_merges == ignore_merges)
      return std::string(known.name);
  // A file cannot say how merges are used; a name with the same pattern and the other use gives the
  // same tokens unless a word is a token that no merges make.
  for (const Known& known : kKnown)
    if (splitter_of(known).patterns == patterns) return std::string(known.name);
  throw Error(ErrorKind::kUnsupported,
              fmt::format("no GGUF runtime has a name for this pre-tokenizer, whose pattern is {}; "
                          "known are those of "
                          "Llama 3, Qwen 2, GPT-2, GPT-4o, SmolLM and Tekken",
                          splitter.patterns.empty() ? "(none)" : shown(splitter.patterns.front())));
}

NamedSplitter splitter_from_pre_name(std::string_view name) {
  for (const Known& known : kKnown)
    if (known.name == name) return {splitter_of(known), known.ignore_merges, known.add_bos};
  throw Error(ErrorKind::kUnsupported,
              fmt::format("tokenizer.ggml.pre is \"{}\", which is not known here", shown(name)));
}

}  // namespace qbuild::formats
