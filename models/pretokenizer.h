#pragma once
// Cuts text into words by patterns, one after the other. PCRE2 stays behind pretokenizer.cc.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace qbuild::models {

// What a text may take of patterns that are not known.
class SplitEffort {
 public:
  explicit SplitEffort(std::size_t text_bytes);
  // False, and nothing is spent, if less is left.
  [[nodiscard]] bool spend(std::uint64_t effort);

 private:
  std::uint64_t left_;
};

class Pretokenizer {
 public:
  // patterns: PCRE syntax with Unicode properties; each cuts every piece into its matches and the
  // stretches between them. Throws Error (kInvalidInput) with the place of the first mistake.
  explicit Pretokenizer(const std::vector<std::string>& patterns);
  ~Pretokenizer();
  Pretokenizer(Pretokenizer&&) noexcept;
  Pretokenizer& operator=(Pretokenizer&&) noexcept;

  // Pieces of `text` in order; together they are `text`. Valid UTF-8 only (see models/unicode.h).
  // Throws Error: kExhausted if a pattern takes more than a bounded effort on it, which for one
  // that formats/splitters.h does not know grows with the text and no faster; kUnsupported if its
  // matches overlap. Any thread.
  [[nodiscard]] std::vector<std::string_view> split(std::string_view text) const;
  // The same of a part of a text, whose parts share what the text may take.
  [[nodiscard]] std::vector<std::string_view> split(std::string_view part,
                                                    SplitEffort& effort) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace qbuild::models
