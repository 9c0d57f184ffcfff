#include "tests/tidy/source_rules.h"

#include <algorithm>
#include <functional>
#include <regex>

#include "tests/tidy/floor_plan.h"

namespace qbuild::tidy {
namespace {

bool is_code(const std::string& path) {
  const std::string name = file_name_of(path);
  return ends_with_any(path, {".cc", ".h", ".py", ".sh", ".cmake"}) || name == "CMakeLists.txt" ||
         name == "dev" || name == "run";
}

// `what` of every line of the chosen files that matches.
Findings find_lines(const SourceTree& tree, const std::regex& pattern, std::string_view what,
                    const std::function<bool(const std::string& path)>& chosen) {
  Findings findings;
  for (const auto& [path, text] : tree) {
    if (!chosen(path)) continue;
    int number = 0;
    for (const std::string_view line : lines_of(text)) {
      ++number;
      if (!std::regex_search(line.begin(), line.end(), pattern)) continue;
      findings.push_back(path + ":" + std::to_string(number) + ": " + std::string(what));
    }
  }
  return findings;
}

}  // namespace

Findings find_long_files(const SourceTree& tree) {
  Findings findings;
  for (const auto& [path, text] : tree) {
    const std::size_t lines = lines_of(text).size();
    if (!is_code(path) || lines <= kMaxLines) continue;
    findings.push_back(path + ": " + std::to_string(lines) + " lines, more than " +
                       std::to_string(kMaxLines));
  }
  return findings;
}

Findings find_naked_reminders(const SourceTree& tree) {
  // In two pieces each, so that this file does not find itself.
  static const std::regex kReminder(
      "\\b(TO"
      "DO|FIX"
      "ME|XX"
      "X)\\b(?!\\(#[0-9]+\\))");
  return find_lines(tree, kReminder, "a reminder that names no issue", is_code);
}

Findings find_home_paths(const SourceTree& tree) {
  static const std::regex kHome("(^|[^A-Za-z0-9_.~/])/(home|Users)/[A-Za-z0-9_.-]+/");
  return find_lines(tree, kHome, "a path into somebody's home folder",
                    [](const std::string& path) { return !path.starts_with("tests/tidy/"); });
}

Findings find_conditional_compilation(const SourceTree& tree) {
  static const std::regex kCondition("^\\s*#\\s*(if|ifdef|ifndef|elif)\\b");
  return find_lines(
      tree, kCondition, "conditional compilation outside base and kernels/processor.cc",
      [](const std::string& path) {
        const std::string top = top_folder_of(path);
        const bool in_room = std::find(rooms().begin(), rooms().end(), top) != rooms().end();
        return in_room && ends_with_any(path, {".cc", ".h"}) && top != "base" &&
               path != "kernels/processor.cc";
      });
}

Findings find_unguarded_headers(const SourceTree& tree) {
  Findings findings;
  for (const auto& [path, text] : tree) {
    if (path.ends_with(".h") && text.find("#pragma once\n") == std::string::npos) {
      findings.push_back(path + ": there is no #pragma once");
    }
  }
  return findings;
}

}  // namespace qbuild::tidy
