#pragma once
// Sixteen groups of values at a time, one per lane: what encoders that search in lanes go over
// their blocks with.

#include <cstddef>
#include <cstdint>

#include "kernels/codec_table.h"

namespace qbuild::kernels {

// A block is kGroups groups of kValues values; kGroups divides sixteen. The lanes are a parameter
// so that each backend has this compiled for itself.
template <class L, std::size_t kValues, std::size_t kGroups, std::size_t kBlockBytes>
struct SixteenGroups {
  static constexpr std::size_t kBlocks = 16 / kGroups;  // that go together

  // All sixteen groups of values and importance can be read; where fewer blocks are left, the
  // others are zeros. importance is null where the job has none.
  struct Sixteen {
    const float* values;
    const float* importance;
    std::size_t blocks;
    std::uint8_t* out;
    const float* next;  // the values as far into the next job, to fetch; null: none
  };
  // Calls encode(sixteens, count) for up to kBatch of them: what waits in one of them for the end
  // of a chain is done while others go on.
  template <std::size_t kBatch, class Encode>
  static void for_each_batch(const EncodeJob& job, const Encode& encode) {
    constexpr std::size_t kPerBlock = kGroups * kValues;
    for (std::size_t b = 0; b < job.blocks;) {
      Sixteen batch[kBatch];
      float padded[2][16 * kValues];  // only the last of a job is padded
      std::size_t count = 0;
      do {
        const std::size_t left = job.blocks - b;
        const std::size_t blocks = left < kBlocks ? left : kBlocks;
        const bool has_next = kPerBlock * (b + kBlocks) <= job.following;
        batch[count] = {
            .values = pad(job.values + kPerBlock * b, kGroups * blocks, padded[0]),
            .importance = job.importance == nullptr
                              ? nullptr
                              : pad(job.importance + kPerBlock * b, kGroups * blocks, padded[1]),
            .blocks = blocks,
            .out = job.out + kBlockBytes * b,
            .next = has_next ? job.values + kPerBlock * (job.blocks + b) : nullptr};
        b += blocks;
        ++count;
      } while (count < kBatch && b < job.blocks);
      encode(batch, count);
    }
  }

  // Calls encode(values, importance, blocks, out) for one after the other.
  template <class Encode>
  static void for_each(const EncodeJob& job, const Encode& encode) {
    for_each_batch<1>(job, [&encode](const Sixteen* one, std::size_t /*count*/) {
      encode(one->values, one->importance, one->blocks, one->out);
    });
  }

 private:
  static const float* pad(const float* from, std::size_t groups, float* padded) {
    if (groups == 16) return from;
    __builtin_memcpy(padded, from, groups * kValues * sizeof(float));
    __builtin_memset(padded + groups * kValues, 0, (16 - groups) * kValues * sizeof(float));
    return padded;
  }
};

}  // namespace qbuild::kernels
