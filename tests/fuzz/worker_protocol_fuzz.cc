// Fuzz target: any line as what engine and worker say to each other. What is read must be written
// as it was read.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "base/error.h"
#include "engine/worker_protocol.h"
#include "tests/fuzz/attempt.h"

namespace {

using qbuild::engine::Batch;
using qbuild::engine::ExecutorEvent;

std::optional<Batch> batch_of(const std::string& line) {
  try {
    return qbuild::engine::parse_batch(line);
  } catch (const qbuild::Error&) {
    return std::nullopt;
  }
}

std::optional<ExecutorEvent> event_of(const std::string& line) {
  try {
    return qbuild::engine::parse_event(line);
  } catch (const qbuild::Error&) {
    return std::nullopt;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string line(data, data + size);
  qbuild::fuzz::attempt([&] { qbuild::engine::check_hello(line); });
  if (const auto batch = batch_of(line)) {
    const std::string written = qbuild::engine::batch_line(*batch);
    qbuild::fuzz::require(qbuild::engine::batch_line(qbuild::engine::parse_batch(written)) ==
                          written);
  }
  if (const auto event = event_of(line)) {
    const std::string written = qbuild::engine::event_line(*event);
    qbuild::fuzz::require(qbuild::engine::event_line(qbuild::engine::parse_event(written)) ==
                          written);
  }
  return 0;
}
