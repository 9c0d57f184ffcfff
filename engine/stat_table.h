#pragma once
// What files contain, without reading them twice: path -> what stat said -> SHA-256. A file whose
// stat is as it was when it was hashed is not hashed again, not even in another process on another
// day.
//
// The one trap is an edit within the same tick of the file system's clock as the hashing: it would
// leave the stat as it was. So a file that is that young is waited for (at most kMaxWaitNs) before
// it is hashed; where that is too short (file systems that count in seconds, clocks that disagree),
// the digest is right but not remembered beyond this process, as git does with its "racily clean"
// entries.

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/digest.h"
#include "base/file_system.h"
#include "engine/witness.h"

namespace qbuild::engine {

// Linux stamps files with the time of the last tick: 10 ms at the slowest setting in use, doubled.
inline constexpr std::int64_t kClockGrainNs = 20'000'000;
// Where both stamps are whole seconds the file system knows no finer ones (FAT counts in twos).
inline constexpr std::int64_t kCoarseGrainNs = 2'000'000'000;
inline constexpr std::int64_t kMaxWaitNs = 50'000'000;

// How long from `now` until an edit of the file must show in its stat: 0 if it does already,
// nothing if that cannot be told (a change time in the future).
[[nodiscard]] std::optional<std::int64_t> ns_until_settled(const FileStat& stat,
                                                           std::int64_t now_unix_ns);

// Sleeps. Tests turn their clock instead.
using WaitFor = std::function<void(std::int64_t ns)>;
[[nodiscard]] WaitFor make_sleep();

// Any thread.
class StatTable {
 public:
  struct Entry {
    FileStat stat;
    Digest sha256;
    // False: the file was too young when it was hashed; the entry does not leave this process.
    bool settled = true;
  };

  // All references must outlive the table.
  StatTable(FileSystem& files, Clock& clock, WaitFor wait = make_sleep());

  // SHA-256 of the file's bytes. Throws Error: what open and read throw, kNotFound if there is no
  // such file, kInvalidInput "X changed while it was read; try again when nothing writes to it".
  [[nodiscard]] Digest digest_file(const fs::path& path);

  // What is known of the path, whether it still holds or not. No disk access.
  [[nodiscard]] std::optional<Entry> find(const fs::path& path) const;
  // Known, and one stat says that it still holds.
  [[nodiscard]] bool is_unchanged(const fs::path& path, const Digest& sha256);
  // The file was just written with this content (an export): one stat, no hashing.
  void note(const fs::path& path, const Digest& sha256);

  // For a file or folder whose content is looked at next, by other means than digest_file: waits
  // while it is young, so that every edit after this call shows in the stat.
  [[nodiscard]] Witness observe(const fs::path& path);

  // Bytes that digest_file had to hash so far.
  [[nodiscard]] std::uint64_t bytes_hashed() const;

  // --- for the state file: settled entries, sorted by path, one after another.
  [[nodiscard]] std::string serialize() const;
  // Adds entries that `serialize` wrote; those in the table already stay. Throws Error (kCorrupt).
  void add_serialized(std::string_view bytes);
  // Drops entries whose file is gone. One stat per entry.
  void forget_absent();
  // Something that serialize would write was learned since the last call of this or add_serialized.
  [[nodiscard]] bool take_changed();

 private:
  [[nodiscard]] Digest hash(const fs::path& path);

  FileSystem& files_;
  Clock& clock_;
  WaitFor wait_;
  mutable std::mutex mutex_;
  std::map<std::string, Entry, std::less<>> entries_;
  std::uint64_t bytes_hashed_ = 0;
  bool changed_ = false;
};

}  // namespace qbuild::engine
