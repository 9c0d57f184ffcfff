#include "models/throughput.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "tests/models/tiny_network.h"

namespace qbuild::models {
namespace {

// Each look takes one more millisecond than the look before, so every duration is known.
class SteppingClock final : public Clock {
 public:
  std::int64_t unix_ns() override { return monotonic_ns(); }
  std::int64_t monotonic_ns() override { return now_ns_ += step_ns_ += 1'000'000; }

 private:
  std::int64_t now_ns_ = 0;
  std::int64_t step_ns_ = 0;
};

Network tiny() {
  return Network::from_source(tiny_parameters(), TinySource(tiny_parameters()), {});
}

std::string message(const ThroughputOptions& options, std::stop_token stop = {}) {
  ThreadPool pool(1);
  SteppingClock clock;
  try {
    static_cast<void>(measure_throughput(tiny, pool, clock, options, std::move(stop)));
  } catch (const Error& error) {
    return error.message();
  }
  return "measured";
}

TEST(Throughput, CountsTokensPerSecondOfEveryRepetition) {
  ThreadPool pool(2);
  SteppingClock clock;
  std::vector<std::string> heard;
  const ThroughputResult result = measure_throughput(
      tiny, pool, clock, {.prompt = 30, .generate = 8, .repeat = 2, .first_token = 3}, {},
      [&](const std::string& text) { heard.push_back(text); });
  EXPECT_DOUBLE_EQ(result.load_seconds, 0.002);
  ASSERT_TRUE(result.prompt && result.generate);
  // The looks after loading: 3, then 4 ms later; 5, then 6 later.
  ASSERT_EQ(result.prompt->samples.size(), 2U);
  EXPECT_DOUBLE_EQ(result.prompt->samples[0], 30 / 0.004);
  EXPECT_DOUBLE_EQ(result.prompt->samples[1], 30 / 0.006);
  EXPECT_DOUBLE_EQ(result.prompt->mean, 6250);
  EXPECT_NEAR(result.prompt->standard_deviation, 1767.767, 1e-3);
  EXPECT_EQ(result.generate->tokens, 8U);
  EXPECT_DOUBLE_EQ(result.generate->samples[0], 8 / 0.008);
  EXPECT_EQ(heard,
            (std::vector<std::string>{"prompt 1/2", "prompt 2/2", "generate 1/2", "generate 2/2"}));
}

TEST(Throughput, SamplesTheMemory) {
  ThreadPool pool(1);
  const auto clock = make_system_clock();
  const MemoryUse memory =
      measure_throughput(tiny, pool, *clock, {.prompt = 20, .generate = 0, .repeat = 1}).memory;
  EXPECT_GT(memory.before, 0U);
  EXPECT_GT(memory.samples, 0U);
  EXPECT_LE(memory.minimum, memory.mean);
  EXPECT_LE(memory.mean, memory.maximum);
}

TEST(Throughput, LeavesOutATestOfNoTokens) {
  ThreadPool pool(1);
  SteppingClock clock;
  const auto result =
      measure_throughput(tiny, pool, clock, {.prompt = 0, .generate = 2, .repeat = 1});
  EXPECT_FALSE(result.prompt);
  ASSERT_TRUE(result.generate);
  EXPECT_EQ(result.generate->standard_deviation, 0.0);
}

TEST(Throughput, RefusesOptionsBeyondItsBounds) {
  EXPECT_EQ(message({.prompt = 0, .generate = 0}),
            "throughput: prompt and generate are both 0; there is nothing to do");
  EXPECT_EQ(message({.prompt = 1, .generate = 1, .repeat = 0}),
            "throughput: repeat 0 is not between 1 and 1000");
  EXPECT_EQ(message({.prompt = 2000000}),
            "throughput: prompt 2000000 and generate 128 must be at most 1048576 tokens");
  EXPECT_EQ(message({.prompt = 65, .generate = 1}),
            "throughput: prompt 65 and generate 1 must be at most the model's context of 64");
  EXPECT_EQ(message({.prompt = 1, .generate = 1, .first_token = 50}),
            "throughput: the first token 50 is outside the model's vocabulary of 50");
}

TEST(Throughput, StopsWhenAsked) {
  std::stop_source stop;
  stop.request_stop();
  EXPECT_EQ(message({.prompt = 4, .generate = 4}, stop.get_token()), "throughput: cancelled");
}

}  // namespace
}  // namespace qbuild::models
