#include "cli/output.h"

#include <poll.h>
#include <unistd.h>

#include <cstdio>

namespace qbuild::cli {
namespace {

constexpr int kFailed = 1;

bool reader_is_gone() {
  pollfd out{.fd = STDOUT_FILENO, .events = POLLOUT, .revents = 0};
  return ::poll(&out, 1, 0) > 0 && (out.revents & (POLLERR | POLLHUP)) != 0;
}

}  // namespace

void print_text(std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);
}

void print_error(std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stderr);
}

int finish_output(int exit_code) {
  std::fflush(stdout);
  if (std::ferror(stdout) == 0 || reader_is_gone()) return exit_code;
  print_error("stdout cannot be written, so what it says is incomplete; is its disk full?\n");
  const bool was_success = exit_code == 0;
  return was_success ? kFailed : exit_code;
}

}  // namespace qbuild::cli
