#pragma once
// What a call costs: seconds of processor and growth of memory, measured in a forked child so that
// neither earlier tests nor a runaway closure disturb the answer.
//
//   std::string input = a_huge_text();               // made before: not counted
//   const Cost cost = bounded([&] { return message_of(input); });
//   EXPECT_EQ(cost.said, "in.yaml:1:1: ...");
//   EXPECT_LT(cost.cpu_seconds, 2.0);
//   EXPECT_LT(cost.grown_mib, 200);
//
// Assertions inside the closure are lost with the child: let it return what is to be compared.
// Threads of the test do not exist in the child, so the closure starts its own.
//
// Under address and thread sanitizers, whose bookkeeping is neither fast nor small and does not
// survive limits or forks, the closure runs in the test itself and both costs are 0.

#include <malloc.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <exception>
#include <stdexcept>
#include <string>
#include <utility>

#include "tests/base/sanitized.h"

namespace qbuild::test {

struct Cost {
  std::string said;        // what the closure returned
  std::string failure;     // empty, or how it ended instead: "threw: WHAT", "signal 11"
  double cpu_seconds = 0;  // user and system, all threads
  double grown_mib = 0;    // highest resident memory over that at the start
};

// Above everything that a test may find acceptable: they keep a runaway from taking the machine
// along. The first ends in std::bad_alloc, the second also where the closure only waits.
inline constexpr rlim_t kRunawayBytes = rlim_t{4} << 30;
inline constexpr unsigned kRunawaySeconds = 30;

namespace bounded_detail {

struct Usage {
  double cpu_seconds = 0;
  double peak_mib = 0;
};

inline Usage usage_now() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
  };
  return {seconds(usage.ru_utime) + seconds(usage.ru_stime),
          static_cast<double>(usage.ru_maxrss) / 1024};
}

// What the child sends in front of the text.
struct Header {
  bool threw = false;
  double cpu_seconds = 0;
  double grown_mib = 0;
};

inline void write_all(int pipe, const void* bytes, std::size_t size) {
  const char* at = static_cast<const char*>(bytes);
  while (size > 0) {
    const ssize_t written = write(pipe, at, size);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) _exit(1);
    at += written;
    size -= static_cast<std::size_t>(written);
  }
}

inline std::string read_all(int pipe) {
  std::string all;
  char buffer[4096];
  for (;;) {
    const ssize_t got = read(pipe, buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return all;
    all.append(buffer, static_cast<std::size_t>(got));
  }
}

// `said` or `failure` of what the closure does.
template <typename Closure>
Cost call(Closure& closure) {
  Cost cost;
  try {
    cost.said = closure();
  } catch (const std::exception& error) {
    cost.failure = std::string("threw: ") + error.what();
  }
  return cost;
}

template <typename Closure>
[[noreturn]] void run_child(Closure& closure, int pipe) {
  const rlimit memory{kRunawayBytes, kRunawayBytes};
  setrlimit(RLIMIT_AS, &memory);
  const rlimit no_core{0, 0};
  setrlimit(RLIMIT_CORE, &no_core);
  alarm(kRunawaySeconds);

  const Usage before = usage_now();
  const Cost cost = call(closure);
  const Usage after = usage_now();

  const std::string& text = cost.failure.empty() ? cost.said : cost.failure;
  const Header header{!cost.failure.empty(), after.cpu_seconds - before.cpu_seconds,
                      after.peak_mib - before.peak_mib};
  write_all(pipe, &header, sizeof header);
  write_all(pipe, text.data(), text.size());
  _exit(0);
}

inline std::string end_of(pid_t child) {
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFSIGNALED(status)) return "signal " + std::to_string(WTERMSIG(status));
  if (WEXITSTATUS(status) != 0) return "exit " + std::to_string(WEXITSTATUS(status));
  return "";
}

template <typename Closure>
Cost measured_once(Closure& closure) {
  // What earlier tests freed is given back first: the child would reuse it and not seem to grow.
  malloc_trim(0);
  int ends[2];
  if (pipe(ends) != 0) throw std::runtime_error("cannot make a pipe");
  const pid_t child = fork();
  if (child < 0) throw std::runtime_error("cannot fork");
  if (child == 0) {
    close(ends[0]);
    run_child(closure, ends[1]);
  }
  close(ends[1]);
  std::string answer = read_all(ends[0]);
  close(ends[0]);

  Cost cost;
  cost.failure = end_of(child);
  Header header;
  if (answer.size() < sizeof header) {
    if (cost.failure.empty()) cost.failure = "no answer";
    return cost;
  }
  answer.copy(reinterpret_cast<char*>(&header), sizeof header);
  answer.erase(0, sizeof header);
  cost.cpu_seconds = header.cpu_seconds;
  cost.grown_mib = header.grown_mib;
  (header.threw ? cost.failure : cost.said) = std::move(answer);
  return cost;
}

// A processor that others use at the same time needs more seconds for the same work: what took this
// many may not be the closure's own.
inline constexpr double kDoubtfulSeconds = 1;
inline constexpr int kMeasurements = 4;

}  // namespace bounded_detail

// closure: returns something that converts to std::string; called again where it seems slow. The
// cost is that of the call that took the fewest seconds.
template <typename Closure>
[[nodiscard]] Cost bounded(Closure&& closure) {
  if (kIsSanitized) return bounded_detail::call(closure);
  Cost least = bounded_detail::measured_once(closure);
  for (int i = 1; i < bounded_detail::kMeasurements; ++i) {
    if (!least.failure.empty() || least.cpu_seconds < bounded_detail::kDoubtfulSeconds) break;
    Cost again = bounded_detail::measured_once(closure);
    if (again.cpu_seconds < least.cpu_seconds) least = std::move(again);
  }
  return least;
}

}  // namespace qbuild::test
