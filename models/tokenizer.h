#pragma once
// Byte-level BPE as tokenizer.json describes it, or as a GGUF carries it: added tokens, normal
// form, words, merges, and what is put around a text.

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/file_system.h"
#include "formats/gguf.h"
#include "formats/tokenizer_json.h"

namespace qbuild::models {

enum class AddSpecial : bool { kNo, kYes };

class Tokenizer {
 public:
  // Throws Error: kUnsupported for kinds of normalizer, pre-tokenizer or post-processor that
  // nothing here runs, kInvalidInput for merges that name no tokens, kExhausted for more of
  // anything than is read.
  [[nodiscard]] static Tokenizer from_json(const formats::TokenizerJson& json,
                                           const formats::TokenizerConfig& config);
  [[nodiscard]] static Tokenizer from_gguf(const formats::GgufMetadata& metadata);
  ~Tokenizer();
  Tokenizer(Tokenizer&&) noexcept;
  Tokenizer& operator=(Tokenizer&&) noexcept;

  // Added tokens that stand in the text become themselves. Bytes that are no UTF-8 become U+FFFD
  // first. Any thread.
  [[nodiscard]] std::vector<std::int32_t> encode(std::string_view text,
                                                 AddSpecial add_special) const;
  // The text; added tokens as they are spelled. Ids beyond the vocabulary are kInvalidInput.
  [[nodiscard]] std::string decode(std::span<const std::int32_t> ids) const;

  [[nodiscard]] std::size_t size() const;
  [[nodiscard]] std::optional<std::int32_t> bos() const;
  [[nodiscard]] std::optional<std::int32_t> eos() const;
  // Whether a text begins with bos when special tokens are added.
  [[nodiscard]] bool adds_bos() const;

 private:
  struct State;
  explicit Tokenizer(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// Of a checkpoint folder or a GGUF file.
[[nodiscard]] Tokenizer load_tokenizer(FileSystem& file_system, const fs::path& path);

}  // namespace qbuild::models
