#include "engine/resources.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/bytes.h"
#include "base/check.h"
#include "engine/progress_lines.h"

namespace qbuild::engine {
namespace {

// Two amounts of which the first is larger, in the unit that suits each; to the byte where rounding
// would make them look the same.
struct Amounts {
  std::string need;
  std::string allowed;
};

Amounts amounts(std::uint64_t need, std::uint64_t allowed) {
  Amounts shown{bytes_text(static_cast<double>(need)), bytes_text(static_cast<double>(allowed))};
  if (shown.need != shown.allowed) return shown;
  return {fmt::format("{} B", need), fmt::format("{} B", allowed)};
}

bool exceeds(std::uint64_t taken, std::uint64_t need, std::uint64_t limit) {
  const std::optional<std::uint64_t> sum = checked_add(taken, need);
  return !sum || *sum > limit;
}

std::uint64_t sum_of(std::uint64_t a, std::uint64_t b) {
  return checked_add(a, b).value_or(UINT64_MAX);
}

// No more than alone.
std::uint64_t added_memory(const Resources& action) {
  return std::min(action.memory_bytes, action.memory_together_bytes.value_or(action.memory_bytes));
}

}  // namespace

Resources needs_in_turn(std::span<const Resources> actions) {
  if (actions.empty()) return {.threads = 0};
  Resources all = actions.front();
  for (const Resources& next : actions.subspan(1)) {
    all.threads = std::max(all.threads, next.threads);
    all.memory_bytes = std::max(all.memory_bytes, next.memory_bytes);
    all.scratch_bytes = sum_of(all.scratch_bytes, next.scratch_bytes);
  }
  return all;
}

Resources needs_together(std::span<const Resources> actions) {
  Resources all = needs_in_turn(actions);
  std::uint64_t added = 0;
  std::uint64_t most_beyond_added = 0;
  for (const Resources& action : actions) {
    added = sum_of(added, added_memory(action));
    most_beyond_added = std::max(most_beyond_added, action.memory_bytes - added_memory(action));
  }
  all.memory_bytes = sum_of(added, most_beyond_added);
  return all;
}

std::optional<std::string> ResourcePools::why_never(const Resources& need, const Disk& disk) const {
  if (need.threads > limits_.threads) {
    return fmt::format("needs {} threads, and --threads allows {}", need.threads, limits_.threads);
  }
  if (limits_.memory_bytes != 0 && need.memory_bytes > limits_.memory_bytes) {
    const Amounts memory = amounts(need.memory_bytes, limits_.memory_bytes);
    return fmt::format("needs {} of memory, and this machine allows {}", memory.need,
                       memory.allowed);
  }
  if (running_ == 0 && need.scratch_bytes > disk.free_bytes) {
    const Amounts room = amounts(need.scratch_bytes, disk.free_bytes);
    return fmt::format(
        "needs {} on the disk of the store {}, and {} are free; free some, or point --store "
        "elsewhere",
        room.need, disk.store.string(), room.allowed);
  }
  return std::nullopt;
}

bool ResourcePools::fits(const Resources& need, std::uint64_t free_disk_bytes) const {
  if (whole_machine_ || (need.whole_machine && running_ > 0)) return false;
  if (limits_.jobs != 0 && running_ >= limits_.jobs) return false;
  if (exceeds(threads_, need.threads, limits_.threads)) return false;
  if (limits_.memory_bytes != 0 &&
      exceeds(memory_bytes_, need.memory_bytes, limits_.memory_bytes)) {
    return false;
  }
  return need.scratch_bytes == 0 || !exceeds(scratch_bytes_, need.scratch_bytes, free_disk_bytes);
}

bool ResourcePools::take(const Resources& need, std::uint64_t free_disk_bytes) {
  if (!fits(need, free_disk_bytes)) return false;
  ++running_;
  threads_ += need.threads;
  memory_bytes_ += need.memory_bytes;
  scratch_bytes_ += need.scratch_bytes;
  whole_machine_ = need.whole_machine;
  return true;
}

void ResourcePools::give_back(const Resources& need) {
  check(running_ > 0 && threads_ >= need.threads, "only what was taken is given back");
  --running_;
  threads_ -= need.threads;
  memory_bytes_ -= need.memory_bytes;
  scratch_bytes_ -= need.scratch_bytes;
  if (need.whole_machine) whole_machine_ = false;
}

}  // namespace qbuild::engine
