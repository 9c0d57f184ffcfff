#pragma once
// The limits of the template language. Templates and partials may come from anybody, so everything
// that a template can make grow is bounded here, far above what a model card needs. Together they
// keep a rendering under 2 seconds and 200 MB: tests/templates/hostile_test.cc.

#include <cstddef>
#include <cstdint>

namespace qbuild::templates {

// Text of one template or partial. The longest card template in use is a few kilobytes.
inline constexpr std::size_t kMaxTemplateBytes = std::size_t{1} << 20U;
// Pieces of text and tags of one template, and of all that a rendering loads: each becomes a node
// of some hundred bytes.
inline constexpr std::size_t kMaxTokens = 50000;
// What one rendering may produce.
inline constexpr std::size_t kMaxOutputBytes = std::size_t{16} << 20U;
// Blocks open at once in one template, a chain of `else if` counting one each.
inline constexpr std::size_t kMaxBlockDepth = 64;
// Blocks and partials open at once while rendering: a partial may include itself, but must come to
// an end. Together with the frame size of the renderer it keeps the stack far under a megabyte.
inline constexpr std::size_t kMaxRenderDepth = 256;
// One dotted name, and its parts, and `../` in front of one.
inline constexpr std::size_t kMaxPathBytes = 1024;
inline constexpr std::size_t kMaxPathParts = 32;
// The name of a partial, and the spaces in front of one that stands alone on its line.
inline constexpr std::size_t kMaxPartialNameBytes = 256;
inline constexpr std::size_t kMaxIndentBytes = 1024;
// One opening or closing delimiter.
inline constexpr std::size_t kMaxDelimiterBytes = 16;
// Steps of one rendering. A member compared counts one, a byte of a partial kByteSteps, a node
// visited and a turn of a loop kNodeSteps. Bounds the time without a clock, so that the same
// template fails in the same place on every machine.
inline constexpr std::uint64_t kMaxWork = std::uint64_t{1} << 24U;
inline constexpr std::uint64_t kNodeSteps = 16;
inline constexpr std::uint64_t kByteSteps = 4;
// One message, which may repeat what a template says.
inline constexpr std::size_t kMaxMessageBytes = 2000;

}  // namespace qbuild::templates
