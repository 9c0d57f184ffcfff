#include "models/tokenizer.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/error.h"
#include "base/shown.h"
#include "formats/gguf_reader.h"
#include "formats/splitters.h"
#include "models/added_tokens.h"
#include "models/bpe.h"
#include "models/pretokenizer.h"
#include "models/unicode.h"

namespace qbuild::models {
namespace {

using formats::AddedToken;
using formats::kMaxVocabulary;

// Far above what any tokenizer has; each is a pass over the text.
constexpr std::size_t kMaxNormalForms = 16;
// Ids around a text, on each side.
constexpr std::size_t kMaxFrameIds = 64;

void require_at_most(std::size_t count, std::size_t most, std::string_view what) {
  if (count > most)
    throw Error(ErrorKind::kExhausted, fmt::format("{}; at most {} are read", what, most));
}

std::vector<NormalForm> normal_forms(const Json& normalizer) {
  if (normalizer.is_null()) return {};
  const std::string type = normalizer.at("type").as_string();
  if (type == "NFC") return {NormalForm::kNfc};
  if (type == "NFD") return {NormalForm::kNfd};
  if (type == "NFKC") return {NormalForm::kNfkc};
  if (type == "NFKD") return {NormalForm::kNfkd};
  if (type != "Sequence")
    throw Error(
        ErrorKind::kUnsupported,
        fmt::format("the kind \"{}\" is not supported; NFC, NFD, NFKC, NFKD and Sequence are",
                    shown(type)));
  std::vector<NormalForm> forms;
  for (const Json& inner : normalizer.at("normalizers").as_array()) {
    for (const NormalForm form : normal_forms(inner)) forms.push_back(form);
    require_at_most(forms.size(), kMaxNormalForms, "too many steps");
  }
  return forms;
}

// -1, which no token has, for what is no id.
std::int32_t narrow_id(std::uint64_t id) {
  return id < kMaxVocabulary ? static_cast<std::int32_t>(id) : -1;
}

// An id that a file names and a network will look up.
void require_token(std::int32_t id, const std::vector<std::string>& tokens,
                   std::string_view named_by) {
  if (id >= 0 && static_cast<std::size_t>(id) < tokens.size()) return;
  throw Error(ErrorKind::kInvalidInput,
              fmt::format("{} names a token that is not in the vocabulary", named_by));
}

// Ids that a post-processor puts before and behind a text.
struct Frame {
  std::vector<std::int32_t> before;
  std::vector<std::int32_t> behind;
};

void add_template(const Json& processor, Frame& frame) {
  bool seen_text = false;
  const auto& elements = processor.at("single").as_array();
  require_at_most(elements.size(), kMaxFrameIds, "too many elements in its template");
  for (const Json& element : elements) {
    const Json* const special = element.find("SpecialToken");
    if (special == nullptr) {
      seen_text = true;
      continue;
    }
    const Json& token = processor.at("special_tokens").at(special->at("id").as_string());
    for (const Json& id : token.at("ids").as_array())
      (seen_text ? frame.behind : frame.before).push_back(narrow_id(id.as_uint()));
  }
}

Frame frame_of(const Json& processor) {
  Frame frame;
  if (processor.is_null()) return frame;
  const std::string type = processor.at("type").as_string();
  if (type == "Sequence") {
    const auto& processors = processor.at("processors").as_array();
    require_at_most(processors.size(), kMaxFrameIds, "too many steps");
    for (const Json& inner : processors) {
      const Frame one = frame_of(inner);
      frame.before.insert(frame.before.begin(), one.before.begin(), one.before.end());
      frame.behind.insert(frame.behind.end(), one.behind.begin(), one.behind.end());
      require_at_most(std::max(frame.before.size(), frame.behind.size()), kMaxFrameIds,
                      "too many tokens beside a text");
    }
  } else if (type == "TemplateProcessing") {
    add_template(processor, frame);
    require_at_most(std::max(frame.before.size(), frame.behind.size()), kMaxFrameIds,
                    "too many tokens beside a text");
  } else if (type != "ByteLevel") {
    throw Error(ErrorKind::kUnsupported,
                fmt::format("the kind \"{}\" is not supported; TemplateProcessing, ByteLevel and "
                            "Sequence are",
                            shown(type)));
  }
  return frame;
}

std::vector<std::pair<std::string, std::string>> merges_of(const formats::GgufMetadata& metadata) {
  const auto& texts = formats::require_texts(metadata, "tokenizer.ggml.merges");
  require_at_most(texts.size(), formats::kMaxMerges, "tokenizer.ggml.merges: too many merges");
  std::vector<std::pair<std::string, std::string>> merges;
  merges.reserve(texts.size());
  for (const std::string& merge : texts) {
    const auto space = merge.find(' ', 1);
    if (space == std::string::npos)
      throw Error(ErrorKind::kInvalidInput,
                  fmt::format("tokenizer.ggml.merges: \"{}\" is no pair", shown(merge)));
    merges.emplace_back(merge.substr(0, space), merge.substr(space + 1));
  }
  return merges;
}

std::vector<AddedToken> added_of(const formats::GgufMetadata& metadata,
                                 const std::vector<std::string>& tokens) {
  constexpr std::string_view kKey = "tokenizer.ggml.token_type";
  constexpr std::int64_t kControl = 3;
  constexpr std::int64_t kUserDefined = 4;
  std::vector<AddedToken> added;
  const auto* const types = formats::find_value(metadata, kKey);
  if (types == nullptr) return added;
  const auto* const list = std::get_if<std::vector<std::int64_t>>(&types->value);
  if (list == nullptr || list->size() != tokens.size())
    throw Error(
        ErrorKind::kInvalidInput,
        fmt::format("{} is no array of one i32 for each of {} tokens", kKey, tokens.size()));
  for (std::size_t id = 0; id < tokens.size(); ++id)
    if ((*list)[id] == kControl || (*list)[id] == kUserDefined)
      added.push_back({.id = static_cast<std::int32_t>(id),
                       .content = tokens[id],
                       .special = (*list)[id] == kControl,
                       .normalized = false});
  return added;
}

// A stretch of the text: raw, or an added token.
struct Stretch {
  std::string_view text;
  std::int32_t token = -1;
};

}  // namespace

struct Tokenizer::State {
  std::vector<std::string> tokens;
  AddedTokens added;
  std::vector<bool> is_added;  // by id
  std::optional<Bpe> bpe;
  std::optional<Pretokenizer> pretokenizer;
  std::vector<NormalForm> forms;
  bool add_prefix_space = false;
  Frame frame;
  std::optional<std::int32_t> bos;
  std::optional<std::int32_t> eos;

  void set_added(std::vector<AddedToken> list) {
    is_added.assign(tokens.size(), false);
    for (const AddedToken& token : list) {
      if (!token.content.empty() && static_cast<std::size_t>(token.id) < is_added.size())
        is_added[static_cast<std::size_t>(token.id)] = true;
    }
    added = AddedTokens(std::move(list));
  }

  [[nodiscard]] std::vector<Stretch> stretches(std::string_view text) const {
    std::vector<Stretch> result;
    std::size_t begin = 0;
    for (std::size_t at = 0; at < text.size();) {
      const AddedToken* const token = added.find(text, at);
      if (token == nullptr) {
        ++at;
        continue;
      }
      std::string_view raw = text.substr(begin, at - begin);
      if (token->lstrip) raw.remove_suffix(trailing_space_bytes(raw));
      if (!raw.empty()) result.push_back({raw, -1});
      result.push_back({text.substr(at, token->content.size()), token->id});
      at += token->content.size();
      if (token->rstrip) at += leading_space_bytes(text.substr(at));
      begin = at;
    }
    if (begin < text.size()) result.push_back({text.substr(begin), -1});
    return result;
  }

  void encode_raw(std::string_view raw, SplitEffort& effort, std::vector<std::int32_t>& ids) const {
    std::string text(raw);
    for (const NormalForm form : forms) text = normalized(text, form);
    if (add_prefix_space && !text.starts_with(' ')) text.insert(0, 1, ' ');
    for (const std::string_view word : pretokenizer->split(text, effort))
      bpe->encode_word(spell_bytes(word), ids);
  }
};

Tokenizer::Tokenizer(std::unique_ptr<State> state) : state_(std::move(state)) {}
Tokenizer::~Tokenizer() = default;
Tokenizer::Tokenizer(Tokenizer&&) noexcept = default;
Tokenizer& Tokenizer::operator=(Tokenizer&&) noexcept = default;

Tokenizer Tokenizer::from_json(const formats::TokenizerJson& json,
                               const formats::TokenizerConfig& config) {
  if (json.byte_fallback)
    throw Error(ErrorKind::kUnsupported,
                "model.byte_fallback is set; only byte-level tokenizers are supported");
  auto state = std::make_unique<State>();
  state->tokens = json.tokens;
  state->set_added(json.added);
  state->bpe.emplace(json.tokens, json.merges, json.ignore_merges);
  const formats::Splitter splitter = formats::splitter_from_json(json.pre_tokenizer);
  state->pretokenizer.emplace(splitter.patterns);
  state->add_prefix_space = splitter.add_prefix_space;
  state->forms = with_context("normalizer", [&] { return normal_forms(json.normalizer); });
  state->frame = with_context("post_processor", [&] { return frame_of(json.post_processor); });
  for (const auto* ids : {&state->frame.before, &state->frame.behind})
    for (const std::int32_t id : *ids) require_token(id, state->tokens, "post_processor");
  const auto id_of = [&](const std::optional<std::string>& text) -> std::optional<std::int32_t> {
    if (!text) return std::nullopt;
    const std::int32_t id = state->bpe->find(*text);
    return id < 0 ? std::nullopt : std::optional(id);
  };
  state->bos = id_of(config.bos_token);
  state->eos = id_of(config.eos_token);
  return Tokenizer(std::move(state));
}

Tokenizer Tokenizer::from_gguf(const formats::GgufMetadata& metadata) {
  const std::string& model = formats::require_text(metadata, "tokenizer.ggml.model");
  if (model != "gpt2")
    throw Error(
        ErrorKind::kUnsupported,
        fmt::format("tokenizer.ggml.model is \"{}\"; byte-level BPE (\"gpt2\") is supported",
                    shown(model)));
  const auto named =
      formats::splitter_from_pre_name(formats::require_text(metadata, "tokenizer.ggml.pre"));
  auto state = std::make_unique<State>();
  const auto& tokens = formats::require_texts(metadata, "tokenizer.ggml.tokens");
  require_at_most(tokens.size(), kMaxVocabulary, "tokenizer.ggml.tokens: too many tokens");
  state->tokens = tokens;
  const auto merges = merges_of(metadata);
  auto added = added_of(metadata, state->tokens);
  state->set_added(std::move(added));
  state->bpe.emplace(state->tokens, merges, named.ignore_merges);
  state->pretokenizer.emplace(named.splitter.patterns);
  const auto id_of = [&](std::string_view key) -> std::optional<std::int32_t> {
    if (formats::find_value(metadata, key) == nullptr) return std::nullopt;
    const std::int32_t id = narrow_id(formats::require_uint(metadata, key));
    require_token(id, state->tokens, key);
    return id;
  };
  const auto flag = [&](std::string_view key, bool otherwise) {
    return formats::find_value(metadata, key) == nullptr
               ? otherwise
               : formats::require_uint(metadata, key) != 0;
  };
  state->add_prefix_space = flag("tokenizer.ggml.add_space_prefix", false);
  state->bos = id_of("tokenizer.ggml.bos_token_id");
  state->eos = id_of("tokenizer.ggml.eos_token_id");
  if (state->bos && flag("tokenizer.ggml.add_bos_token", named.add_bos))
    state->frame.before = {*state->bos};
  if (state->eos && flag("tokenizer.ggml.add_eos_token", false))
    state->frame.behind = {*state->eos};
  return Tokenizer(std::move(state));
}

std::vector<std::int32_t> Tokenizer::encode(std::string_view text, AddSpecial add_special) const {
  const std::string valid = valid_utf8(text);
  std::vector<std::int32_t> ids;
  SplitEffort effort(valid.size());
  if (add_special == AddSpecial::kYes) ids = state_->frame.before;
  for (const Stretch& stretch : state_->stretches(valid)) {
    if (stretch.token >= 0)
      ids.push_back(stretch.token);
    else
      state_->encode_raw(stretch.text, effort, ids);
  }
  if (add_special == AddSpecial::kYes)
    ids.insert(ids.end(), state_->frame.behind.begin(), state_->frame.behind.end());
  return ids;
}

std::string Tokenizer::decode(std::span<const std::int32_t> ids) const {
  std::string text;
  for (const std::int32_t id : ids) {
    if (id < 0 || static_cast<std::size_t>(id) >= state_->tokens.size())
      throw Error(ErrorKind::kInvalidInput, fmt::format("there is no token {}", id));
    const auto index = static_cast<std::size_t>(id);
    text += state_->is_added[index] ? state_->tokens[index] : unspell_bytes(state_->tokens[index]);
  }
  return text;
}

std::size_t Tokenizer::size() const {
  return state_->tokens.size();
}
std::optional<std::int32_t> Tokenizer::bos() const {
  return state_->bos;
}
std::optional<std::int32_t> Tokenizer::eos() const {
  return state_->eos;
}
bool Tokenizer::adds_bos() const {
  return state_->bos && !state_->frame.before.empty() &&
         state_->frame.before.front() == *state_->bos;
}

Tokenizer load_tokenizer(FileSystem& file_system, const fs::path& path) {
  const auto stat = file_system.stat(path);
  if (stat && stat->kind == FileStat::Kind::kDirectory) {
    const auto json = formats::read_tokenizer_json(file_system, path);
    return with_context((path / "tokenizer.json").string(), [&] {
      return Tokenizer::from_json(json, formats::read_tokenizer_config(file_system, path));
    });
  }
  const auto gguf = formats::GgufReader::open(file_system, path);
  return with_context(path.string(), [&] { return Tokenizer::from_gguf(gguf.metadata()); });
}

}  // namespace qbuild::models
