#pragma once
// A project in memory, for tests of manifests: /p/qbuild.yaml beside a checkpoint and some texts.

#include <string>
#include <string_view>

#include "base/fake_file_system.h"
#include "manifests/load.h"

namespace qbuild::manifests {

class Project {
 public:
  Project() {
    for (const char* const path :
         {"/p/tiny/config.json", "/p/small/config.json", "/p/text.txt", "/p/other.txt",
          "/p/chat.jinja", "/p/card.md", "/p/shared/text.txt", "/p/shared/big/config.json"})
      files_.put(path, "x");
  }

  void put(const std::string& name, std::string_view text) { files_.put("/p/" + name, text); }
  [[nodiscard]] FakeFileSystem& files() { return files_; }

  [[nodiscard]] LoadResult try_load_files(const std::vector<std::string>& names) {
    std::vector<fs::path> paths;
    for (const std::string& name : names) paths.push_back("/p/" + name);
    LoadResult result = try_load(files_, paths);
    for (Diagnostic& diagnostic : result.diagnostics) diagnostic.file = short_text(diagnostic.file);
    for (Diagnostic& diagnostic : result.diagnostics)
      diagnostic.message = short_text(diagnostic.message);
    return result;
  }
  // Of qbuild.yaml.
  [[nodiscard]] LoadResult try_load_text(std::string_view text) {
    put("qbuild.yaml", text);
    return try_load_files({"qbuild.yaml"});
  }
  // All diagnostics, one per line, without "/p/".
  [[nodiscard]] std::string errors(std::string_view text) {
    return format(std::span<const Diagnostic>(try_load_text(text).diagnostics));
  }
  // The first model of a manifest without errors.
  [[nodiscard]] Model model(std::string_view text) {
    put("qbuild.yaml", text);
    const std::vector<fs::path> paths{"/p/qbuild.yaml"};
    return load(files_, paths).models.at(0);
  }

 private:
  static std::string short_text(std::string text) {
    for (auto at = text.find("/p/"); at != std::string::npos; at = text.find("/p/", at))
      text.erase(at, 3);
    return text;
  }

  FakeFileSystem files_;
};

// A manifest with one model and these further lines in it.
[[nodiscard]] inline std::string with_model(std::string_view lines) {
  return "version: 1\nmodels:\n  a:\n    source: tiny\n" + std::string(lines);
}

}  // namespace qbuild::manifests
