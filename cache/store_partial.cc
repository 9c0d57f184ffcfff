// Unfinished work that a later attempt at the same key may go on with.

#include <algorithm>
#include <optional>

#include "base/error.h"
#include "cache/content.h"
#include "cache/store.h"
#include "cache/store_place.h"

namespace qbuild::cache {
namespace {

constexpr const char* kFolder = "partial";

// When something in the folder was last written to.
std::int64_t last_touched_ns(FileSystem& file_system, const fs::path& folder) {
  const std::optional<FileStat> there = file_system.stat(folder);
  std::int64_t latest_ns = there ? there->mtime_ns : 0;
  for (const std::string& name : list_if_there(file_system, folder)) {
    const std::optional<FileStat> inside = file_system.stat(folder / name);
    if (inside) latest_ns = std::max(latest_ns, inside->mtime_ns);
  }
  return latest_ns;
}

}  // namespace

Scratch Store::open_partial(const Digest& key) {
  return at_store(root_, [&] {
    fs::path path = root_ / kFolder / key.hex();
    file_system_.create_directories(path);
    return Scratch(file_system_, std::move(path), nullptr, AtEnd::kKeep);
  });
}

bool Store::remove_partial(const Digest& key) {
  const fs::path path = root_ / kFolder / key.hex();
  if (!file_system_.stat(path)) return false;
  const std::unique_ptr<FileLock> lock = lock_key(key, LockWait::kTry);
  if (lock == nullptr) return false;
  file_system_.remove_tree(path);
  return true;
}

void Store::remove_abandoned_partials() {
  try {
    for (const std::string& name : list_if_there(file_system_, root_ / kFolder)) {
      const std::optional<Digest> key = Digest::from_hex(name);
      if (!key || key->hex() != name) continue;
      const std::int64_t age_ns =
          clock_.unix_ns() - last_touched_ns(file_system_, root_ / kFolder / name);
      if (age_ns > kMaxPartialAgeNs || file_system_.stat(record_path(*key)))
        static_cast<void>(remove_partial(*key));
    }
  } catch (const Error&) {
    // They cost room and nothing else; the next engine looks again.
  }
}

}  // namespace qbuild::cache
