#pragma once
// Bounds on what a file may claim of a network, well above any published one of the architecture.

#include <cstddef>
#include <cstdint>

namespace qbuild::formats {

inline constexpr std::uint64_t kMaxLayers = 512;
inline constexpr std::uint64_t kMaxWidth = 1U << 18U;
inline constexpr std::size_t kMaxVocabulary = 1U << 19U;
inline constexpr std::uint64_t kMaxContext = 1U << 24U;

}  // namespace qbuild::formats
