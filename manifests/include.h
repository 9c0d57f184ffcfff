#pragma once
// Files and what they include, as one tree per named file.

#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/file_system.h"
#include "manifests/diagnostic.h"
#include "manifests/yaml_node.h"

namespace qbuild::manifests {

// `over` laid on `under`: mappings merge, everything else of `over` replaces. Members of `under`
// come first.
[[nodiscard]] YamlNode overlay(YamlNode under, YamlNode over);

class IncludeReader {
 public:
  //   before_read  may be empty; else told of each path before it is read
  IncludeReader(FileSystem& files, Diagnostics& diagnostics,
                std::function<void(const fs::path&)> before_read = {})
      : files_(files), diagnostics_(diagnostics), before_read_(std::move(before_read)) {}

  // The file with its includes laid under it and the key `include` gone. Each file is read once and
  // checked by itself (shape.h), so that its errors are told even where another file replaces what
  // is wrong. Null pointer if there is no usable tree; then diagnostics say why. The tree lives as
  // long as the reader.
  [[nodiscard]] const YamlNode* read(const fs::path& path);

 private:
  struct Read {
    std::uint32_t file = 0;
    std::optional<YamlNode> merged;
    bool is_open = true;  // its includes are being read

    [[nodiscard]] const YamlNode* tree() const { return merged ? &*merged : nullptr; }
  };

  //   asked_by  the place of the include; null pointer for a file named by the user
  const YamlNode* read_file_at(const fs::path& path, const std::string& name,
                               const Place* asked_by);
  std::optional<std::string> read_text(const fs::path& absolute, const Place& complain_at);
  YamlNode with_includes(YamlNode root, const std::string& name);
  //   folder  of the file that includes
  const YamlNode* read_below(const fs::path& folder, const YamlNode& include);
  // Says so once, and nothing more is included.
  void stop(const Place& at, std::string_view message);
  [[nodiscard]] std::string cycle_text(std::uint32_t repeated) const;

  FileSystem& files_;
  Diagnostics& diagnostics_;
  std::function<void(const fs::path&)> before_read_;
  std::map<fs::path, Read> read_;    // by absolute path
  std::vector<std::uint32_t> open_;  // files whose includes are being read, outermost first
  std::size_t includes_ = 0;
  std::uint64_t bytes_ = 0;  // of all texts
  bool is_over_ = false;     // a bound is reached
  TreeSize size_;            // of all trees, and of the copies that are laid over each other
};

}  // namespace qbuild::manifests
