#include "manifests/variables.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>

#include "manifests/limits.h"
#include "manifests/quant_names.h"

namespace qbuild::manifests {
namespace {

struct Builtin {
  std::string_view name;
  Variables variable;
  std::string VariableValues::*value;  // null pointer: replaced later, by whoever uses the text
};

constexpr std::array<Builtin, 6> kBuiltins{{
    {"model", kModelName, &VariableValues::model},
    {"variant", kVariantName, &VariableValues::variant},
    {"source.name", kSourceName, &VariableValues::source_name},
    {"date", kDate, nullptr},
    {"source", kRunPaths, nullptr},
    {"out", kRunPaths, nullptr},
}};

bool is_name_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '.';
}

class Expansion {
 public:
  Expansion(Variables allowed, const VariableValues& values) : allowed_(allowed), values_(values) {}

  // False: see problem().
  bool run(std::string_view text) {
    for (std::size_t at = 0; at < text.size();) {
      const char c = text[at];
      if (c != '{' && c != '}') {
        out_ += c;
        ++at;
      } else if (at + 1 < text.size() && text[at + 1] == c) {
        out_ += c;
        at += 2;
      } else if (c == '}' || !variable(text, at)) {
        if (problem_.empty())
          problem_ =
              fmt::format("a single {0} in {1}; write {0}{0} for the character", c, quote(text));
        return false;
      }
      if (out_.size() > kMaxTextBytes) {
        problem_ = fmt::format("with its variables replaced the text is longer than {} bytes",
                               kMaxTextBytes);
        return false;
      }
    }
    return braces_are_clear();
  }

  [[nodiscard]] const std::string& problem() const { return problem_; }
  [[nodiscard]] std::string take() { return std::move(out_); }

 private:
  // Reads "{name}" at `at` and moves behind it.
  bool variable(std::string_view text, std::size_t& at) {
    std::size_t end = at + 1;
    while (end < text.size() && is_name_character(text[end])) ++end;
    if (end == at + 1 || end == text.size() || text[end] != '}') return false;
    const std::string_view name = text.substr(at + 1, end - at - 1);
    if (!replace(name)) return false;
    at = end + 1;
    return true;
  }

  bool replace(std::string_view name) {
    for (const MatrixValue& entry : values_.matrix) {
      if (entry.variable == name && (allowed_ & kMatrixVariables) != 0) {
        out_ += entry.value;
        return true;
      }
    }
    std::vector<std::string_view> known;
    for (const MatrixValue& entry : values_.matrix)
      if ((allowed_ & kMatrixVariables) != 0) known.push_back(entry.variable);
    for (const Builtin& builtin : kBuiltins) {
      if ((allowed_ & builtin.variable) == 0) continue;
      known.push_back(builtin.name);
      if (builtin.name != name) continue;
      if (builtin.value != nullptr) {
        out_ += values_.*builtin.value;
      } else {
        out_ += fmt::format("{{{}}}", name);
        ++kept_;
      }
      return true;
    }
    problem_ = is_builtin_variable(name)
                   ? fmt::format("the variable {{{}}} cannot be used here", name)
                   : unknown_word("variable", name, known);
    return false;
  }

  // "{{date}}" would become "{date}" now, and the date later.
  bool braces_are_clear() {
    std::size_t seen = 0;
    for (const Builtin& builtin : kBuiltins) {
      if (builtin.value != nullptr || (allowed_ & builtin.variable) == 0) continue;
      const std::string spelled = fmt::format("{{{}}}", builtin.name);
      for (std::size_t at = out_.find(spelled); at != std::string::npos;
           at = out_.find(spelled, at + 1))
        ++seen;
    }
    if (seen == kept_) return true;
    problem_ = "braces around the name of a variable cannot be written here, not even doubled";
    return false;
  }

  Variables allowed_;
  const VariableValues& values_;
  std::string out_;
  std::string problem_;
  std::size_t kept_ = 0;
};

}  // namespace

std::optional<std::string> expand(const YamlNode& text, Variables allowed,
                                  const VariableValues& values, Diagnostics& diagnostics) {
  if (allowed == 0) return text.text;
  Expansion expansion(allowed, values);
  if (!expansion.run(text.text)) {
    diagnostics.add(text.at, expansion.problem());
    return std::nullopt;
  }
  return expansion.take();
}

std::optional<std::string> name_problem(std::string_view name) {
  if (name.empty()) return "it is empty";
  if (name.size() > kMaxNameBytes)
    return fmt::format("it is longer than {} characters", kMaxNameBytes);
  if (name.front() == '.' || name.front() == '-')
    return fmt::format("it begins with \"{}\"", name.front());
  const bool is_plain = std::all_of(name.begin(), name.end(),
                                    [](char c) { return is_name_character(c) || c == '-'; });
  if (!is_plain) return R"(it may have letters, digits, ".", "_" and "-" only)";
  return std::nullopt;
}

std::optional<std::string> path_problem(std::string_view path) {
  if (path.size() > kMaxPathBytes) return fmt::format("a path has at most {} bytes", kMaxPathBytes);
  std::size_t parts = 0;
  while (!path.empty()) {
    const std::size_t end = std::min(path.find('/'), path.size());
    if (end > kMaxPathPartBytes)
      return fmt::format("a name in a path has at most {} bytes", kMaxPathPartBytes);
    if (++parts > kMaxPathParts) return fmt::format("a path has at most {} parts", kMaxPathParts);
    path.remove_prefix(std::min(end + 1, path.size()));
  }
  return std::nullopt;
}

bool is_builtin_variable(std::string_view name) {
  return std::any_of(kBuiltins.begin(), kBuiltins.end(),
                     [&](const Builtin& builtin) { return builtin.name == name; });
}

std::string folded(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

}  // namespace qbuild::manifests
