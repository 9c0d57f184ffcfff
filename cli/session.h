#pragma once
// What every command works with: the real seams, the folders, the machine. Made once, from the
// options.

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/file_system.h"
#include "base/machine.h"
#include "base/subprocess.h"
#include "cache/index.h"
#include "cache/store.h"
#include "cli/options.h"
#include "engine/builder.h"
#include "engine/state_file.h"
#include "manifests/manifest.h"
#include "rules/lower.h"

namespace qbuild::cli {

class Session {
 public:
  // Goes to the folder of -C. Touches nothing else.
  explicit Session(Options options);

  [[nodiscard]] const Options& options() const { return options_; }
  [[nodiscard]] FileSystem& files() { return *files_; }
  [[nodiscard]] Clock& clock() { return *clock_; }
  [[nodiscard]] const Machine& machine() const { return machine_; }
  [[nodiscard]] unsigned threads() const { return threads_; }
  [[nodiscard]] const fs::path& project() const {
    return project_;
  }  // the manifest's folder, absolute
  [[nodiscard]] const fs::path& out() const { return out_; }
  [[nodiscard]] const std::vector<fs::path>& manifest_paths() const { return manifests_; }
  [[nodiscard]] const engine::RuleSet& rules() const { return rules_; }

  // Identifies this request among those whose outcome the state file remembers.
  [[nodiscard]] std::string fingerprint() const;
  [[nodiscard]] engine::StateFile& state();

  // Loads the manifest and makes the graph; sources are hashed through the stat table. Throws Error
  // (kInvalidInput) with all that is wrong.
  [[nodiscard]] const rules::Lowered& lowered();
  [[nodiscard]] const manifests::Manifest& manifest();
  // Its files, looked at before they were read. Of a loaded manifest.
  [[nodiscard]] const std::vector<engine::Witness>& manifest_witnesses() const {
    return manifest_witnesses_;
  }

  [[nodiscard]] cache::Store& store();
  [[nodiscard]] engine::StatTable& stats();
  [[nodiscard]] engine::Builder& builder();
  // Before anything is built: hours later it would be a pity. Throws Error (kInvalidInput) if what
  // stands in the place of the folder of results is none.
  void require_out();
  // What the index or a damaged file had to say, a line each.
  [[nodiscard]] std::vector<std::string> warnings() const;

 private:
  [[nodiscard]] fs::path store_root() const;
  [[nodiscard]] cache::Index& index();

  Options options_;
  std::unique_ptr<FileSystem> files_;
  std::unique_ptr<Clock> clock_;
  std::unique_ptr<ProcessRunner> processes_;
  Machine machine_;
  unsigned threads_ = 1;
  std::vector<fs::path> manifests_;
  fs::path project_;
  fs::path out_;
  engine::RuleSet rules_;
  std::optional<engine::StateFile> state_;
  std::optional<engine::StatTable> stats_;
  std::optional<cache::Store> store_;
  std::optional<cache::Index> index_;
  std::vector<std::string> warnings_;
  std::optional<manifests::Manifest> manifest_;
  std::vector<engine::Witness> manifest_witnesses_;
  std::optional<rules::Lowered> lowered_;
  std::optional<engine::Builder> builder_;
};

}  // namespace qbuild::cli
