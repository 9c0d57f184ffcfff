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
[[nodiscard]] YamlNode overlay(YamlNode under, const YamlNode& over);

class IncludeReader {
 public:
  //   before_read  may be empty; else told of each path before it is read
  IncludeReader(FileSystem& files, Diagnostics& diagnostics,
                std::function<void(const fs::path&)> before_read = {})
      : files_(files), diagnostics_(diagnostics), before_read_(std::move(before_read)) {}

  // The file with its includes laid under it and the key `include` gone. Each file is read once and
  // checked by itself (shape.h), so that its errors are told even where another file replaces what
  // is wrong. Nothing if there is no usable tree; then diagnostics say why.
  [[nodiscard]] std::optional<YamlNode> read(const fs::path& path);

 private:
  struct Read {
    std::uint32_t file = 0;
    std::optional<YamlNode> merged;
    bool is_open = true;  // its includes are being read
  };

  //   asked_by  the place of the include; null pointer for a file named by the user
  std::optional<YamlNode> read_file_at(const fs::path& path, const std::string& name,
                                       const Place* asked_by);
  std::optional<std::string> read_text(const fs::path& absolute, const Place& complain_at);
  YamlNode with_includes(const YamlNode& root, const std::string& name);
  [[nodiscard]] std::string cycle_text(std::uint32_t repeated) const;

  FileSystem& files_;
  Diagnostics& diagnostics_;
  std::function<void(const fs::path&)> before_read_;
  std::map<fs::path, Read> read_;    // by absolute path
  std::vector<std::uint32_t> open_;  // files whose includes are being read, outermost first
  std::size_t includes_ = 0;
};

}  // namespace qbuild::manifests
