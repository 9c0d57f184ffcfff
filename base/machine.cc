#include "base/machine.h"

#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>
#include <string_view>
#include <thread>

namespace qbuild {
namespace {

// The text after "name" and ":" in a file of the form of /proc/cpuinfo; empty if there is none.
std::string proc_field(const char* path, std::string_view name) {
  std::ifstream in(path);
  std::string line;
  while (std::getline(in, line)) {
    if (line.compare(0, name.size(), name) != 0) continue;
    const std::size_t colon = line.find(':');
    if (colon == std::string::npos) continue;
    const std::size_t start = line.find_first_not_of(" \t", colon + 1);
    return start == std::string::npos ? "" : line.substr(start);
  }
  return "";
}

std::uint64_t proc_status_bytes(std::string_view name) {
  std::istringstream in(proc_field("/proc/self/status", name));
  std::uint64_t kib = 0;
  in >> kib;
  return kib * 1024;
}

std::string vector_units() {
#if defined(__x86_64__)
  __builtin_cpu_init();
  const bool avx2 = __builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("fma") != 0;
  const bool avx512 =
      avx2 && __builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512bw") != 0 &&
      __builtin_cpu_supports("avx512vl") != 0 && __builtin_cpu_supports("avx512dq") != 0;
  if (avx512) return "avx512";
  if (avx2) return "avx2";
  return "baseline";
#elif defined(__aarch64__)
  return "neon";
#else
  return "baseline";
#endif
}

std::optional<std::uint64_t> parse_number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end == text.data()) return std::nullopt;
  return value;
}

std::string first_line(const std::filesystem::path& path) {
  std::ifstream in(path);
  std::string line;
  std::getline(in, line);
  return line;
}

struct CgroupLimits {
  std::optional<double> cores;
  std::optional<std::uint64_t> memory_bytes;
};

void lower_to(std::optional<double>& limit, double value) {
  limit = limit ? std::min(*limit, value) : value;
}

// Version 2: a limit of any group above ours binds us too, so all the way up is read.
CgroupLimits cgroup2_limits() {
  CgroupLimits limits;
  const std::filesystem::path root = "/sys/fs/cgroup";
  std::string own = first_line("/proc/self/cgroup");
  own = own.compare(0, 3, "0::") == 0 ? own.substr(3) : "/";
  std::filesystem::path group = std::filesystem::path(own).relative_path();
  while (true) {
    std::istringstream cpu(first_line(root / group / "cpu.max"));
    std::string quota;
    std::string period;
    cpu >> quota >> period;
    const std::optional<std::uint64_t> quota_us = parse_number(quota);
    const std::optional<std::uint64_t> period_us = parse_number(period);
    if (quota_us && period_us && *period_us != 0) {
      lower_to(limits.cores, static_cast<double>(*quota_us) / static_cast<double>(*period_us));
    }
    if (const auto bytes = parse_number(first_line(root / group / "memory.max"))) {
      limits.memory_bytes = std::min(limits.memory_bytes.value_or(*bytes), *bytes);
    }
    if (group.empty()) return limits;
    group = group.parent_path();
  }
}

CgroupLimits cgroup_limits() {
  CgroupLimits limits = cgroup2_limits();
  // Version 1, as a container sees it: its own group is mounted as the root.
  const auto quota = parse_number(first_line("/sys/fs/cgroup/cpu/cpu.cfs_quota_us"));
  const auto period = parse_number(first_line("/sys/fs/cgroup/cpu/cpu.cfs_period_us"));
  if (quota && period && *period != 0) {
    lower_to(limits.cores, static_cast<double>(*quota) / static_cast<double>(*period));
  }
  if (const auto bytes = parse_number(first_line("/sys/fs/cgroup/memory/memory.limit_in_bytes"))) {
    limits.memory_bytes = std::min(limits.memory_bytes.value_or(*bytes), *bytes);
  }
  return limits;
}

unsigned affinity_cores() {
  cpu_set_t set;
  CPU_ZERO(&set);
  // Fails on machines of more than 1024 processors; the library then asks another way.
  if (sched_getaffinity(0, sizeof set, &set) == 0) return static_cast<unsigned>(CPU_COUNT(&set));
  return std::max(1U, std::thread::hardware_concurrency());
}

}  // namespace

Machine this_machine() {
  Machine machine;
  machine.cpu_model = proc_field("/proc/cpuinfo", "model name");
  if (machine.cpu_model.empty()) machine.cpu_model = "unknown";
  machine.vector_units = vector_units();
  const CgroupLimits limits = cgroup_limits();
  machine.cores = affinity_cores();
  if (limits.cores && *limits.cores < machine.cores) {
    machine.cores = std::max(1U, static_cast<unsigned>(std::lround(*limits.cores)));
  }
  machine.memory_bytes = static_cast<std::uint64_t>(sysconf(_SC_PHYS_PAGES)) *
                         static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
  machine.memory_bytes = std::min(machine.memory_bytes, limits.memory_bytes.value_or(UINT64_MAX));
  return machine;
}

std::uint64_t resident_bytes() {
  return proc_status_bytes("VmRSS");
}

// Not getrusage: its maximum is inherited from the process that forked this one.
std::uint64_t peak_resident_bytes() {
  return proc_status_bytes("VmHWM");
}

}  // namespace qbuild
