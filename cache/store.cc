#include "cache/store.h"

#include <fmt/core.h>

#include <cstddef>
#include <utility>

#include "base/error.h"
#include "base/text.h"
#include "cache/content.h"
#include "cache/store_place.h"

namespace qbuild::cache {
namespace {

constexpr std::string_view kFormatMagic = "qbuild-store ";
constexpr std::uint64_t kMaxFormatBytes = 64;
constexpr std::size_t kMaxDamagedNameBytes =
    64;  // a digest; longer names are nobody's but an intruder's
constexpr std::int64_t kNsPerSecond = 1'000'000'000;

fs::path sharded(const fs::path& folder, const Digest& digest) {
  const std::string hex = digest.hex();
  return folder / hex.substr(0, 2) / hex;
}

void check_format(FileSystem& file_system, const fs::path& path) {
  const std::string text = read_file(file_system, path, kMaxFormatBytes);
  if (text == fmt::format("{}{}\n", kFormatMagic, kStoreVersion)) return;
  if (text.substr(0, kFormatMagic.size()) != kFormatMagic)
    throw Error(
        ErrorKind::kCorrupt,
        fmt::format("{}: this is no store's format file; give $QBUILD_STORE a folder of its own",
                    path.string()));
  throw Error(ErrorKind::kUnsupported,
              fmt::format("{}: the store has another format than {}, which is the one this qbuild "
                          "reads; give $QBUILD_STORE another folder",
                          path.string(), kStoreVersion));
}

}  // namespace

Store::Store(FileSystem& file_system, Clock& clock, fs::path root)
    : file_system_(file_system), clock_(clock), root_(std::move(root)) {
  const fs::path format = root_ / "format";
  // Whatever hinders it here, another folder is a way out.
  const bool is_there =
      with_context(place_of(root_), [&] { return file_system_.stat(format).has_value(); });
  if (is_there)
    check_format(file_system_, format);
  else
    with_context(place_of(root_), [&] { make(); });
}

void Store::make() {
  const std::optional<FileStat> there = file_system_.stat(root_);
  if (there && there->kind != FileStat::Kind::kDirectory)
    throw Error(ErrorKind::kInvalidInput, "it is not a folder");
  for (const char* folder : {"blobs", "records", "locks", "tmp", "damaged"})
    file_system_.create_directories(root_ / folder);
  file_system_.flush_directory(root_);
  publish_file(file_system_, root_ / "format",
               as_bytes(fmt::format("{}{}\n", kFormatMagic, kStoreVersion)));
}

fs::path Store::blob_path(const Digest& sha256) const {
  return sharded(root_ / "blobs", sha256);
}

fs::path Store::record_path(const Digest& key) const {
  return sharded(root_ / "records", key);
}

bool Store::has_blob(const Digest& sha256, std::uint64_t size_bytes) const {
  const std::optional<FileStat> there = file_system_.stat(blob_path(sha256));
  return there && there->kind == FileStat::Kind::kRegular && there->size_bytes == size_bytes;
}

bool Store::verify_blob(const Digest& sha256, std::uint64_t size_bytes) {
  const fs::path path = blob_path(sha256);
  if (!file_system_.stat(path)) return false;
  if (has_blob(sha256, size_bytes) && hash_file(file_system_, path).sha256 == sha256) return true;
  move_to_damaged(path, "blob");
  return false;
}

std::optional<Record> Store::find_record(const Digest& key) {
  const fs::path path = record_path(key);
  if (!file_system_.stat(path)) return std::nullopt;
  try {
    Record record = parse_record(read_file(file_system_, path, kMaxRecordBytes));
    if (record.key == key) return record;
  } catch (const Error& error) {
    // Removed since the stat: absent. Damaged or larger than any record: below. Else: the disk's
    // trouble.
    if (error.kind() == ErrorKind::kNotFound) return std::nullopt;
    if (error.kind() != ErrorKind::kCorrupt && error.kind() != ErrorKind::kExhausted) throw;
  }
  move_to_damaged(path, "record");
  return std::nullopt;
}

bool Store::is_complete(const Record& record) const {
  for (const FileEntry& file : record.artifact.files) {
    if (record.inline_files.count(file.name) == 0 && !has_blob(file.sha256, file.size_bytes))
      return false;
  }
  return true;
}

std::unique_ptr<FileLock> Store::lock_key(const Digest& key, LockWait wait) {
  return at_store(root_, [&] {
    // Not in folders by digest: nobody lists them, and a new folder costs a disk more than a file.
    return file_system_.lock(root_ / "locks" / key.hex(), wait);
  });
}

Scratch Store::make_scratch() {
  return at_store(root_, [&] { return cache::make_scratch(file_system_, root_ / "tmp"); });
}

void Store::remove_abandoned_scratch() {
  at_store(root_, [&] { cache::remove_abandoned_scratch(file_system_, root_ / "tmp"); });
  remove_abandoned_partials();
}

Materialized Store::materialize(const Digest& sha256, std::uint64_t size_bytes,
                                const fs::path& to) {
  const fs::path blob = blob_path(sha256);
  try {
    return cache::materialize(file_system_, blob, {sha256, size_bytes}, to);
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::kCorrupt) move_to_damaged(blob, "blob");
    throw;
  }
}

void Store::move_to_damaged(const fs::path& path, std::string_view kind) {
  try {
    const fs::path folder = root_ / "damaged";
    ensure_folder(file_system_, folder);
    const std::string name = path.filename().string().substr(0, kMaxDamagedNameBytes);
    file_system_.rename(path, folder / fmt::format("{}-{}-{}-{}", kind, name,
                                                   clock_.unix_ns() / kNsPerSecond, unique_name()));
    file_system_.flush_directory(path.parent_path());
  } catch (const Error& error) {
    // kNotFound: another process was first. kDenied: a store that one may only read; what is
    // damaged stays where it is and counts as absent all the same.
    if (error.kind() != ErrorKind::kNotFound && error.kind() != ErrorKind::kDenied) throw;
  }
}

}  // namespace qbuild::cache
