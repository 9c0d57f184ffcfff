#pragma once
// How fast a network runs and what memory it takes, by the procedure of llama-bench
// (docs/network.md): a prompt of random tokens, then single tokens one after the other, each
// repeated after one warm-up.

#include <cstdint>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/thread_pool.h"
#include "models/network.h"

namespace qbuild::models {

inline constexpr std::uint32_t kMaxThroughputTokens = 1U << 20;
inline constexpr std::uint32_t kMaxThroughputRepeats = 1000;

struct ThroughputOptions {
  std::uint32_t prompt = 512;    // tokens; 0 leaves the test out
  std::uint32_t generate = 128;  // tokens; 0 leaves the test out
  std::uint32_t repeat = 5;
  std::optional<std::int32_t> first_token = {};  // the BOS, for models that begin with one
  std::uint64_t seed = 0;                        // of the random tokens
};

struct Rate {
  std::uint32_t tokens = 0;
  double mean = 0;                // tokens per second
  double standard_deviation = 0;  // of the sample; 0 for one repetition
  std::vector<double> samples;    // one per repetition
};

// Resident memory of this process, in bytes.
struct MemoryUse {
  std::uint64_t before = 0;   // before loading
  std::uint64_t minimum = 0;  // the rest: from loading to the last token
  std::uint64_t maximum = 0;
  std::uint64_t mean = 0;
  std::uint64_t samples = 0;
};

struct ThroughputResult {
  double load_seconds = 0;
  std::optional<Rate> prompt;
  std::optional<Rate> generate;
  MemoryUse memory;
};

// `load` is timed; what it returns is measured with fast products. Throws kInvalidInput for options
// beyond the bounds above, kCancelled when `stop` asks. `progress` hears what was just finished
// ("prompt 3/5").
[[nodiscard]] ThroughputResult measure_throughput(
    const std::function<Network()>& load, ThreadPool& pool, Clock& clock,
    const ThroughputOptions& options, std::stop_token stop = {},
    const std::function<void(const std::string&)>& progress = {});

}  // namespace qbuild::models
