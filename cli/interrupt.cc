#include "cli/interrupt.h"

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <thread>

namespace qbuild::cli {
namespace {

sigset_t watched_signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGHUP);
  sigaddset(&set, SIGUSR2);  // our own: the watcher should end
  return set;
}

}  // namespace

// A thread waits for the signals instead of a handler catching them: so the stop can do anything,
// and no global is needed. The signals are blocked before any other thread starts and so
// everywhere.
struct Interrupt::State {
  std::stop_source source;
  std::thread watcher;
};

Interrupt::Interrupt() : state_(std::make_unique<State>()) {
  const sigset_t set = watched_signals();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  state_->watcher = std::thread([source = state_->source, set]() mutable {
    for (;;) {
      int signal_number = 0;
      if (sigwait(&set, &signal_number) != 0 || signal_number == SIGUSR2) return;
      if (source.stop_requested()) _exit(128 + signal_number);
      source.request_stop();
    }
  });
}

Interrupt::~Interrupt() {
  pthread_kill(state_->watcher.native_handle(), SIGUSR2);
  state_->watcher.join();
}

std::stop_token Interrupt::token() const {
  return state_->source.get_token();
}

}  // namespace qbuild::cli
