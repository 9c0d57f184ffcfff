#pragma once
// .qbuild/state: what lets an unchanged project cost one stat per file and nothing else. It holds
// the stat table and, per request that ended with everything up to date or held, a snapshot: its
// witnesses and what to say again. It may be deleted at any time. docs/engine.md describes it byte
// by byte.
//
//   StateFile state(files, clock, path);              // one read; nothing is parsed yet
//   if (auto same = state.check_unchanged(print)) ... // one stat per witness
//   state.load_table(table); ... build ...
//   state.remember({...});  state.save(table);
//
// One thread.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/file_system.h"
#include "engine/stat_table.h"
#include "engine/witness.h"

namespace qbuild::engine {

// Version history: 1 first.
inline constexpr std::uint32_t kStateFileVersion = 1;
// A larger one is damaged by definition: bounds what a reader allocates. 10,000 targets need about
// 10 MB.
inline constexpr std::uint64_t kMaxStateBytes = 1u << 30;
// The most recent requests of which snapshots are kept.
inline constexpr std::size_t kMaxSnapshots = 8;

struct Snapshot {
  // Says which request this answers: a digest over command, targets, options that matter, qbuild's
  // version, store and output folder; made with request_fingerprint.
  std::string fingerprint;
  std::vector<Witness> witnesses;
  int exit_code = 0;
  std::string text;  // the caller's own, to be repeated when nothing changed
};

struct Unchanged {
  int exit_code = 0;
  std::string text;
  std::size_t witnesses = 0;  // how many files were looked at
};

// XXH3-128 (hex) over the parts, which cannot run together: it tells a few requests apart, and
// SHA-256 would make a null build load the cipher library.
[[nodiscard]] std::string request_fingerprint(const std::vector<std::string>& parts);

class StateFile {
 public:
  // Reads the file. Absent, damaged, or of another version: empty, and no error, because it is only
  // a shortcut. Both references must outlive this.
  StateFile(FileSystem& files, Clock& clock, fs::path path, WaitFor wait = make_sleep());

  // The newest snapshot with that fingerprint, if every witness is as it was. One stat per witness
  // and nothing else: nothing hashed, listed, opened or written. A stat that fails is a difference.
  [[nodiscard]] std::optional<Unchanged> check_unchanged(std::string_view fingerprint);

  // Adds what the file knows to the table.
  void load_table(StatTable& table) const;

  // Keeps the snapshot for the next save, if it can be trusted: waits (at most kMaxWaitNs in all)
  // until the youngest witness is old enough for a later edit to show, and looks at every witness
  // once more. False, and any older snapshot of the request is dropped, if one differs from what
  // was observed or stays too young.
  bool remember(const Snapshot& snapshot);
  void forget(std::string_view fingerprint);

  // Writes the file if anything in it changed. A failure to write is returned as one line for the
  // user, never thrown: the build is done.
  [[nodiscard]] std::string save(StatTable& table);

 private:
  // The newest first.
  struct Kept {
    std::string fingerprint;
    std::string bytes;  // serialized; parsed when it is asked for
  };
  void read();
  [[nodiscard]] bool is_settled_and_same(const Snapshot& snapshot);

  FileSystem& files_;
  Clock& clock_;
  fs::path path_;
  WaitFor wait_;
  std::string table_bytes_;
  std::vector<Kept> kept_;
  bool changed_ = false;
};

}  // namespace qbuild::engine
