#pragma once
// Cuts text into words by patterns, one after the other. PCRE2 stays behind pretokenizer.cc.

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace qbuild::models {

class Pretokenizer {
 public:
  // patterns: PCRE syntax with Unicode properties; each cuts every piece into its matches and the
  // stretches between them. Throws Error (kInvalidInput) with the place of the first mistake.
  explicit Pretokenizer(const std::vector<std::string>& patterns);
  ~Pretokenizer();
  Pretokenizer(Pretokenizer&&) noexcept;
  Pretokenizer& operator=(Pretokenizer&&) noexcept;

  // Pieces of `text` in order; together they are `text`. Valid UTF-8 only (see models/unicode.h).
  // Throws Error (kExhausted) if a pattern takes more than a bounded effort on it. Any thread.
  [[nodiscard]] std::vector<std::string_view> split(std::string_view text) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace qbuild::models
