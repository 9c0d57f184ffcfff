#pragma once
// What running actions hold, and whether one more fits.

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "base/file_system.h"
#include "engine/node.h"

namespace qbuild::engine {

struct ResourceLimits {
  unsigned jobs = 0;  // at once; 0: not bounded
  unsigned threads = 1;
  std::uint64_t memory_bytes = 0;  // 0: not bounded
};

// What actions of one batch hold as long as one of them is left: of threads as many as the one that
// needs most, of scratch what all of them need, since their results are waited for together.
//   in turn   of memory as much as the one that needs most
//   together  of memory as much as one needs and each of the others adds, whichever one that is
// None: nothing.
[[nodiscard]] Resources needs_in_turn(std::span<const Resources> actions);
[[nodiscard]] Resources needs_together(std::span<const Resources> actions);

class ResourcePools {
 public:
  explicit ResourcePools(ResourceLimits limits) : limits_(limits) {}

  struct Disk {
    fs::path store;  // lies there
    std::uint64_t free_bytes = 0;
  };
  // Why it could not even run alone, with the numbers: "needs 8 threads, and --threads allows 4".
  [[nodiscard]] std::optional<std::string> why_never(const Resources& need, const Disk& disk) const;

  [[nodiscard]] bool fits(const Resources& need, std::uint64_t free_disk_bytes) const;
  // Takes it if it fits now. What runs may not have written its scratch yet, so all of it is kept
  // free.
  [[nodiscard]] bool take(const Resources& need, std::uint64_t free_disk_bytes);
  void give_back(const Resources& need);

  [[nodiscard]] unsigned running() const { return running_; }

 private:
  ResourceLimits limits_;
  unsigned running_ = 0;
  unsigned threads_ = 0;
  std::uint64_t memory_bytes_ = 0;
  std::uint64_t scratch_bytes_ = 0;
  bool whole_machine_ = false;
};

}  // namespace qbuild::engine
