#pragma once
// Vectors whose new elements are not set: for what is written over at once, as files that are read
// and values that are computed.

#include <memory>
#include <utility>
#include <vector>

namespace qbuild {

template <class T>
struct LeavesUnset : std::allocator<T> {
  LeavesUnset() = default;
  template <class U>
  explicit LeavesUnset(const LeavesUnset<U>& /*other*/) noexcept {}

  template <class U>
  void construct(U* at) noexcept {
    ::new (static_cast<void*>(at)) U;
  }
  template <class U, class... Arguments>
  void construct(U* at, Arguments&&... arguments) {
    ::new (static_cast<void*>(at)) U(std::forward<Arguments>(arguments)...);
  }
};

template <class T>
using UnsetVector = std::vector<T, LeavesUnset<T>>;

}  // namespace qbuild
