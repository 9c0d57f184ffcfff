#include "tests/e2e/mounts.h"

#include <sched.h>
#include <sys/mount.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <system_error>

namespace qbuild::e2e {
namespace {

[[noreturn]] void fail(const std::string& what) {
  throw std::system_error(errno, std::generic_category(), what);
}

std::string failure(const std::string& what) {
  return what + ": " + std::generic_category().message(errno);
}

void write_file(const char* path, const std::string& text) {
  std::ofstream(path) << text;
}

std::string enter_own_mounts() {
  const uid_t user = ::geteuid();
  const gid_t group = ::getegid();
  if (user == 0) {
    if (::unshare(CLONE_NEWNS) != 0) return failure("mounts of one's own are not allowed");
  } else {
    if (::unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0)
      return failure("neither root nor user namespaces");
    write_file("/proc/self/setgroups", "deny");
    write_file("/proc/self/uid_map", "0 " + std::to_string(user) + " 1");
    write_file("/proc/self/gid_map", "0 " + std::to_string(group) + " 1");
  }
  if (::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0)
    return failure("mounts cannot be kept from others");
  const fs::path probe = fs::temp_directory_path();
  if (::mount("tmpfs", probe.c_str(), "tmpfs", 0, "size=4k") != 0)
    return failure("a tmpfs cannot be mounted");
  ::umount2(probe.c_str(), MNT_DETACH);
  return "";
}

// Flags that a mount in a user namespace must keep.
unsigned long kept_flags(const fs::path& at) {
  struct statvfs found {};
  if (::statvfs(at.c_str(), &found) != 0) fail("statvfs " + at.string());
  unsigned long flags = 0;
  if ((found.f_flag & ST_NOSUID) != 0) flags |= MS_NOSUID;
  if ((found.f_flag & ST_NODEV) != 0) flags |= MS_NODEV;
  if ((found.f_flag & ST_NOEXEC) != 0) flags |= MS_NOEXEC;
  return flags;
}

}  // namespace

std::string mount_obstacle() {
  static const std::string obstacle = enter_own_mounts();
  return obstacle;
}

Mount Mount::small_disk(const fs::path& at, const std::string& options) {
  fs::create_directories(at);
  if (::mount("tmpfs", at.c_str(), "tmpfs", 0, options.c_str()) != 0) fail("mount " + at.string());
  return Mount(at);
}

Mount Mount::read_only(const fs::path& at) {
  if (::mount(at.c_str(), at.c_str(), nullptr, MS_BIND, nullptr) != 0) fail("bind " + at.string());
  const unsigned long flags = MS_REMOUNT | MS_BIND | MS_RDONLY | kept_flags(at);
  if (::mount("none", at.c_str(), nullptr, flags, nullptr) != 0) fail("remount " + at.string());
  return Mount(at);
}

Mount::~Mount() {
  ::umount2(at_.c_str(), MNT_DETACH);
}

void Mount::change(const std::string& options) const {
  if (::mount("tmpfs", at_.c_str(), "tmpfs", MS_REMOUNT, options.c_str()) != 0)
    fail("remount " + at_.string());
}

}  // namespace qbuild::e2e
