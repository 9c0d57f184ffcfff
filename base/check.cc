#include "base/check.h"

#include <cstdio>
#include <cstdlib>

namespace qbuild {

void check_failed(const char* what_should_hold, const char* file, int line) {
  // No formatting library and no allocation: the heap may be what is broken.
  std::fprintf(stderr, "qbuild: internal error at %s:%d: %s does not hold\n", file, line,
               what_should_hold);
  std::abort();
}

}  // namespace qbuild
