#pragma once
// The number of a process that was there and is gone.

#include <sys/wait.h>
#include <unistd.h>

#include <stdexcept>

namespace qbuild::test {

[[nodiscard]] inline int ended_process() {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(0);
  if (::waitpid(child, nullptr, 0) != child) throw std::runtime_error("no process to end");
  return child;
}

}  // namespace qbuild::test
