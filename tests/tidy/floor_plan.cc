#include "tests/tidy/floor_plan.h"

#include <algorithm>
#include <map>
#include <sstream>

namespace qbuild::tidy {
namespace {

using Plan = std::map<std::string, std::set<std::string>, std::less<>>;

const Plan& plan() {
  static const std::set<std::string> kAllButTheRoof{"base",      "formats", "kernels", "manifests",
                                                    "templates", "cache",   "hub",     "engine",
                                                    "models",    "rules"};
  static const Plan kPlan{
      {"base", {}},
      {"net", {"base"}},
      {"formats", {"base"}},
      {"kernels", {"base"}},
      {"manifests", {"base"}},
      {"templates", {"base"}},
      {"cache", {"base", "net"}},
      {"hub", {"base", "net"}},
      {"engine", {"base", "cache"}},
      {"models", {"base", "formats", "kernels"}},
      {"rules",
       {"base", "formats", "kernels", "manifests", "templates", "cache", "hub", "engine",
        "models"}},
      {"cli", kAllButTheRoof},
      {"serve", kAllButTheRoof},
      {"examples", {"base", "kernels"}},
  };
  return kPlan;
}

// What the whole program's tests see: everything.
bool is_about_the_whole(std::string_view tests_folder) {
  return tests_folder == "e2e" || tests_folder == "faults" || tests_folder == "bench" ||
         tests_folder == "fuzz" || tests_folder == "tidy";
}

// The quoted path of an include directive; empty if the line is none.
std::string_view quoted_include(std::string_view line) {
  constexpr std::string_view kDirective = "#include \"";
  const std::size_t start = line.find_first_not_of(" \t");
  if (start == std::string_view::npos || !line.substr(start).starts_with(kDirective)) return {};
  line.remove_prefix(start + kDirective.size());
  return line.substr(0, line.find('"'));
}

// "engine" of "engine/x.h" and of "tests/engine/x_test.cc": both are bound by the same arrows.
std::string room_of(std::string_view path) {
  constexpr std::string_view kTests = "tests/";
  if (path.starts_with(kTests)) path.remove_prefix(kTests.size());
  return top_folder_of(path);
}

std::string complaint(const std::string& path, const std::string& from, std::string_view include) {
  if (include.find('/') == std::string_view::npos) {
    return "\"" + std::string(include) + "\" is not written from the root";
  }
  const bool from_tests = path.starts_with("tests/");
  if (from_tests && is_about_the_whole(from)) return "";
  const std::string to = room_of(include);
  if (include.starts_with("tests/") && !from_tests) return from + " must not know its tests";
  if (!plan().contains(from)) return "the folder " + from + " is not on the drawing";
  if (!plan().contains(to)) return "\"" + std::string(include) + "\" is of no room of the house";
  if (to == from || rooms_below(from).contains(to)) return "";
  return from + " must not know " + to + " (\"" + std::string(include) + "\")";
}

// The words after USES in a call of qbuild_room, up to the next keyword.
std::vector<std::string> used_rooms(const std::string& text) {
  std::vector<std::string> used;
  const std::size_t call = text.find("qbuild_room(");
  if (call == std::string::npos) return used;
  std::string arguments = text.substr(call, text.find(')', call) - call);
  std::istringstream words(arguments);
  bool in_uses = false;
  for (std::string word; words >> word;) {
    const bool keyword =
        std::all_of(word.begin(), word.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
    if (keyword) {
      in_uses = word == "USES";
    } else if (in_uses) {
      used.push_back(word);
    }
  }
  return used;
}

}  // namespace

const std::vector<std::string>& rooms() {
  static const std::vector<std::string> kRooms{
      "base", "net",    "formats", "kernels", "manifests", "templates", "cache",
      "hub",  "engine", "models",  "rules",   "cli",       "serve"};
  return kRooms;
}

const std::set<std::string>& rooms_below(std::string_view room) {
  return plan().find(room)->second;
}

Findings find_wrong_includes(const SourceTree& tree) {
  Findings findings;
  for (const auto& [path, text] : tree) {
    if (!ends_with_any(path, {".cc", ".h"})) continue;
    const std::string from = room_of(path);
    int number = 0;
    for (const std::string_view line : lines_of(text)) {
      ++number;
      const std::string_view include = quoted_include(line);
      if (include.empty()) continue;
      const std::string what = complaint(path, from, include);
      if (!what.empty()) findings.push_back(path + ":" + std::to_string(number) + ": " + what);
    }
  }
  return findings;
}

Findings find_wrong_uses(const SourceTree& tree) {
  Findings findings;
  for (const std::string& room : rooms()) {
    const std::string path = room + "/CMakeLists.txt";
    const auto file = tree.find(path);
    if (file == tree.end()) continue;
    for (const std::string& used : used_rooms(file->second)) {
      if (!rooms_below(room).contains(used)) {
        findings.push_back(path + ": " + room + " must not use " + used);
      }
    }
  }
  return findings;
}

}  // namespace qbuild::tidy
