#include "base/temporary_name.h"

#include <fmt/core.h>
#include <signal.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>

#include "base/digest.h"
#include "base/error.h"
#include "base/text.h"

namespace qbuild {
namespace {

constexpr std::string_view kPrefix = ".qbuild-";
constexpr std::string_view kSuffix = ".tmp";

std::string process_space() {
  std::array<char, 256> host{};
  (void)::gethostname(host.data(), host.size() - 1);
  std::error_code error;
  const fs::path pids = fs::read_symlink("/proc/self/ns/pid", error);
  return sha256(fmt::format("{} {}", host.data(), pids.string())).hex().substr(0, 12);
}

bool is_abandoned(std::string_view name, std::string_view space) {
  const std::string ours = fmt::format("{}{}-", kPrefix, space);
  if (!name.starts_with(ours) || !name.ends_with(kSuffix)) return false;
  int pid = 0;
  const char* const begin = name.data() + ours.size();
  const auto parsed = std::from_chars(begin, name.data() + name.size(), pid);
  if (parsed.ec != std::errc{} || *parsed.ptr != '-' || pid <= 0) return false;
  return ::kill(pid, 0) != 0 && errno == ESRCH;
}

}  // namespace

std::string temporary_name(int pid) {
  return fmt::format("{}{}-{}-{}{}", kPrefix, process_space(), pid, unique_name(), kSuffix);
}

std::string temporary_name() {
  return temporary_name(::getpid());
}

bool is_temporary_name(std::string_view name) {
  return name.size() > kPrefix.size() + kSuffix.size() && name.starts_with(kPrefix) &&
         name.ends_with(kSuffix);
}

void remove_abandoned_temporaries(FileSystem& file_system, const fs::path& folder) {
  try {
    const std::string space = process_space();
    for (const std::string& name : file_system.list(folder))
      if (is_abandoned(name, space)) file_system.remove(folder / name);
  } catch (const Error&) {
    // A folder that may be written but not read keeps what is left in it.
  }
}

}  // namespace qbuild
