#include "cli/process.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>

#include "engine/builder.h"

namespace qbuild::cli {
namespace {

// Enough for hundreds of actions at once; a program that closes every number that it might have
// open is still quick.
constexpr rlim_t kEnoughOpenFiles = 16384;
// The streams, the index and its journal, the run's journal, what is being read, what a process
// that is just started needs.
constexpr rlim_t kOpenFilesOfOurOwn = 28;
// A full batch of actions: for each the locks of its key and its scratch folder; for the one that
// runs its log and two pipes.
constexpr rlim_t kOpenFilesPerJob = 36;
// Of actions that run together each has its locks and its log open at once.
constexpr rlim_t kOpenFilesOfAWorker = 3;
constexpr rlim_t kOpenFilesPerFellow = 3;

void open_closed_streams() {
  for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::fcntl(stream, F_GETFD) >= 0 || errno != EBADF) continue;
    // The lowest number that is free, which is this one. Where even that fails there is nobody to
    // tell.
    (void)::open("/dev/null", O_RDWR);
  }
}

void raise_open_files() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  const rlim_t enough = std::min(limit.rlim_max, kEnoughOpenFiles);
  if (limit.rlim_cur >= enough) return;
  limit.rlim_cur = enough;
  // Refused, the limit stays as it is.
  (void)::setrlimit(RLIMIT_NOFILE, &limit);
}

rlim_t available_open_files() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return RLIM_INFINITY;
  return limit.rlim_cur - std::min(limit.rlim_cur, kOpenFilesOfOurOwn);
}

}  // namespace

void prepare_process() {
  open_closed_streams();
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);
  raise_open_files();
}

unsigned jobs_within_open_files(unsigned wanted) {
  const rlim_t available = available_open_files();
  if (available == RLIM_INFINITY) return wanted;
  const auto fitting =
      static_cast<unsigned>(std::clamp<rlim_t>(available / kOpenFilesPerJob, 1, kEnoughOpenFiles));
  return wanted == 0 ? fitting : std::min(wanted, fitting);
}

unsigned together_within_open_files(unsigned jobs) {
  const rlim_t available = available_open_files();
  if (available == RLIM_INFINITY || jobs == 0) return engine::kMaxTogether;
  const rlim_t of_one = available / jobs;
  return static_cast<unsigned>(
      std::clamp<rlim_t>((of_one - std::min(of_one, kOpenFilesOfAWorker)) / kOpenFilesPerFellow, 1,
                         engine::kMaxTogether));
}

}  // namespace qbuild::cli
