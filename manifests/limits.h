#pragma once
// Bounds on what a manifest may cost, each far above anything a person or a script has reason to
// write.

#include <cstddef>
#include <cstdint>

namespace qbuild::manifests {

inline constexpr std::uint64_t kMaxFileBytes = 4u << 20;
inline constexpr std::size_t kMaxDepth = 64;  // of nesting; the walks over a tree are recursive
inline constexpr std::size_t kMaxNodes =
    100000;  // of one file, those behind aliases counted each time
inline constexpr std::size_t kMaxFiles = 256;  // includes included
inline constexpr std::size_t kMaxTextBytes =
    8192;  // of one value, also after its variables are replaced
inline constexpr std::size_t kMaxModels = 10000;
inline constexpr std::size_t kMaxVariants = 1000;  // of one model
inline constexpr std::size_t kMaxSets = 1000;
// Defaults are laid under every model: what all models weigh together, in bytes.
inline constexpr std::size_t kMaxMergedBytes = 256u << 20;
// Names become parts of paths and of repository ids, which the Hub bounds so.
inline constexpr std::size_t kMaxNameBytes = 96;

}  // namespace qbuild::manifests
