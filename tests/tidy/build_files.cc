#include "tests/tidy/build_files.h"

#include <algorithm>
#include <regex>

#include "tests/tidy/floor_plan.h"

namespace qbuild::tidy {
namespace {

bool is_room(const std::string& folder) {
  return std::find(rooms().begin(), rooms().end(), folder) != rooms().end();
}

bool names_file(const std::string& build_file, const std::string& relative_path) {
  // Whole words: "plan.cc" is not named by "floor_plan.cc".
  std::string escaped;
  for (const char c : relative_path) {
    if (c == '.' || c == '+') escaped.push_back('\\');
    escaped.push_back(c);
  }
  return std::regex_search(build_file, std::regex("(^|[\\s(\"/])" + escaped + "($|[\\s)\"])"));
}

bool is_named(const SourceTree& tree, const std::string& path) {
  for (std::string folder = folder_of(path);; folder = folder_of(folder)) {
    const std::string prefix = folder.empty() ? "" : folder + "/";
    const auto build_file = tree.find(prefix + "CMakeLists.txt");
    if (build_file != tree.end() && names_file(build_file->second, path.substr(prefix.size()))) {
      return true;
    }
    if (folder.empty()) return false;
  }
}

std::string test_of(const std::string& source) {
  return "tests/" + source.substr(0, source.size() - std::string_view(".cc").size()) + "_test.cc";
}

}  // namespace

Findings find_unbuilt_files(const SourceTree& tree) {
  Findings findings;
  for (const auto& [path, text] : tree) {
    if (path.ends_with(".cc") && !is_named(tree, path)) {
      findings.push_back(path + ": no CMakeLists.txt names it");
    }
  }
  return findings;
}

Findings find_untested_sources(const SourceTree& tree, const Exemptions& exemptions) {
  Findings findings;
  for (const auto& [path, text] : tree) {
    if (!path.ends_with(".cc") || !is_room(top_folder_of(path))) continue;
    if (!tree.contains(test_of(path)) && !exemptions.contains(path)) {
      findings.push_back(path + ": there is no " + test_of(path));
    }
  }
  for (const auto& [path, reason] : exemptions) {
    if (!tree.contains(path)) findings.push_back(path + ": exempt from tests, but not there");
    if (tree.contains(test_of(path))) findings.push_back(path + ": exempt from tests, but has one");
  }
  return findings;
}

}  // namespace qbuild::tidy
