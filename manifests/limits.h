#pragma once
// Bounds on what a manifest may cost, each far above anything a person or a script has reason to
// write. Together they keep a load under 2 seconds and 200 MB, whatever the manifest says:
// tests/manifests/hostile_*_test.cc.

#include <cstddef>
#include <cstdint>

namespace qbuild::manifests {

// ---- files: what is named and everything that it includes, together ----

inline constexpr std::uint64_t kMaxFileBytes = std::uint64_t{2} << 20U;
inline constexpr std::size_t kMaxFiles = 256;
inline constexpr std::size_t kMaxNodes = 100000;  // those behind aliases counted each time
// Of all trees: those that were read, and one more for each file that includes others.
inline constexpr std::size_t kMaxTreeBytes = std::size_t{32} << 20U;
inline constexpr std::size_t kMaxDepth = 64;  // of nesting; the walks over a tree are recursive

// ---- values ----

// Of one value, also after its variables are replaced.
inline constexpr std::size_t kMaxTextBytes = 8192;
// Names become parts of paths and of repository ids, which the Hub bounds so.
inline constexpr std::size_t kMaxNameBytes = 96;
// Linux takes no longer path. A path in memory is a list of its parts, each far larger than its
// text.
inline constexpr std::size_t kMaxPathBytes = 4095;
inline constexpr std::size_t kMaxPathParts = 128;
inline constexpr std::size_t kMaxPathPartBytes = 255;

// ---- what values become ----

inline constexpr std::size_t kMaxModels = 10000;
inline constexpr std::size_t kMaxVariants = 1000;  // of one model
inline constexpr std::size_t kMaxSets = 1000;
// Variables of a matrix. Its combinations are bounded by kMaxModels.
inline constexpr std::size_t kMaxMatrixVariables = 16;
inline constexpr std::size_t kMaxExcludes = 1000;  // each is compared with every combination
// Defaults are laid under every model: what is copied and looked at for all models, in bytes.
inline constexpr std::size_t kMaxWorkBytes = std::size_t{256} << 20U;
// What all models hold in memory.
inline constexpr std::size_t kMaxKeptBytes = std::size_t{96} << 20U;

}  // namespace qbuild::manifests
