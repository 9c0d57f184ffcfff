#pragma once
// The fence around an action: whatever leaves it becomes an Error, so that one action's end is
// never the engine's or the worker's.

#include <functional>
#include <optional>

#include "base/error.h"

namespace qbuild::engine {

// Runs `body`. Nothing if it returned; its Error; kExhausted "out of memory" for std::bad_alloc;
// kInternal for any other exception. Thrown by code that was asked to stop, any of them counts as
// kCancelled.
[[nodiscard]] std::optional<Error> run_fenced(const std::function<void()>& body,
                                              const std::function<bool()>& stop_requested);

}  // namespace qbuild::engine
