#include "engine/witness.h"

namespace qbuild::engine {

Witness observe(FileSystem& files, Witness::What what, fs::path path) {
  Witness witness{.what = what, .path = std::move(path), .stat = std::nullopt};
  witness.stat = files.stat(witness.path);
  return witness;
}

bool agrees(const Witness& witness, const std::optional<FileStat>& now) {
  return agrees(witness.what, witness.stat, now);
}

bool agrees(Witness::What what, const std::optional<FileStat>& before,
            const std::optional<FileStat>& now) {
  if (before.has_value() != now.has_value()) return false;
  if (!now || what == Witness::What::kFile) return before == now;
  return before->kind == now->kind && before->device == now->device &&
         before->inode == now->inode && before->size_bytes == now->size_bytes &&
         before->mtime_ns == now->mtime_ns;
}

}  // namespace qbuild::engine
