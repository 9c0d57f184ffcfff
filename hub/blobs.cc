#include "hub/blobs.h"

#include <fmt/core.h>

#include <cstddef>
#include <memory>
#include <optional>
#include <vector>

#include "base/error.h"
#include "base/text.h"

namespace qbuild::hub {
namespace {

constexpr std::size_t kBufferBytes = std::size_t{1} << 20;
constexpr std::uint32_t kReadOnlyMode = 0444;
constexpr std::int64_t kAbandonedAfterNs = std::int64_t{7} * 24 * 3600 * 1'000'000'000;

// A file in tmp/, removed unless it was renamed.
class Staged {
 public:
  Staged(FileSystem& file_system, const DirectoryLayout& layout)
      : file_system_(file_system), path_(layout.temporary() / unique_name()) {}
  ~Staged() {
    try {
      file_system_.remove(path_);
    } catch (const Error&) {
      // It is swept when it is a week old.
    }
  }
  Staged(const Staged&) = delete;
  Staged& operator=(const Staged&) = delete;
  [[nodiscard]] const fs::path& path() const { return path_; }

 private:
  FileSystem& file_system_;
  fs::path path_;
};

// Gives all of `from` piece by piece to `sink`; says what it was.
template <typename Sink>
BlobNeed read_through(FileSystem& file_system, const fs::path& from, const std::stop_token& stop,
                      Sink&& sink) {
  const std::unique_ptr<ReadableFile> file = file_system.open(from);
  std::vector<std::byte> buffer(kBufferBytes);
  Sha256 hash;
  BlobNeed seen;
  while (true) {
    if (stop.stop_requested())
      throw Error(ErrorKind::kCancelled, "stopped before everything was uploaded");
    const std::size_t got = file->read_at(seen.size_bytes, buffer);
    if (got == 0) break;
    const Bytes piece(buffer.data(), got);
    hash.update(piece);
    sink(piece);
    seen.size_bytes += got;
  }
  seen.sha256 = hash.finish();
  return seen;
}

void require_same(const BlobNeed& seen, const BlobNeed& wanted, const fs::path& path) {
  if (seen == wanted) return;
  throw Error(ErrorKind::kCorrupt,
              fmt::format("{} has {} bytes with digest {}; {} bytes with digest {} were announced",
                          path.string(), seen.size_bytes, seen.sha256.hex(), wanted.size_bytes,
                          wanted.sha256.hex()));
}

}  // namespace

bool Blobs::has(const BlobNeed& blob) const {
  const std::optional<FileStat> there = file_system_.stat(layout_.blob(blob.sha256));
  return there && there->kind == FileStat::Kind::kRegular && there->size_bytes == blob.size_bytes;
}

BlobNeed Blobs::hash(const fs::path& path, const std::stop_token& stop) const {
  return read_through(file_system_, path, stop, [](Bytes) {});
}

BlobNeed Blobs::copy(const fs::path& from, const fs::path& to, std::uint64_t size_bytes,
                     const std::stop_token& stop) const {
  const std::string what = fmt::format("copy {} to {}", from.string(), to.string());
  const std::uint64_t free = file_system_.free_bytes(to.parent_path());
  if (free < size_bytes)
    throw Error(ErrorKind::kExhausted,
                fmt::format("{}: it needs {} bytes, {} are free", what, size_bytes, free));
  return with_context(fmt::format("{} ({} bytes)", what, size_bytes), [&] {
    const std::unique_ptr<WritableFile> file = file_system_.create(to, CreateMode::kExclusive);
    const BlobNeed seen =
        read_through(file_system_, from, stop, [&](Bytes piece) { file->append(piece); });
    file->close();
    return seen;
  });
}

void Blobs::publish(const fs::path& staged, const BlobNeed& blob) {
  // Opened before it becomes read-only; appending nothing is how a finished file is flushed.
  const std::unique_ptr<WritableFile> file = file_system_.create(staged, CreateMode::kAppend);
  file_system_.set_mode(staged, kReadOnlyMode);
  file->flush();
  file->close();
  const fs::path path = layout_.blob(blob.sha256);
  file_system_.create_directories(path.parent_path());
  file_system_.rename(staged, path);
  file_system_.flush_directory(path.parent_path());
  file_system_.flush_directory(path.parent_path().parent_path());
}

void Blobs::put_file(const BlobNeed& blob, const fs::path& source, const std::stop_token& stop) {
  if (has(blob)) return;
  file_system_.create_directories(layout_.temporary());
  const Staged staged(file_system_, layout_);
  const BlobNeed seen = file_system_.clone(source, staged.path())
                            ? hash(staged.path(), stop)
                            : copy(source, staged.path(), blob.size_bytes, stop);
  require_same(seen, blob, source);
  publish(staged.path(), blob);
}

void Blobs::put_bytes(std::string_view bytes) {
  const BlobNeed blob{.sha256 = sha256(bytes), .size_bytes = bytes.size()};
  if (has(blob)) return;
  file_system_.create_directories(layout_.temporary());
  const Staged staged(file_system_, layout_);
  const std::unique_ptr<WritableFile> file =
      file_system_.create(staged.path(), CreateMode::kExclusive);
  file->append(as_bytes(bytes));
  file->close();
  publish(staged.path(), blob);
}

std::string Blobs::read(const BlobNeed& blob, std::uint64_t max_bytes) const {
  const fs::path path = layout_.blob(blob.sha256);
  std::string bytes = qbuild::read_file(file_system_, path, max_bytes);
  require_same({.sha256 = sha256(bytes), .size_bytes = bytes.size()}, blob, path);
  return bytes;
}

void Blobs::place(const BlobNeed& blob, const fs::path& to) const {
  const fs::path path = layout_.blob(blob.sha256);
  if (!has(blob))
    throw Error(ErrorKind::kCorrupt, fmt::format("{} is missing or has not its {} bytes",
                                                 path.string(), blob.size_bytes));
  const bool cloned = file_system_.clone(path, to);
  const bool may_link = blob.size_bytes >= kMinLinkedBytes;
  if (!cloned && may_link && file_system_.hard_link(path, to)) return;
  if (!cloned) require_same(copy(path, to, blob.size_bytes, {}), blob, path);
  const std::unique_ptr<WritableFile> file = file_system_.create(to, CreateMode::kAppend);
  file->flush();
  file->close();
}

void remove_abandoned_uploads(FileSystem& file_system, const DirectoryLayout& layout,
                              std::int64_t now_unix_ns) {
  if (!file_system.stat(layout.temporary())) return;
  for (const std::string& name : file_system.list(layout.temporary())) {
    const fs::path path = layout.temporary() / name;
    const std::optional<FileStat> there = file_system.stat(path);
    if (there && there->mtime_ns < now_unix_ns - kAbandonedAfterNs) file_system.remove(path);
  }
}

}  // namespace qbuild::hub
