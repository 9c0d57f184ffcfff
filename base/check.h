#pragma once
// Invariants of our own. A failure is a bug in qbuild: the process ends with file and line, in
// release builds too. Never for anything that came from outside; that is an Error.

namespace qbuild {

[[noreturn]] void check_failed(const char* what_should_hold, const char* file, int line);

inline void check(bool condition, const char* what_should_hold, const char* file = __builtin_FILE(),
                  int line = __builtin_LINE()) {
  if (!condition) [[unlikely]]
    check_failed(what_should_hold, file, line);
}

}  // namespace qbuild
