#pragma once
// A witness: one path whose stat, as long as it stays the same, says that nothing changed there.

#include <optional>

#include "base/file_system.h"

namespace qbuild::engine {

struct Witness {
  enum class What : std::uint8_t {
    kFile,     // a file or folder of the user: everything in its stat counts
    kContent,  // a file of the store or an export: links to it come and go, which changes its ctime
               // and mode
  };
  What what = What::kFile;
  fs::path path{};
  std::optional<FileStat> stat{};  // nothing: it was not there, and must not be
  // False: an edit could have left the stat as it is (see engine/stat_table.h); no snapshot is made
  // of it.
  bool settled = true;
  bool operator==(const Witness&) const = default;
};

// As it is now. One stat; throws what stat throws.
[[nodiscard]] Witness observe(FileSystem& files, Witness::What what, fs::path path);
// Whether `now` says the same as the witness.
[[nodiscard]] bool agrees(const Witness& witness, const std::optional<FileStat>& now);
[[nodiscard]] bool agrees(Witness::What what, const std::optional<FileStat>& before,
                          const std::optional<FileStat>& now);

}  // namespace qbuild::engine
