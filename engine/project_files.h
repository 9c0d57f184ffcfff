#pragma once
// Where things are in .qbuild/, the folder beside the manifest. All of it may be deleted; then
// history, logs and explanations are gone and project records (publish) are made again.
//
//   state               engine/state_file.h
//   journal.jsonl       engine/journal.h
//   logs/NAME.log       output of a target's last run
//   logs/worker-N.log   what workers wrote to stderr
//   last/HASH.json      engine/last_run.h
//   records/HASH        cache/record.h, of actions with an effect on the world

#include <string>
#include <string_view>

#include "base/file_system.h"

namespace qbuild::engine {

struct ProjectFiles {
  fs::path root;  // the folder .qbuild itself

  [[nodiscard]] static ProjectFiles of(const fs::path& project_folder) {
    return {project_folder / ".qbuild"};
  }

  [[nodiscard]] fs::path state() const { return root / "state"; }
  [[nodiscard]] fs::path journal() const { return root / "journal.jsonl"; }
  // Readable, and still unique: characters that file systems dislike are replaced, a digest
  // follows.
  [[nodiscard]] fs::path log(std::string_view target) const;
  [[nodiscard]] fs::path worker_log(unsigned number) const;
  [[nodiscard]] fs::path last_folder() const { return root / "last"; }
  [[nodiscard]] fs::path last(std::string_view target) const;
  [[nodiscard]] fs::path record(std::string_view target) const;
};

}  // namespace qbuild::engine
