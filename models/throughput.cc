#include "models/throughput.h"

#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <condition_variable>
#include <limits>
#include <mutex>
#include <thread>

#include "base/error.h"
#include "base/machine.h"
#include "models/random.h"

namespace qbuild::models {
namespace {

// A prompt goes through the network in pieces of this many tokens, as llama.cpp's default does.
constexpr std::size_t kBatchTokens = 512;

// Looks at this process's memory now and then, in a thread of its own, from construction to
// finish().
class MemorySampler {
 public:
  MemorySampler() {
    use_.before = resident_bytes();
    use_.minimum = std::numeric_limits<std::uint64_t>::max();
    thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
  }

  MemoryUse finish() {
    thread_.request_stop();
    thread_.join();
    sample();
    use_.mean = sum_ / use_.samples;
    return use_;
  }

 private:
  void run(const std::stop_token& stop) {
    constexpr auto kEvery = std::chrono::milliseconds(10);
    std::unique_lock lock(mutex_);
    while (!stop.stop_requested()) {
      sample();
      wake_.wait_for(lock, stop, kEvery, [] { return false; });
    }
  }

  void sample() {
    const std::uint64_t now = resident_bytes();
    use_.minimum = std::min(use_.minimum, now);
    use_.maximum = std::max(use_.maximum, now);
    sum_ += now;
    ++use_.samples;
  }

  MemoryUse use_;
  std::uint64_t sum_ = 0;
  std::mutex mutex_;
  std::condition_variable_any wake_;
  std::jthread thread_;
};

class Bench {
 public:
  Bench(const Network& network, ThreadPool& pool, Clock& clock, const ThroughputOptions& options,
        std::stop_token stop)
      : network_(network),
        pool_(pool),
        clock_(clock),
        options_(options),
        stop_(std::move(stop)),
        random_(options.seed),
        cache_(network.make_cache(std::max(options.prompt, options.generate))) {}

  // `run` is timed once per repetition, after one call that warms up.
  template <typename WarmUp, typename Run, typename Progress>
  Rate measure(std::uint32_t tokens, const WarmUp& warm_up, const Run& run,
               const Progress& progress) {
    warm_up();
    Rate rate;
    rate.tokens = tokens;
    for (std::uint32_t i = 0; i < options_.repeat; ++i) {
      cache_.clear();
      const std::int64_t start = clock_.monotonic_ns();
      run();
      const auto elapsed =
          static_cast<double>(std::max<std::int64_t>(1, clock_.monotonic_ns() - start));
      rate.samples.push_back(static_cast<double>(tokens) * 1e9 / elapsed);
      progress(i + 1);
    }
    summarize(rate);
    return rate;
  }

  void prompt() {
    const std::vector<std::int32_t> tokens = random_tokens(options_.prompt);
    for (std::size_t at = 0; at < tokens.size(); at += kBatchTokens) {
      feed(std::span(tokens).subspan(at, std::min(kBatchTokens, tokens.size() - at)));
    }
  }

  void generate(std::uint32_t count) {
    const std::vector<std::int32_t> tokens = random_tokens(count);
    for (const std::int32_t& token : tokens) feed(std::span(&token, 1));
  }

  void clear() { cache_.clear(); }

 private:
  // Only the last token's logits are computed, as for a prompt that is to be continued.
  void feed(std::span<const std::int32_t> tokens) {
    if (stop_.stop_requested()) throw Error(ErrorKind::kCancelled, "throughput: cancelled");
    const auto last = static_cast<std::uint32_t>(tokens.size() - 1);
    const SequenceInput input{&cache_, tokens, std::span(&last, 1)};
    static_cast<void>(network_.forward(std::span(&input, 1), pool_, Products::kFast));
  }

  std::vector<std::int32_t> random_tokens(std::size_t count) {
    std::vector<std::int32_t> tokens;
    for (std::size_t i = 0; i < count; ++i) {
      tokens.push_back(
          static_cast<std::int32_t>(random_.next() % network_.hyper_parameters().vocabulary));
    }
    if (options_.first_token && !tokens.empty()) tokens.front() = *options_.first_token;
    return tokens;
  }

  static void summarize(Rate& rate) {
    const auto count = static_cast<double>(rate.samples.size());
    for (const double sample : rate.samples) rate.mean += sample / count;
    double squares = 0;
    for (const double sample : rate.samples) squares += (sample - rate.mean) * (sample - rate.mean);
    if (rate.samples.size() > 1) rate.standard_deviation = std::sqrt(squares / (count - 1));
  }

  const Network& network_;
  ThreadPool& pool_;
  Clock& clock_;
  const ThroughputOptions& options_;
  std::stop_token stop_;
  SplitMix64 random_;
  KvCache cache_;
};

void check_options(const ThroughputOptions& options) {
  if (options.prompt > kMaxThroughputTokens || options.generate > kMaxThroughputTokens) {
    throw Error(ErrorKind::kInvalidInput,
                fmt::format("throughput: prompt {} and generate {} must be at most {} tokens",
                            options.prompt, options.generate, kMaxThroughputTokens));
  }
  if (options.repeat == 0 || options.repeat > kMaxThroughputRepeats) {
    throw Error(ErrorKind::kInvalidInput,
                fmt::format("throughput: repeat {} is not between 1 and {}", options.repeat,
                            kMaxThroughputRepeats));
  }
  if (options.prompt == 0 && options.generate == 0) {
    throw Error(ErrorKind::kInvalidInput,
                "throughput: prompt and generate are both 0; there is nothing to do");
  }
}

void check_model(const ThroughputOptions& options, const HyperParameters& parameters) {
  const std::uint64_t context = parameters.context;
  if (options.prompt > context || options.generate > context) {
    throw Error(
        ErrorKind::kInvalidInput,
        fmt::format(
            "throughput: prompt {} and generate {} must be at most the model's context of {}",
            options.prompt, options.generate, context));
  }
  if (options.first_token &&
      (*options.first_token < 0 ||
       static_cast<std::uint64_t>(*options.first_token) >= parameters.vocabulary)) {
    throw Error(
        ErrorKind::kInvalidInput,
        fmt::format("throughput: the first token {} is outside the model's vocabulary of {}",
                    *options.first_token, parameters.vocabulary));
  }
}

}  // namespace

ThroughputResult measure_throughput(const std::function<Network()>& load, ThreadPool& pool,
                                    Clock& clock, const ThroughputOptions& options,
                                    std::stop_token stop,
                                    const std::function<void(const std::string&)>& progress) {
  check_options(options);
  const auto tell = [&](std::string_view test) {
    return [&, test](std::uint32_t done) {
      if (progress) progress(fmt::format("{} {}/{}", test, done, options.repeat));
    };
  };
  ThroughputResult result;
  MemorySampler memory;
  const std::int64_t start = clock.monotonic_ns();
  const Network network = load();
  result.load_seconds = static_cast<double>(clock.monotonic_ns() - start) / 1e9;
  check_model(options, network.hyper_parameters());
  Bench bench(network, pool, clock, options, std::move(stop));
  const auto prompt = [&] { bench.prompt(); };
  if (options.prompt > 0)
    result.prompt = bench.measure(options.prompt, prompt, prompt, tell("prompt"));
  if (options.generate > 0) {
    bench.clear();
    result.generate = bench.measure(
        options.generate, [&] { bench.generate(1); }, [&] { bench.generate(options.generate); },
        tell("generate"));
  }
  result.memory = memory.finish();
  return result;
}

}  // namespace qbuild::models
