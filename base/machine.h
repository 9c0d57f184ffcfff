#pragma once
// What this machine is: part of every record, and of the key of a speed measurement.

#include <cstdint>
#include <string>

namespace qbuild {

struct Machine {
  std::string cpu_model;           // as the system names it
  std::string vector_units;        // "avx2", "avx512", "baseline"
  unsigned cores = 1;              // that this process may use (affinity and cgroup)
  std::uint64_t memory_bytes = 0;  // that this process may use (cgroup)
};

[[nodiscard]] Machine this_machine();

// Of this process, in bytes: now, and the peak so far.
[[nodiscard]] std::uint64_t resident_bytes();
[[nodiscard]] std::uint64_t peak_resident_bytes();

}  // namespace qbuild
