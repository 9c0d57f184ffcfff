#pragma once
// The project's own text files in memory: what the rules of the tree are checked on, and what their
// tests make up.

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace qbuild::tidy {

// Path from the root ("base/error.h") to text, sorted.
using SourceTree = std::map<std::string, std::string>;

// Sentences that begin with a place: "base/x.h:3: ...". Empty is good.
using Findings = std::vector<std::string>;

// All sources, build files, scripts and documents below `root`; what a build, a run or git made is
// left out.
[[nodiscard]] SourceTree load_source_tree(const std::filesystem::path& root);

[[nodiscard]] std::vector<std::string_view> lines_of(std::string_view text);

// "engine" of "engine/plan.h", "tests/engine" of "tests/engine/plan_test.cc", "" of "dev".
[[nodiscard]] std::string folder_of(std::string_view path);
// "engine" of "engine/plan.h" and of "engine/parts/plan.h".
[[nodiscard]] std::string top_folder_of(std::string_view path);
// "plan.cc" of "engine/plan.cc".
[[nodiscard]] std::string file_name_of(std::string_view path);
[[nodiscard]] bool ends_with_any(std::string_view path,
                                 const std::vector<std::string_view>& endings);

}  // namespace qbuild::tidy
