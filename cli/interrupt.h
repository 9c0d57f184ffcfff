#pragma once
// Ctrl-C as a stop token. While one of these lives, the first SIGINT, SIGTERM or SIGHUP asks for a
// stop; a second one ends the process at once.

#include <memory>
#include <stop_token>

namespace qbuild::cli {

class Interrupt {
 public:
  Interrupt();
  ~Interrupt();
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;

  [[nodiscard]] std::stop_token token() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace qbuild::cli
