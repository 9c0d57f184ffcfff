#pragma once
// Buffers that go from hand to hand: whoever holds one last gives it back, on whatever thread, and
// it is used again.

#include <cstddef>
#include <memory>
#include <mutex>
#include <vector>

#include "base/unset_vector.h"

namespace qbuild::rules {

// Any thread. Held by shared_ptr, as its buffers may outlive whoever made it.
class BufferPool : public std::enable_shared_from_this<BufferPool> {
 public:
  using Buffer = UnsetVector<std::byte>;

  // Of any size, with any content.
  [[nodiscard]] std::shared_ptr<Buffer> take() {
    std::unique_ptr<Buffer> buffer;
    {
      const std::lock_guard lock(mutex_);
      if (!free_.empty()) {
        buffer = std::move(free_.back());
        free_.pop_back();
      }
    }
    if (!buffer) buffer = std::make_unique<Buffer>();
    return {buffer.release(), [pool = shared_from_this()](Buffer* given) {
              std::unique_ptr<Buffer> back(given);
              const std::lock_guard lock(pool->mutex_);
              pool->free_.push_back(std::move(back));
            }};
  }

 private:
  std::mutex mutex_;
  std::vector<std::unique_ptr<Buffer>> free_;
};

}  // namespace qbuild::rules
