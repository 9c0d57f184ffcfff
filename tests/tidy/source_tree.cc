#include "tests/tidy/source_tree.h"

#include <algorithm>
#include <fstream>
#include <sstream>

namespace qbuild::tidy {
namespace {

namespace fs = std::filesystem;

// Made by builds and runs, or (the models' folder) other people's long texts.
bool is_left_out(const fs::path& name, const fs::path& relative) {
  return name == ".git" || name == "build" || name == "out" || name == "hub-out" ||
         name == ".qbuild" || name == "__pycache__" || relative == fs::path("examples/models");
}

bool is_text_of_ours(const fs::path& path) {
  const std::string name = path.filename().string();
  return name == "CMakeLists.txt" || name == "dev" || name == "run" ||
         ends_with_any(name, {".cc", ".h", ".cmake", ".py", ".sh", ".md", ".json", ".yaml", ".in"});
}

std::string read_text(const fs::path& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

}  // namespace

SourceTree load_source_tree(const fs::path& root) {
  SourceTree tree;
  for (fs::recursive_directory_iterator entry(root), end; entry != end; ++entry) {
    const fs::path relative = entry->path().lexically_relative(root);
    if (entry->is_directory()) {
      if (is_left_out(entry->path().filename(), relative)) entry.disable_recursion_pending();
    } else if (entry->is_regular_file() && is_text_of_ours(relative)) {
      tree[relative.generic_string()] = read_text(entry->path());
    }
  }
  return tree;
}

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    lines.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

std::string folder_of(std::string_view path) {
  return fs::path(path).parent_path().string();
}

std::string top_folder_of(std::string_view path) {
  const std::size_t slash = path.find('/');
  return std::string(slash == std::string_view::npos ? "" : path.substr(0, slash));
}

std::string file_name_of(std::string_view path) {
  return fs::path(path).filename().string();
}

bool ends_with_any(std::string_view path, const std::vector<std::string_view>& endings) {
  return std::any_of(endings.begin(), endings.end(),
                     [path](std::string_view ending) { return path.ends_with(ending); });
}

}  // namespace qbuild::tidy
