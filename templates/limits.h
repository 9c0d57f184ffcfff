#pragma once
// The limits of the template language. Templates and partials may come from anybody, so everything
// that a template can make grow is bounded here, far above what a model card needs.

#include <cstddef>
#include <cstdint>

namespace qbuild::templates {

// Text of one template or partial. The longest card template in use is a few kilobytes.
inline constexpr std::size_t kMaxTemplateBytes = std::size_t{4} << 20;
// What one rendering may produce.
inline constexpr std::size_t kMaxOutputBytes = std::size_t{16} << 20;
// Blocks open at once in one template, a chain of `else if` counting one each.
inline constexpr std::size_t kMaxBlockDepth = 64;
// Blocks and partials open at once while rendering: a partial may include itself, but must come to
// an end. Together with the frame size of the renderer it keeps the stack far under a megabyte.
inline constexpr std::size_t kMaxRenderDepth = 256;
// Parts of one dotted name, and `../` in front of one.
inline constexpr std::size_t kMaxPathParts = 32;
// One opening or closing delimiter.
inline constexpr std::size_t kMaxDelimiterBytes = 16;
// Steps of one rendering: nodes visited, members compared, bytes parsed. Bounds the time without a
// clock, so that the same template fails in the same place on every machine.
inline constexpr std::uint64_t kMaxWork = std::uint64_t{1} << 24;

}  // namespace qbuild::templates
