#pragma once
// What is wrong with a manifest, and where. All of a manifest's errors are collected and told at
// once.

#include <cstdint>
#include <filesystem>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "manifests/place.h"

namespace qbuild::manifests {

struct Diagnostic {
  std::string file;          // as the user named it: "qbuild.yaml", "../common.yaml"
  std::uint32_t line = 0;    // from 1; 0: the file as a whole
  std::uint32_t column = 0;  // in characters, from 1
  std::string message;
  bool operator==(const Diagnostic&) const = default;
};

// "qbuild.yaml:14:12: unknown quant ...", or "qbuild.yaml: ..." for the file as a whole.
[[nodiscard]] std::string format(const Diagnostic& diagnostic);
// One per line, no newline at the end.
[[nodiscard]] std::string format(std::span<const Diagnostic> diagnostics);

// A file of the manifest: the ones that were named and everything they include.
struct ManifestFile {
  std::filesystem::path path;  // absolute, normalized
  std::string name;            // for messages
};

// Collects while a manifest is loaded. Messages reach logs and terminals of others, whoever wrote
// what they repeat: anything that looks like a token is blotted out, control characters are spelled
// out, and a long message is cut.
class Diagnostics {
 public:
  // Returns the index that places use.
  std::uint32_t add_file(ManifestFile file);
  [[nodiscard]] const std::vector<ManifestFile>& files() const { return files_; }

  void add(const Place& at, std::string_view message);
  [[nodiscard]] bool empty() const { return found_.empty(); }
  // So many, told once or again and again, that looking for more is not worth the time.
  [[nodiscard]] bool is_full() const { return added_ >= kMaxAdded; }
  // "qbuild.yaml:3:5", to name another place in a message.
  [[nodiscard]] std::string place_text(const Place& at) const;
  // Sorted by file, line and column; what was found twice is told once. After kMaxTold only how
  // many more there are.
  [[nodiscard]] std::vector<Diagnostic> sorted() const;

  // Nobody reads more; and a hostile file does not fill the terminal.
  static constexpr std::size_t kMaxTold = 200;
  static constexpr std::size_t kMaxMessageBytes = 2000;
  // What is found beyond it is not kept.
  static constexpr std::size_t kMaxAdded = 1000;

 private:
  std::vector<ManifestFile> files_;
  // Defaults are read once for every model: equal findings at one place are one finding.
  std::set<std::pair<Place, std::string>> found_;
  std::size_t added_ = 0;
};

// Whether a failure of the disk belongs to the path that a manifest names (a loop of links, a
// folder that may not be entered), so that a diagnostic with its place says more; else it belongs
// to the machine.
[[nodiscard]] bool is_about_the_path(const Error& error);

// True if something in the text looks like a token of the Hub: "hf_" and at least 20 letters or
// digits.
[[nodiscard]] bool looks_like_token(std::string_view text);

}  // namespace qbuild::manifests
