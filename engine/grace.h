#pragma once
// How long each may take to end after it was asked to, from the inside out: a tool, the worker that
// started it, the engine that waits for the worker. Each is ended by force after its own time, so
// the outer one is never in the way of the inner one's.

#include <chrono>

namespace qbuild::engine {

inline constexpr std::chrono::milliseconds kToolGrace{3000};
inline constexpr std::chrono::milliseconds kWorkerGrace{3500};
inline constexpr std::chrono::milliseconds kCancelGrace{4000};
static_assert(kToolGrace < kWorkerGrace && kWorkerGrace < kCancelGrace);

}  // namespace qbuild::engine
