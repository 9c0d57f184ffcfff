#include "formats/tokenizer_json.h"

#include <fmt/core.h>

#include <algorithm>
#include <map>
#include <set>
#include <string_view>

#include "base/error.h"
#include "base/shown.h"
#include "formats/json_file.h"

namespace qbuild::formats {
namespace {

[[noreturn]] void refuse(const std::string& what) {
  throw Error(ErrorKind::kInvalidInput, what);
}

void require_at_most(std::size_t count, std::size_t most, std::string_view what) {
  if (count > most)
    throw Error(ErrorKind::kExhausted,
                fmt::format("{} {}; at most {} are read", count, what, most));
}

// The place of a token in a vocabulary.
std::size_t require_id(std::int64_t id, std::string_view text) {
  if (id < 0 || static_cast<std::size_t>(id) >= kMaxVocabulary)
    refuse(fmt::format("token \"{}\" has the id {}, beyond 0 to {}", shown(text), id,
                       kMaxVocabulary - 1));
  return static_cast<std::size_t>(id);
}

void place_token(std::vector<std::string>& tokens, std::int64_t id, const std::string& text) {
  const std::size_t index = require_id(id, text);
  if (index >= tokens.size()) tokens.resize(index + 1);
  if (!tokens[index].empty() && tokens[index] != text)
    refuse(fmt::format("\"{}\" and \"{}\" share the id {}", shown(tokens[index]), shown(text), id));
  tokens[index] = text;
}

std::pair<std::string, std::string> read_merge(const Json& merge) {
  if (merge.is_array()) {
    const auto& parts = merge.as_array();
    if (parts.size() != 2) refuse("it is no pair");
    return {parts[0].as_string(), parts[1].as_string()};
  }
  const std::string& text = merge.as_string();
  const auto space = text.find(' ');
  if (space == std::string::npos || space == 0 || space + 1 == text.size() ||
      text.find(' ', space + 1) != std::string::npos)
    refuse(fmt::format("\"{}\" is no pair", shown(text)));
  return {text.substr(0, space), text.substr(space + 1)};
}

AddedToken read_added(const Json& json) {
  AddedToken token;
  const Json& number = json.at("id");
  const std::int64_t id = with_context("id", [&] { return number.as_int(); });
  const Json& content = json.at("content");
  token.content = with_context("content", [&] { return content.as_string(); });
  token.id = static_cast<std::int32_t>(require_id(id, token.content));
  if (token.content.size() > kMaxAddedTokenBytes)
    refuse(fmt::format("token {} has {} bytes; an added token may have {}", id,
                       token.content.size(), kMaxAddedTokenBytes));
  token.special = json.get_bool("special", false);
  token.single_word = json.get_bool("single_word", false);
  token.lstrip = json.get_bool("lstrip", false);
  token.rstrip = json.get_bool("rstrip", false);
  token.normalized = json.get_bool("normalized", !token.special);
  return token;
}

// One element of a list, whose errors say which.
template <typename Read>
auto read_element(const Json& element, std::size_t index, Read read) {
  try {
    return read(element);
  } catch (Error& error) {
    error.add_context(fmt::format("[{}]", index));
    throw;
  }
}

void read_added_tokens(const Json& list, TokenizerJson& tokenizer) {
  const auto& added = list.as_array();
  require_at_most(added.size(), kMaxAddedTokens, "tokens");
  for (std::size_t i = 0; i < added.size(); ++i) {
    tokenizer.added.push_back(read_element(added[i], i, [&](const Json& json) {
      AddedToken token = read_added(json);
      place_token(tokenizer.tokens, token.id, token.content);
      return token;
    }));
  }
  std::sort(tokenizer.added.begin(), tokenizer.added.end(),
            [](const auto& a, const auto& b) { return a.id < b.id; });
  std::map<std::string_view, std::size_t> ids;
  for (std::size_t i = 0; i < tokenizer.added.size(); ++i) {
    const AddedToken& token = tokenizer.added[i];
    if (i > 0 && tokenizer.added[i - 1].id == token.id)
      refuse(fmt::format("the id {} is given twice", token.id));
    ids.emplace(token.content, static_cast<std::size_t>(token.id));
  }
  // A text has one id: which of two it became would depend on the reader.
  for (std::size_t id = 0; id < tokenizer.tokens.size(); ++id) {
    if (tokenizer.tokens[id].empty()) continue;
    if (const auto found = ids.find(tokenizer.tokens[id]);
        found != ids.end() && found->second != id)
      refuse(fmt::format("\"{}\" has the ids {} and {}", shown(tokenizer.tokens[id]),
                         std::min(id, found->second), std::max(id, found->second)));
  }
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

NamedTemplate read_template(const Json& entry) {
  const auto text = [&](std::string_view key) {
    const Json& value = entry.at(key);
    return with_context(key, [&] { return value.as_string(); });
  };
  std::string name = text("name");
  if (name == "default") name.clear();
  return {std::move(name), text("template")};
}

std::vector<NamedTemplate> read_templates(const Json& chat) {
  std::vector<NamedTemplate> templates;
  if (chat.is_string()) {
    templates.push_back({"", chat.as_string()});
  } else {
    const auto& list = chat.as_array();
    require_at_most(list.size(), kMaxChatTemplates, "templates");
    for (std::size_t i = 0; i < list.size(); ++i)
      templates.push_back(read_element(list[i], i, read_template));
    std::stable_partition(templates.begin(), templates.end(),
                          [](const NamedTemplate& one) { return one.name.empty(); });
  }
  std::set<std::string_view> names;
  for (const NamedTemplate& one : templates) {
    const std::string name = one.name.empty() ? "default" : shown(one.name);
    if (!names.insert(one.name).second)
      refuse(fmt::format("two templates are called \"{}\"", name));
    if (one.text.size() > kMaxChatTemplateBytes)
      throw Error(ErrorKind::kExhausted,
                  fmt::format("the template \"{}\" has {} bytes; at most {} are read", name,
                              one.text.size(), kMaxChatTemplateBytes));
  }
  return templates;
}

}  // namespace

TokenizerJson parse_tokenizer_json(const Json& json) {
  TokenizerJson tokenizer;
  const Json& model = json.at("model");
  (void)with_context("model", [&]() -> const Json::Object& { return model.as_object(); });
  // Old files leave the type out; they are BPE if they have merges.
  const std::string type = model.get_string("type", model.find("merges") != nullptr ? "BPE" : "");
  if (type != "BPE")
    throw Error(ErrorKind::kUnsupported,
                fmt::format("model.type is \"{}\"; byte-level BPE is supported", shown(type)));
  // These change what comes out; passing over them would give other tokens than the model was made
  // with.
  if (model.get_double("dropout", 0) != 0)
    throw Error(ErrorKind::kUnsupported,
                "model.dropout is set; merging at random is not supported");
  for (const std::string_view affix : {"continuing_subword_prefix", "end_of_word_suffix"})
    if (const std::string text = model.get_string(affix); !text.empty())
      throw Error(ErrorKind::kUnsupported,
                  fmt::format("model.{} is \"{}\"; byte-level BPE has none", affix, shown(text)));
  with_context("model.vocab", [&] {
    const auto& vocabulary = model.at("vocab").as_object();
    require_at_most(vocabulary.size(), kMaxVocabulary, "tokens");
    tokenizer.tokens.reserve(vocabulary.size());
    for (const Json::Member& token : vocabulary) {
      const std::int64_t id = [&] {
        if (token.second.is_number()) return token.second.as_int();
        return with_context("\"" + shown(token.first) + "\"",
                            [&] { return token.second.as_int(); });
      }();
      place_token(tokenizer.tokens, id, token.first);
    }
  });
  with_context("model.merges", [&] {
    const auto& merges = model.at("merges").as_array();
    require_at_most(merges.size(), kMaxMerges, "merges");
    tokenizer.merges.reserve(merges.size());
    for (std::size_t i = 0; i < merges.size(); ++i)
      tokenizer.merges.push_back(read_element(merges[i], i, read_merge));
  });
  if (const Json* const added = json.find("added_tokens"); added != nullptr && !added->is_null())
    with_context("added_tokens", [&] { read_added_tokens(*added, tokenizer); });
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
  with_context("chat_template", [&] { config.chat_templates = read_templates(*chat); });
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
                                 {"", read_file(file_system, chat, kMaxChatTemplateBytes)});
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
      require_at_most(eos->as_array().size(), kMaxEndTokens, "ids");
      for (const Json& id : eos->as_array()) config.eos_token_ids.push_back(id.as_int());
    });
    return config;
  });
}

}  // namespace qbuild::formats
