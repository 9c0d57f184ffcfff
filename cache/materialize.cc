#include "cache/materialize.h"

#include <fmt/core.h>
#include <signal.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <string>
#include <string_view>

#include "base/digest.h"
#include "base/error.h"
#include "base/text.h"

namespace qbuild::cache {
namespace {

constexpr std::string_view kPrefix = ".qbuild-";
constexpr std::string_view kSuffix = ".tmp";

// Tells processes apart whose numbers mean nothing to each other: of other hosts, and of other
// containers on this one.
std::string process_space() {
  std::array<char, 256> host{};
  (void)::gethostname(host.data(), host.size() - 1);
  std::error_code error;
  const fs::path pids = fs::read_symlink("/proc/self/ns/pid", error);
  return sha256(fmt::format("{} {}", host.data(), pids.string())).hex().substr(0, 12);
}

// Made by a process of ours that is gone.
bool is_abandoned(std::string_view name, const std::string& space) {
  const std::string ours = fmt::format("{}{}-", kPrefix, space);
  if (!name.starts_with(ours) || !name.ends_with(kSuffix)) return false;
  int pid = 0;
  const char* const begin = name.data() + ours.size();
  const auto parsed = std::from_chars(begin, name.data() + name.size(), pid);
  if (parsed.ec != std::errc{} || *parsed.ptr != '-' || pid <= 0) return false;
  return ::kill(pid, 0) != 0 && errno == ESRCH;
}

// What a process that was killed in the middle has left beside a user's files.
void remove_abandoned(FileSystem& file_system, const fs::path& folder) {
  try {
    const std::string space = process_space();
    for (const std::string& name : file_system.list(folder))
      if (is_abandoned(name, space)) file_system.remove(folder / name);
  } catch (const Error&) {
    // A folder that may be written but not read keeps what is left in it.
  }
}

// The name under which a file is prepared; removed unless it was renamed.
class Beside {
 public:
  Beside(FileSystem& file_system, const fs::path& folder)
      : file_system_(file_system), path_(folder / temporary_name(::getpid())) {}
  Beside(const Beside&) = delete;
  Beside& operator=(const Beside&) = delete;
  ~Beside() {
    try {
      // Also after the rename: renaming one name of an inode onto another name of it leaves both.
      file_system_.remove(path_);
    } catch (const Error&) {
      // A temporary name that stays is harmless, and this may run while another Error is in flight.
    }
  }
  [[nodiscard]] const fs::path& path() const { return path_; }

 private:
  FileSystem& file_system_;
  fs::path path_;
};

bool is_already(FileSystem& file_system, const FileStat& blob, const Content& content,
                const fs::path& to) {
  const std::optional<FileStat> there = file_system.stat(to);
  if (!there) return false;
  if (there->kind == FileStat::Kind::kDirectory)
    throw Error(ErrorKind::kInvalidInput,
                fmt::format("{} is a folder where a file must go; move it away", to.string()));
  if (there->device == blob.device && there->inode == blob.inode) return true;
  return there->kind == FileStat::Kind::kRegular && there->size_bytes == content.size_bytes &&
         hash_file(file_system, to) == content;
}

Materialized prepare(FileSystem& file_system, const fs::path& blob, const Content& content,
                     const fs::path& beside) {
  if (file_system.clone(blob, beside)) {
    flush_file(file_system, beside);
    return Materialized::kClone;
  }
  if (file_system.hard_link(blob, beside)) return Materialized::kHardLink;
  const Content copied = copy_file(file_system, blob, beside, content.size_bytes);
  if (copied != content)
    throw Error(ErrorKind::kCorrupt,
                fmt::format("{} has the content {}, not what its name says; build again to make it",
                            blob.string(), copied.sha256.hex()));
  return Materialized::kCopy;
}

}  // namespace

std::string temporary_name(int pid) {
  return fmt::format("{}{}-{}-{}{}", kPrefix, process_space(), pid, unique_name(), kSuffix);
}

Materialized materialize(FileSystem& file_system, const fs::path& blob, const Content& content,
                         const fs::path& to) {
  const std::optional<FileStat> stored = file_system.stat(blob);
  if (!stored)
    throw Error(ErrorKind::kNotFound,
                fmt::format("{} is not in the store; build again to make it", blob.string()));
  if (stored->size_bytes != content.size_bytes)
    throw Error(ErrorKind::kCorrupt,
                fmt::format("{} has {} bytes, {} were stored; build again to make it",
                            blob.string(), stored->size_bytes, content.size_bytes));
  const fs::path folder = to.has_parent_path() ? to.parent_path() : fs::path(".");
  remove_abandoned(file_system, folder);
  if (is_already(file_system, *stored, content, to)) return Materialized::kAlreadyThere;
  ensure_folder(file_system, folder);
  const Beside beside(file_system, folder);
  const Materialized how = prepare(file_system, blob, content, beside.path());
  file_system.rename(beside.path(), to);
  file_system.flush_directory(folder);
  return how;
}

}  // namespace qbuild::cache
