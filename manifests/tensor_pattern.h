#pragma once
// Regular expressions for names of tensors, as `match` of a rule gives them: ECMAScript without
// back-references, searched in the name.
//
// An expression comes from a manifest and meets names from a file. So matching never goes back over
// what it has tried (its time grows with expression times name, not exponentially), and what
// compiling one costs is estimated before it is done: `(a{99}){99}` or two hundred `[...]` are
// short, and slow to compile.

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace qbuild::manifests {

// A longer expression is no list of tensor names, and compiling one is recursive.
inline constexpr std::size_t kMaxPatternBytes = 512;
// Of one expression, and of all different ones of a load. A character costs 1, a class such as
// [0-9] or \w 256, because a table of so many entries is made for it; what {2,5} repeats counts 5
// times.
inline constexpr std::size_t kMaxPatternCost = 50000;
inline constexpr std::size_t kMaxAllPatternsCost = 2000000;

class TensorPattern {
 public:
  // Throws Error (kInvalidInput), `"(x" is no regular expression ...`.
  explicit TensorPattern(const std::string& expression);
  ~TensorPattern();
  TensorPattern(TensorPattern&&) noexcept;
  TensorPattern& operator=(TensorPattern&&) noexcept;

  [[nodiscard]] bool is_in(std::string_view name) const;

 private:
  struct Compiled;
  std::unique_ptr<const Compiled> compiled_;
};

// Judges the expressions of a load: each is looked at once, however many models have it, and all
// together are bounded.
class TensorPatternChecks {
 public:
  // What is wrong, as the end of a sentence that begins with the expression, or nothing.
  [[nodiscard]] std::optional<std::string> problem(const std::string& expression);
  // True once a problem was that: there is no sense in going on.
  [[nodiscard]] bool are_too_many() const { return cost_ > kMaxAllPatternsCost; }

 private:
  std::unordered_map<std::string, std::optional<std::string>> known_;
  std::size_t cost_ = 0;
};

}  // namespace qbuild::manifests
