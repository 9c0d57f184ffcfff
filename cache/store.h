#pragma once
// The store: blobs by SHA-256 and records by action key, under one root that many processes and
// manifests share, also on a network file system. docs/store.md describes every file in it.
//
//   format                "qbuild-store 1\n"
//   blobs/ab/abcdef...    content, read-only
//   records/ab/abcdef...  cache/record.h
//   locks/abcdef...       one empty file per key that was ever locked
//   tmp/<unique>/         scratch folders of running actions
//   partial/<key>/        what an action that can go on left of its work
//   damaged/              what did not hold what its name says; nothing reads it
//
// Everything is published by write elsewhere, flush, rename, flush folder. Any thread, any process.
// An Error kDenied or kExhausted, and whatever hinders making the folder, names the root and
// $QBUILD_STORE as the way out.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/digest.h"
#include "base/error.h"
#include "base/file_system.h"
#include "cache/materialize.h"
#include "cache/record.h"
#include "cache/scratch.h"

namespace qbuild::cache {

// Of the folder's layout and of every file in it. Another one is refused (kUnsupported), never
// guessed at. Version history: 1 first.
inline constexpr std::uint32_t kStoreVersion = 1;

struct StoreStats {
  std::uint64_t blobs = 0;
  std::uint64_t blob_bytes = 0;
  std::uint64_t records = 0;
  std::uint64_t record_bytes = 0;
  std::uint64_t scratch_bytes = 0;  // in tmp/ and partial/
  std::uint64_t damaged_bytes = 0;
};

// What nobody went on with for so long goes when an engine starts.
inline constexpr std::int64_t kMaxPartialAgeNs = std::int64_t{14} * 24 * 3600 * 1'000'000'000;

// A finished, hashed, not yet flushed file that is to be a blob.
struct StagedBlob {
  std::string name;  // in messages; may be empty
  fs::path path;
  Digest sha256;
  std::uint64_t size_bytes = 0;
};

// What one action leaves: blobs, then the record that names them.
struct Deposit {
  std::vector<StagedBlob> blobs;
  const Record* record = nullptr;  // may be none
  // A folder on the store's disk in which the record is prepared, under a name that begins with
  // ".record"; none: one of its own is made for that.
  fs::path scratch = {};
};

struct Damage {
  fs::path path;
  std::string what;  // "content has digest 12ab..., its name says 34cd..."
};

struct VerifyReport {
  std::uint64_t blobs_checked = 0;
  std::uint64_t records_checked = 0;
  std::uint64_t bytes_hashed = 0;
  // Sorted by path. What is not what its name says was moved to damaged/ so that it is made again;
  // what could not be read, its message says why, is where it was.
  std::vector<Damage> damages;
};

class Store {
 public:
  // Creates the folders where there is no store yet; a store that is there costs one read. Both
  // references must outlive the store.
  Store(FileSystem& file_system, Clock& clock, fs::path root);

  [[nodiscard]] const fs::path& root() const { return root_; }

  // --- blobs
  [[nodiscard]] fs::path blob_path(const Digest& sha256) const;
  // There, with that size. One stat. Whoever remembers the blob's size, mtime and inode from when
  // it was stored (a state file, cache/index.h) and sees others now calls verify_blob before using
  // it.
  [[nodiscard]] bool has_blob(const Digest& sha256, std::uint64_t size_bytes) const;
  // Reads and hashes it. False if it is not there, or was not what its name says and was moved to
  // damaged/.
  [[nodiscard]] bool verify_blob(const Digest& sha256, std::uint64_t size_bytes);
  // --- records
  [[nodiscard]] fs::path record_path(const Digest& key) const;
  // Absent: nothing. Damaged: nothing too, after moving it to damaged/ (it is then made again).
  [[nodiscard]] std::optional<Record> find_record(const Digest& key);
  // Every file of the artifact is there (blobs with their sizes, or inline in the record).
  [[nodiscard]] bool is_complete(const Record& record) const;

  // --- putting in
  // Moves staged files into the store (same file system: a rename; else a copy, hashed again) and
  // writes the records, each only when its blobs are in the store, flushed. A blob that is there
  // already stays, and the staged file is removed; so does a complete record, an incomplete one is
  // replaced. What the many have in common is flushed once, so a thousand small deposits take
  // little longer than ten. In their order: why it was not put in, if it was not; one that fails
  // hinders no other. kNotFound: a record's blob is neither in the store nor in its deposit.
  [[nodiscard]] std::vector<std::optional<Error>> put_each(std::span<const Deposit> deposits);
  // The same of one thing; throw Error.
  void adopt(const fs::path& staged, const Digest& sha256, std::uint64_t size_bytes);
  void put_record(const Record& record);

  // --- work
  // Between processes: one holder per key. kTry: null if taken. Look for the record again once it
  // is held.
  [[nodiscard]] std::unique_ptr<FileLock> lock_key(const Digest& key, LockWait wait);
  [[nodiscard]] Scratch make_scratch();
  // A folder for the action with that key, with all that earlier attempts left in it; it stays
  // unless it is told otherwise (Scratch::set_at_end). Nothing in it was flushed, so nothing in it
  // is believed without a checksum. Requires the key's lock, also when it is removed.
  [[nodiscard]] Scratch open_partial(const Digest& key);
  // Removes it, with what it holds. False: there is none, or somebody has the key's lock.
  bool remove_partial(const Digest& key);

  // The blob under a user's name: see cache/materialize.h. A blob that turns out to be damaged is
  // moved to damaged/ before kCorrupt is thrown, so that the next build makes it again.
  Materialized materialize(const Digest& sha256, std::uint64_t size_bytes, const fs::path& to);

  // --- care
  [[nodiscard]] StoreStats stats() const;
  // Hashes everything that can be read. `progress` is called with bytes done; may be empty.
  VerifyReport verify(const std::function<void(std::uint64_t bytes_done)>& progress);
  // Removes scratch folders that no living process owns, and partial ones that nobody is at work in
  // and that are of no use: older than kMaxPartialAgeNs, or of an action that has its record.
  // Called when an engine starts.
  void remove_abandoned_scratch();
  // The keys of all records, sorted; their content is not looked at. For rebuilding the index.
  [[nodiscard]] std::vector<Digest> record_keys() const;

 private:
  class Depositing;

  void make();
  void put(const Deposit& deposit);
  void move_to_damaged(const fs::path& path, std::string_view kind);
  void remove_abandoned_partials();
  void verify_blobs(const std::function<void(std::uint64_t)>& progress, VerifyReport& report);
  void verify_records(VerifyReport& report);
  void note_damage(VerifyReport& report, const fs::path& path, std::string_view kind,
                   std::string what);

  FileSystem& file_system_;
  Clock& clock_;
  fs::path root_;
};

}  // namespace qbuild::cache
