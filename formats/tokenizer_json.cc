#include "formats/tokenizer_json.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/error.h"
#include "formats/json_file.h"

namespace qbuild::formats {
namespace {

void place_token(std::vector<std::string>& tokens, std::int64_t id, const std::string& text) {
  if (id < 0 || static_cast<std::size_t>(id) >= kMaxVocabulary)
    throw Error(ErrorKind::kInvalidInput, fmt::format("token \"{}\" has the id {}, beyond 0 to {}",
                                                      text, id, kMaxVocabulary - 1));
  const auto index = static_cast<std::size_t>(id);
  if (index >= tokens.size()) tokens.resize(index + 1);
  if (!tokens[index].empty() && tokens[index] != text)
    throw Error(ErrorKind::kInvalidInput,
                fmt::format("\"{}\" and \"{}\" share the id {}", tokens[index], text, id));
  tokens[index] = text;
}

std::pair<std::string, std::string> read_merge(const Json& merge) {
  if (merge.is_array()) {
    const auto& parts = merge.as_array();
    if (parts.size() != 2) throw Error(ErrorKind::kInvalidInput, "a merge is no pair");
    return {parts[0].as_string(), parts[1].as_string()};
  }
  const std::string& text = merge.as_string();
  const auto space = text.find(' ');
  if (space == std::string::npos || space == 0 || space + 1 == text.size() ||
      text.find(' ', space + 1) != std::string::npos)
    throw Error(ErrorKind::kInvalidInput, fmt::format("the merge \"{}\" is no pair", text));
  return {text.substr(0, space), text.substr(space + 1)};
}

AddedToken read_added(const Json& json) {
  AddedToken token;
  const std::int64_t id = json.at("id").as_int();
  token.content = json.at("content").as_string();
  if (id < 0 || static_cast<std::size_t>(id) >= kMaxVocabulary)
    throw Error(ErrorKind::kInvalidInput,
                fmt::format("token \"{}\" has the id {}", token.content, id));
  token.id = static_cast<std::int32_t>(id);
  token.special = json.get_bool("special", false);
  token.single_word = json.get_bool("single_word", false);
  token.lstrip = json.get_bool("lstrip", false);
  token.rstrip = json.get_bool("rstrip", false);
  token.normalized = json.get_bool("normalized", !token.special);
  return token;
}

Json member_or_null(const Json& json, std::string_view key) {
  const Json* const value = json.find(key);
  return value == nullptr ? Json() : *value;
}

// A token is a string, or an object with its content.
std::optional<std::string> special_token(const Json& json, std::string_view key) {
  const Json* const value = json.find(key);
  if (value == nullptr || value->is_null()) return std::nullopt;
  return with_context(key, [&] {
    return value->is_object() ? value->at("content").as_string() : value->as_string();
  });
}

std::optional<bool> flag(const Json& json, std::string_view key) {
  const Json* const value = json.find(key);
  if (value == nullptr || value->is_null()) return std::nullopt;
  return with_context(key, [&] { return value->as_bool(); });
}

}  // namespace

TokenizerJson parse_tokenizer_json(const Json& json) {
  TokenizerJson tokenizer;
  const Json& model = json.at("model");
  // Old files leave the type out; they are BPE if they have merges.
  const std::string type = model.get_string("type", model.find("merges") != nullptr ? "BPE" : "");
  if (type != "BPE")
    throw Error(ErrorKind::kUnsupported,
                fmt::format("model.type is \"{}\"; byte-level BPE is supported", type));
  // These change what comes out; passing over them would give other tokens than the model was made
  // with.
  if (model.get_double("dropout", 0) != 0)
    throw Error(ErrorKind::kUnsupported,
                "model.dropout is set; merging at random is not supported");
  for (const std::string_view affix : {"continuing_subword_prefix", "end_of_word_suffix"})
    if (const std::string text = model.get_string(affix); !text.empty())
      throw Error(ErrorKind::kUnsupported,
                  fmt::format("model.{} is \"{}\"; byte-level BPE has none", affix, text));
  with_context("model.vocab", [&] {
    const auto& vocabulary = model.at("vocab").as_object();
    if (vocabulary.size() > kMaxVocabulary)
      throw Error(ErrorKind::kExhausted, fmt::format("{} tokens", vocabulary.size()));
    tokenizer.tokens.reserve(vocabulary.size());
    for (const auto& [text, id] : vocabulary) place_token(tokenizer.tokens, id.as_int(), text);
  });
  with_context("model.merges", [&] {
    const auto& merges = model.at("merges").as_array();
    if (merges.size() > kMaxMerges)
      throw Error(ErrorKind::kExhausted, fmt::format("{} merges", merges.size()));
    tokenizer.merges.reserve(merges.size());
    for (const Json& merge : merges) tokenizer.merges.push_back(read_merge(merge));
  });
  with_context("added_tokens", [&] {
    const Json* const added = json.find("added_tokens");
    if (added == nullptr || added->is_null()) return;
    for (const Json& token : added->as_array()) {
      tokenizer.added.push_back(read_added(token));
      place_token(tokenizer.tokens, tokenizer.added.back().id, tokenizer.added.back().content);
    }
    std::sort(tokenizer.added.begin(), tokenizer.added.end(),
              [](const auto& a, const auto& b) { return a.id < b.id; });
  });
  tokenizer.ignore_merges = model.get_bool("ignore_merges", false);
  tokenizer.byte_fallback = model.get_bool("byte_fallback", false);
  tokenizer.unknown_token = model.get_string("unk_token");
  tokenizer.normalizer = member_or_null(json, "normalizer");
  tokenizer.pre_tokenizer = member_or_null(json, "pre_tokenizer");
  tokenizer.post_processor = member_or_null(json, "post_processor");
  return tokenizer;
}

TokenizerJson read_tokenizer_json(FileSystem& file_system, const fs::path& folder) {
  const fs::path path = folder / "tokenizer.json";
  const Json json = read_json_file(file_system, path);
  return with_context(path.string(), [&] { return parse_tokenizer_json(json); });
}

TokenizerConfig parse_tokenizer_config(const Json& json) {
  TokenizerConfig config;
  config.bos_token = special_token(json, "bos_token");
  config.eos_token = special_token(json, "eos_token");
  config.unk_token = special_token(json, "unk_token");
  config.pad_token = special_token(json, "pad_token");
  config.sep_token = special_token(json, "sep_token");
  config.mask_token = special_token(json, "mask_token");
  config.add_bos_token = flag(json, "add_bos_token");
  config.add_eos_token = flag(json, "add_eos_token");
  config.add_prefix_space = flag(json, "add_prefix_space");
  const Json* const chat = json.find("chat_template");
  if (chat == nullptr || chat->is_null()) return config;
  with_context("chat_template", [&] {
    if (chat->is_string()) {
      config.chat_templates.push_back({"", chat->as_string()});
      return;
    }
    for (const Json& entry : chat->as_array()) {
      const std::string& name = entry.at("name").as_string();
      config.chat_templates.push_back(
          {name == "default" ? "" : name, entry.at("template").as_string()});
    }
    std::stable_partition(config.chat_templates.begin(), config.chat_templates.end(),
                          [](const NamedTemplate& one) { return one.name.empty(); });
  });
  return config;
}

TokenizerConfig read_tokenizer_config(FileSystem& file_system, const fs::path& folder) {
  const fs::path path = folder / "tokenizer_config.json";
  TokenizerConfig config;
  if (file_system.stat(path)) {
    const Json json = read_json_file(file_system, path);
    config = with_context(path.string(), [&] { return parse_tokenizer_config(json); });
  }
  const fs::path chat = folder / "chat_template.jinja";
  if (file_system.stat(chat)) {
    std::erase_if(config.chat_templates, [](const NamedTemplate& one) { return one.name.empty(); });
    config.chat_templates.insert(config.chat_templates.begin(),
                                 {"", read_file(file_system, chat, kMaxJsonFileBytes)});
  }
  return config;
}

GenerationConfig read_generation_config(FileSystem& file_system, const fs::path& folder) {
  const fs::path path = folder / "generation_config.json";
  GenerationConfig config;
  if (!file_system.stat(path)) return config;
  const Json json = read_json_file(file_system, path);
  return with_context(path.string(), [&] {
    if (const Json* const bos = json.find("bos_token_id"); bos != nullptr && !bos->is_null())
      config.bos_token_id = with_context("bos_token_id", [&] { return bos->as_int(); });
    const Json* const eos = json.find("eos_token_id");
    if (eos == nullptr || eos->is_null()) return config;
    with_context("eos_token_id", [&] {
      if (!eos->is_array()) return config.eos_token_ids.push_back(eos->as_int());
      for (const Json& id : eos->as_array()) config.eos_token_ids.push_back(id.as_int());
    });
    return config;
  });
}

}  // namespace qbuild::formats
