#pragma once
// Disks for a test: small ones, and ones that nobody may write to. They exist for this process and
// what it starts from then on, and end with it at the latest.

#include <filesystem>
#include <string>

namespace qbuild::e2e {

namespace fs = std::filesystem;

// Empty if mounts work here: as root, or in a user namespace of one's own. Else why not, for
// GTEST_SKIP. To be called before the process has other threads.
[[nodiscard]] std::string mount_obstacle();

class Mount {
 public:
  // A disk in memory. Options as mount(8) takes them for tmpfs: "size=64k", "nr_inodes=9".
  [[nodiscard]] static Mount small_disk(const fs::path& at, const std::string& options);
  // The folder as it is, but read-only.
  [[nodiscard]] static Mount read_only(const fs::path& at);
  ~Mount();
  Mount(const Mount&) = delete;
  Mount& operator=(const Mount&) = delete;

  // A small disk grows; what is on it stays.
  void change(const std::string& options) const;

 private:
  explicit Mount(fs::path at) : at_(std::move(at)) {}
  fs::path at_;
};

}  // namespace qbuild::e2e
