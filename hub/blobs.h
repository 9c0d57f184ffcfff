#pragma once
// The content of a directory hub: files by SHA-256, read-only, shared by all its repositories. A
// blob has its name only after its bytes were hashed, here, and are on the disk. Any thread, any
// process.

#include <cstdint>
#include <stop_token>
#include <string>
#include <string_view>

#include "base/digest.h"
#include "base/file_system.h"
#include "hub/directory_layout.h"
#include "hub/hub.h"

namespace qbuild::hub {

// Smaller files are copied where the disk cannot reflink: they are what people open and edit, and a
// write through a second name (root may) would change the blob too.
inline constexpr std::uint64_t kMinLinkedBytes = 1u << 20;

class Blobs {
 public:
  // Both must outlive it.
  Blobs(FileSystem& file_system, const DirectoryLayout& layout)
      : file_system_(file_system), layout_(layout) {}

  // There, with that size. One stat.
  [[nodiscard]] bool has(const BlobNeed& blob) const;
  // From a file that stays as it is: a reflink or a copy, never a second name. Throws kCorrupt if
  // the bytes are not `blob`, kExhausted with the bytes needed if the disk has no room, kCancelled
  // if it was asked to stop meanwhile; then nothing is left.
  void put_file(const BlobNeed& blob, const fs::path& source, const std::stop_token& stop = {});
  void put_bytes(std::string_view bytes);
  // Verified while it is read. kCorrupt, kNotFound, kExhausted beyond max_bytes.
  [[nodiscard]] std::string read(const BlobNeed& blob, std::uint64_t max_bytes) const;
  // A new file with the blob's content, flushed: reflink, read-only second name (only if it has at
  // least kMinLinkedBytes), or copy. For folders of the hub's own alone.
  void place(const BlobNeed& blob, const fs::path& to) const;

 private:
  void publish(const fs::path& staged, const BlobNeed& blob);
  [[nodiscard]] BlobNeed copy(const fs::path& from, const fs::path& to, std::uint64_t size_bytes,
                              const std::stop_token& stop) const;
  [[nodiscard]] BlobNeed hash(const fs::path& path, const std::stop_token& stop) const;

  FileSystem& file_system_;
  const DirectoryLayout& layout_;
};

// Removes what uploads that died have left in tmp/: files that nobody has written to for a week.
void remove_abandoned_uploads(FileSystem& file_system, const DirectoryLayout& layout,
                              std::int64_t now_unix_ns);

}  // namespace qbuild::hub
