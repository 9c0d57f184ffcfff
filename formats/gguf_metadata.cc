#include "formats/gguf_metadata.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <set>

#include "base/digest.h"
#include "base/error.h"
#include "base/shown.h"
#include "formats/splitters.h"

namespace qbuild::formats {
namespace {

// Token types of GGUF (docs/gguf.md).
enum TokenType : std::int64_t { kNormal = 1, kControl = 3, kUserDefined = 4, kUnused = 5 };

std::uint32_t to_u32(std::uint64_t value, std::string_view what) {
  if (value > std::numeric_limits<std::uint32_t>::max())
    throw Error(ErrorKind::kInvalidInput, fmt::format("{} is {}, too large for GGUF", what, value));
  return static_cast<std::uint32_t>(value);
}

void add_hyperparameters(GgufMetadata& out, const ModelConfig& config) {
  const auto count = [&](const char* key, std::uint64_t value) {
    out.push_back({std::string("llama.") + key, GgufValue::u32(to_u32(value, key))});
  };
  count("block_count", config.num_hidden_layers);
  count("context_length", config.max_position_embeddings);
  count("embedding_length", config.hidden_size);
  count("feed_forward_length", config.intermediate_size);
  count("attention.head_count", config.num_attention_heads);
  count("attention.head_count_kv", config.num_key_value_heads);
  out.push_back({"llama.rope.freq_base", GgufValue::f32(static_cast<float>(config.rope.theta))});
  out.push_back({"llama.attention.layer_norm_rms_epsilon",
                 GgufValue::f32(static_cast<float>(config.rms_norm_eps))});
  if (config.head_dim) {
    count("attention.key_length", *config.head_dim);
    count("attention.value_length", *config.head_dim);
  }
}

void add_rope_scaling(GgufMetadata& out, const ModelConfig& config) {
  const RopeConfig& rope = config.rope;
  if (rope.type == "default" || rope.type == "llama3") return;  // llama3 is a tensor, not a key
  if (rope.type != "linear" && rope.type != "yarn")
    throw Error(ErrorKind::kUnsupported,
                fmt::format("{}: rope_scaling of type \"{}\" cannot be said in a GGUF of this "
                            "architecture; default, "
                            "linear, llama3 and yarn can",
                            config.place, shown(rope.type)));
  out.push_back({"llama.rope.scaling.type", GgufValue::text(rope.type)});
  out.push_back({"llama.rope.scaling.factor", GgufValue::f32(static_cast<float>(rope.factor))});
  if (rope.type == "yarn" && rope.original_max_position_embeddings)
    out.push_back(
        {"llama.rope.scaling.original_context_length",
         GgufValue::u32(to_u32(*rope.original_max_position_embeddings, "original context"))});
}

bool looks_special(std::string_view text) {
  return text == "<pad>" || text == "<mask>" || text == "<2mass>" || text == "[@BOS@]" ||
         (text.starts_with("<|") && text.ends_with("|>")) ||
         (text.starts_with("<\xef\xbd\x9c") && text.ends_with("\xef\xbd\x9c>")) ||
         (text.starts_with("<unused") && text.ends_with(">"));
}

void add_tokens(GgufMetadata& out, const ModelConfig& config, const TokenizerJson& tokenizer) {
  const std::uint64_t rows = config.vocab_size;
  if (tokenizer.tokens.size() > rows)
    throw Error(ErrorKind::kInvalidInput,
                fmt::format("{}: vocab_size is {}, but tokenizer.json has ids up to {}",
                            config.place, rows, tokenizer.tokens.size() - 1));
  std::vector<std::string> texts(rows);
  std::vector<std::int64_t> types(rows, kNormal);
  for (std::size_t id = 0; id < rows; ++id) {
    if (id < tokenizer.tokens.size()) texts[id] = tokenizer.tokens[id];
    if (!texts[id].empty()) continue;
    texts[id] = fmt::format("[PAD{}]", id);
    types[id] = kUnused;
  }
  for (const AddedToken& token : tokenizer.added)
    types[static_cast<std::size_t>(token.id)] =
        token.special || looks_special(token.content) ? kControl : kUserDefined;
  std::vector<std::string> merges;
  merges.reserve(tokenizer.merges.size());
  for (const auto& [left, right] : tokenizer.merges)
    merges.push_back(fmt::format("{} {}", left, right));
  out.push_back({"tokenizer.ggml.tokens", GgufValue::strings(std::move(texts))});
  out.push_back({"tokenizer.ggml.token_type", GgufValue::i32s(std::move(types))});
  out.push_back({"tokenizer.ggml.merges", GgufValue::strings(std::move(merges))});
}

// The id of a special token: by its text among the added tokens, else config.json's NAME_token_id.
std::optional<std::uint64_t> special_id(const std::optional<std::string>& text, const char* id_key,
                                        const ModelConfig& config, const TokenizerJson& tokenizer) {
  if (text)
    for (const AddedToken& token : tokenizer.added)
      if (token.content == *text) return static_cast<std::uint64_t>(token.id);
  const Json* const id = config.raw.find(id_key);
  if (id == nullptr || !id->is_int() || id->as_int() < 0) return std::nullopt;
  const std::uint64_t value = id->as_uint();
  return value < config.vocab_size ? std::optional(value) : std::nullopt;
}

// The post-processor's template for one text, wherever it is nested; null if there is none.
const Json* find_template(const Json& processor) {
  if (!processor.is_object()) return nullptr;
  const std::string type = processor.get_string("type");
  if (type == "TemplateProcessing") return processor.find("single");
  const Json* const inner = processor.find("processors");
  if (type != "Sequence" || inner == nullptr) return nullptr;
  for (const Json& one : inner->as_array())
    if (const Json* const found = find_template(one)) return found;
  return nullptr;
}

std::string special_of(const Json& element) {
  const Json* const special = element.find("SpecialToken");
  return special == nullptr ? "" : special->get_string("id");
}

void add_flags(GgufMetadata& out, const TokenizerJson& tokenizer, const TokenizerConfig& config) {
  std::optional<bool> bos = config.add_bos_token;
  std::optional<bool> eos = config.add_eos_token;
  if (const Json* const single = find_template(tokenizer.post_processor);
      single != nullptr && !single->as_array().empty()) {
    const auto& elements = single->as_array();
    const std::string first = special_of(elements.front());
    const std::string last = special_of(elements.back());
    // The template is what the tokenizer runs, so it goes before the flags (docs/checkpoint.md).
    bos = !first.empty() && config.bos_token == first;
    eos = !last.empty() && elements.size() > 1 && config.eos_token == last;
  }
  // Said always: a runtime's default depends on the name of the splitter.
  out.push_back({"tokenizer.ggml.add_bos_token", GgufValue::boolean(bos.value_or(false))});
  if (eos) out.push_back({"tokenizer.ggml.add_eos_token", GgufValue::boolean(*eos)});
}

void add_chat_templates(GgufMetadata& out, const TokenizerConfig& config) {
  std::vector<std::string> names;
  for (const NamedTemplate& one : config.chat_templates) {
    if (one.name.empty()) {
      out.push_back({"tokenizer.chat_template", GgufValue::text(one.text)});
      continue;
    }
    std::string name;
    for (const char c : one.name)
      name += (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ? c : '_';
    if (std::find(names.begin(), names.end(), name) != names.end())
      throw Error(ErrorKind::kInvalidInput,
                  fmt::format("tokenizer_config.json: chat_template: two templates would be called "
                              "\"{}\" in a GGUF; rename one",
                              name));
    names.push_back(name);
    out.push_back({"tokenizer.chat_template." + name, GgufValue::text(one.text)});
  }
  if (!names.empty())
    out.push_back({"tokenizer.chat_templates", GgufValue::strings(std::move(names))});
}

void add_tokenizer(GgufMetadata& out, const ModelConfig& config, const TokenizerJson& tokenizer,
                   const TokenizerConfig& tokenizer_config) {
  if (tokenizer.byte_fallback)
    throw Error(
        ErrorKind::kUnsupported,
        "tokenizer.json: model.byte_fallback is set; only byte-level tokenizers are supported");
  const Splitter splitter = splitter_from_json(tokenizer.pre_tokenizer);
  out.push_back({"tokenizer.ggml.model", GgufValue::text("gpt2")});
  out.push_back(
      {"tokenizer.ggml.pre", GgufValue::text(pre_name(splitter, tokenizer.ignore_merges))});
  add_tokens(out, config, tokenizer);
  const auto id = [&](const char* key, const std::optional<std::string>& text, const char* id_key) {
    if (const auto found = special_id(text, id_key, config, tokenizer))
      out.push_back({std::string("tokenizer.ggml.") + key,
                     GgufValue::u32(static_cast<std::uint32_t>(*found))});
  };
  id("bos_token_id", tokenizer_config.bos_token, "bos_token_id");
  id("eos_token_id", tokenizer_config.eos_token, "eos_token_id");
  id("unknown_token_id", tokenizer_config.unk_token, "unk_token_id");
  id("seperator_token_id", tokenizer_config.sep_token,
     "sep_token_id");  // the format's own spelling
  id("padding_token_id", tokenizer_config.pad_token, "pad_token_id");
  id("mask_token_id", tokenizer_config.mask_token, "mask_token_id");
  add_chat_templates(out, tokenizer_config);
  out.push_back({"tokenizer.ggml.add_space_prefix", GgufValue::boolean(splitter.add_prefix_space)});
  add_flags(out, tokenizer, tokenizer_config);
}

}  // namespace

std::string size_label(std::uint64_t parameters) {
  struct Unit {
    double size;
    char letter;
  };
  const double count = static_cast<double>(parameters);
  for (const Unit unit :
       {Unit{1e15, 'Q'}, Unit{1e12, 'T'}, Unit{1e9, 'B'}, Unit{1e6, 'M'}, Unit{1e3, 'K'}})
    if (count >= unit.size || unit.letter == 'K')
      return fmt::format("{:.{}f}{}", count / unit.size, count / unit.size < 9.95 ? 1 : 0,
                         unit.letter);
  return "0K";
}

GgufMetadata llama_metadata(const GgufGeneral& general, const ModelConfig& config,
                            const TokenizerJson& tokenizer,
                            const TokenizerConfig& tokenizer_config) {
  GgufMetadata out;
  out.push_back({"general.architecture", GgufValue::text("llama")});
  out.push_back({"general.type", GgufValue::text("model")});
  out.push_back({"general.name", GgufValue::text(general.name)});
  out.push_back({"general.size_label", GgufValue::text(size_label(general.parameters))});
  add_hyperparameters(out, config);
  out.push_back({"general.file_type", GgufValue::u32(general.file_type)});
  out.push_back({"llama.vocab_size", GgufValue::u32(to_u32(config.vocab_size, "vocab_size"))});
  const double rotated =
      static_cast<double>(config.effective_head_dim()) * config.rope.partial_rotary_factor;
  out.push_back(
      {"llama.rope.dimension_count",
       GgufValue::u32(to_u32(static_cast<std::uint64_t>(rotated), "rope.dimension_count"))});
  add_rope_scaling(out, config);
  add_tokenizer(out, config, tokenizer, tokenizer_config);
  out.push_back({"general.quantization_version", GgufValue::u32(2)});
  return out;
}

std::vector<float> llama3_rope_factors(const ModelConfig& config) {
  const RopeConfig& rope = config.rope;
  if (rope.type != "llama3") return {};
  const double original = static_cast<double>(rope.original_max_position_embeddings.value_or(8192));
  const std::uint64_t head_dim = config.effective_head_dim();
  std::vector<float> factors;
  for (std::uint64_t i = 0; i < head_dim / 2; ++i) {
    const double frequency =
        std::pow(rope.theta, -2.0 * static_cast<double>(i) / static_cast<double>(head_dim));
    const double wavelength = 2 * std::numbers::pi / frequency;
    double factor = rope.factor;
    if (wavelength < original / rope.high_freq_factor) {
      factor = 1;
    } else if (wavelength <= original / rope.low_freq_factor) {
      const double smooth = (original / wavelength - rope.low_freq_factor) /
                            (rope.high_freq_factor - rope.low_freq_factor);
      factor = 1 / ((1 - smooth) / rope.factor + smooth);
    }
    factors.push_back(static_cast<float>(factor));
  }
  return factors;
}

GgufDigests digest_metadata(const GgufMetadata& metadata) {
  std::string hyperparameters;
  std::string tokenizer;
  std::string chat_template;
  std::string general;
  for (const GgufPair& pair : metadata) {
    if (pair.key.starts_with("tokenizer.chat_template"))
      append_pair(chat_template, pair);
    else if (pair.key.starts_with("tokenizer."))
      append_pair(tokenizer, pair);
    else if (pair.key.starts_with("general.") && pair.key != "general.architecture")
      append_pair(general, pair);
    else
      append_pair(hyperparameters, pair);
  }
  return {sha256(hyperparameters).hex(), sha256(tokenizer).hex(), sha256(chat_template).hex(),
          sha256(general).hex()};
}

}  // namespace qbuild::formats
