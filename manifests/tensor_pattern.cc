#include "manifests/tensor_pattern.h"

#include <fmt/core.h>

#include <algorithm>
#include <regex>

#include "base/error.h"
#include "manifests/yaml_node.h"

namespace qbuild::manifests {
namespace {

constexpr std::size_t kClassCost = 256;
constexpr std::string_view kClassLetters = "dDwWsS";

// The larger number of "{2,5}" that begins at `at`; 1 if nothing there is a repetition. Numbers
// beyond all bounds stop at the bound.
std::size_t repetitions(std::string_view expression, std::size_t at) {
  std::size_t most = 1;
  std::size_t number = 0;
  for (std::size_t i = at + 1; i < expression.size(); ++i) {
    const char c = expression[i];
    if (c >= '0' && c <= '9')
      number = std::min(kMaxPatternCost, number * 10 + static_cast<std::size_t>(c - '0'));
    else if (c == ',')
      number = 0;
    most = std::max(most, number);
    if (c == '}') return most;
  }
  return 1;
}

// Never too small: repetitions are taken to stand around everything.
std::size_t cost_of(std::string_view expression) {
  std::size_t cost = expression.size();
  std::size_t factor = 1;
  for (std::size_t i = 0; i < expression.size(); ++i) {
    const std::string_view two = expression.substr(i, 2);
    const bool is_escape = two.size() == 2 && two[0] == '\\';
    if (two[0] == '[' || (is_escape && kClassLetters.find(two[1]) != std::string_view::npos))
      cost += kClassCost;
    else if (two[0] == '{')
      factor = std::min(kMaxPatternCost, factor * repetitions(expression, i));
    if (is_escape) ++i;
  }
  return cost * factor;
}

// The library's own name for an executor that does not go back; it refuses back-references.
constexpr auto kFlags = std::regex::ECMAScript | std::regex_constants::__polynomial;

std::optional<std::string> too_large(const std::string& expression) {
  if (expression.size() > kMaxPatternBytes || cost_of(expression) > kMaxPatternCost)
    return fmt::format(
        "is too large a regular expression: at most {} bytes, and {} parts with "
        "its repetitions; take several rules",
        kMaxPatternBytes, kMaxPatternCost);
  return std::nullopt;
}

// Nothing if `regex` now holds the expression.
std::optional<std::string> compile(const std::string& expression, std::regex& regex) {
  if (auto problem = too_large(expression)) return problem;
  try {
    regex.assign(expression, kFlags);
    return std::nullopt;
  } catch (const std::regex_error&) {
    return "is no regular expression (ECMAScript without back-references)";
  }
}

}  // namespace

struct TensorPattern::Compiled {
  std::regex regex;
};

TensorPattern::TensorPattern(const std::string& expression) {
  Compiled compiled;
  if (const auto problem = compile(expression, compiled.regex))
    throw Error(ErrorKind::kInvalidInput, fmt::format("{} {}", quote(expression), *problem));
  compiled_ = std::make_unique<const Compiled>(std::move(compiled));
}

TensorPattern::~TensorPattern() = default;
TensorPattern::TensorPattern(TensorPattern&&) noexcept = default;
TensorPattern& TensorPattern::operator=(TensorPattern&&) noexcept = default;

bool TensorPattern::is_in(std::string_view name) const {
  return std::regex_search(name.begin(), name.end(), compiled_->regex);
}

std::optional<std::string> TensorPatternChecks::problem(const std::string& expression) {
  if (const auto known = known_.find(expression); known != known_.end()) return known->second;
  if (auto problem = too_large(expression)) return problem;
  if (cost_ += cost_of(expression); cost_ > kMaxAllPatternsCost)
    return "is one regular expression too many for one load; take several manifests";
  std::regex regex;
  return known_.emplace(expression, compile(expression, regex)).first->second;
}

}  // namespace qbuild::manifests
