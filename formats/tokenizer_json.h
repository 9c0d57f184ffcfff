#pragma once
// tokenizer.json: a tokenizer as the `tokenizers` library describes it; byte-level BPE is read. And
// what stands beside it: tokenizer_config.json, generation_config.json, chat_template.jinja.

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/file_system.h"
#include "base/json.h"
#include "formats/network_limits.h"

namespace qbuild::formats {

// Twice what the largest published vocabulary has.
inline constexpr std::size_t kMaxMerges = 1u << 20;
inline constexpr std::size_t kMaxAddedTokens = 1u << 17;
inline constexpr std::size_t kMaxAddedTokenBytes = 4096;
inline constexpr std::size_t kMaxChatTemplateBytes = 1u << 20;
inline constexpr std::size_t kMaxChatTemplates = 64;
inline constexpr std::size_t kMaxEndTokens = 1024;

struct AddedToken {
  std::int32_t id = 0;
  std::string content;
  bool special = false;
  bool single_word = false;
  bool lstrip = false;
  bool rstrip = false;
  bool normalized = true;
};

struct TokenizerJson {
  // By id; an empty text is an id that nothing has. Byte-level spelling ("Ġthe").
  std::vector<std::string> tokens;
  std::vector<std::pair<std::string, std::string>> merges;  // by rank
  std::vector<AddedToken> added;  // by id; their texts stand in `tokens` too
  bool ignore_merges = false;
  bool byte_fallback = false;
  std::string unknown_token;  // "" if there is none
  Json normalizer;            // null if there is none
  Json pre_tokenizer;
  Json post_processor;
};

// Throws Error: kNotFound, kInvalidInput "PATH: KEY: ..." for what is broken, among it a text with
// two ids and an id with two texts; kExhausted beyond the bounds above and kMaxVocabulary;
// kUnsupported for a model other than BPE.
[[nodiscard]] TokenizerJson read_tokenizer_json(FileSystem& file_system, const fs::path& folder);
[[nodiscard]] TokenizerJson parse_tokenizer_json(const Json& json);

struct NamedTemplate {
  std::string name;  // "" for the default one
  std::string text;
};

struct TokenizerConfig {
  std::optional<std::string> bos_token;
  std::optional<std::string> eos_token;
  std::optional<std::string> unk_token;
  std::optional<std::string> pad_token;
  std::optional<std::string> sep_token;
  std::optional<std::string> mask_token;
  std::optional<bool> add_bos_token;
  std::optional<bool> add_eos_token;
  std::optional<bool> add_prefix_space;
  std::vector<NamedTemplate> chat_templates;  // the default one first
};

// An absent file gives an empty value. chat_template.jinja beside it goes before what the JSON
// says. Throws Error: kInvalidInput "PATH: KEY: ..." for what is broken and for two templates of
// one name, kExhausted for a template beyond the bounds.
[[nodiscard]] TokenizerConfig read_tokenizer_config(FileSystem& file_system,
                                                    const fs::path& folder);
[[nodiscard]] TokenizerConfig parse_tokenizer_config(const Json& json);

struct GenerationConfig {
  std::optional<std::int64_t> bos_token_id;
  std::vector<std::int64_t> eos_token_ids;  // the file has one number or a list
};
// An absent file gives an empty value.
[[nodiscard]] GenerationConfig read_generation_config(FileSystem& file_system,
                                                      const fs::path& folder);

}  // namespace qbuild::formats
