#include "models/generate.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/error.h"
#include "tests/models/tiny_network.h"

namespace qbuild::models {
namespace {

class Generate : public testing::Test {
 protected:
  std::vector<std::int32_t> run(std::size_t prompt, const GenerateOptions& options,
                                const std::stop_token& stop = {}) {
    ThreadPool pool(1);
    const std::vector<std::int32_t> tokens = some_tokens(prompt);
    return generate(network_, pool, tokens, options, stop,
                    [&](std::int32_t t) { heard_.push_back(t); });
  }
  std::string message(std::size_t prompt, const GenerateOptions& options,
                      const std::stop_token& stop = {}) {
    try {
      static_cast<void>(run(prompt, options, std::move(stop)));
    } catch (const Error& error) {
      return error.message();
    }
    return "generated";
  }

  Network network_ = Network::from_source(tiny_parameters(), TinySource(tiny_parameters()), {});
  std::vector<std::int32_t> heard_;
};

TEST_F(Generate, TakesTheBestTokenOfEachPosition) {
  const auto result = run(5, {.max_tokens = 6, .products = Products::kDefined});
  ASSERT_EQ(result.size(), 6U);
  EXPECT_EQ(heard_, result);
  std::vector<std::int32_t> tokens = some_tokens(5);
  for (const std::int32_t token : result) {
    const std::vector<float> logits = all_logits(network_, tokens);
    EXPECT_EQ(std::max_element(logits.end() - 50, logits.end()) - (logits.end() - 50), token);
    tokens.push_back(token);
  }
}

TEST_F(Generate, EndsBeforeAStopToken) {
  const auto all = run(5, {.max_tokens = 6});
  const auto some = run(5, {.max_tokens = 6, .stop_tokens = {all[3]}});
  const auto end = std::find(all.begin(), all.end(), all[3]);
  EXPECT_EQ(some, std::vector<std::int32_t>(all.begin(), end));
}

TEST_F(Generate, GivesTheSameTokensForTheSameSeed) {
  const GenerateOptions options{.max_tokens = 10, .sampler = {.temperature = 1, .seed = 4}};
  EXPECT_EQ(run(3, options), run(3, options));
}

TEST_F(Generate, RefusesAnEmptyPromptAndOneThatIsTooLong) {
  EXPECT_EQ(message(0, {}), "generate: the prompt is empty; it needs at least one token");
  EXPECT_EQ(
      message(60, {.max_tokens = 5}),
      "generate: 60 prompt tokens and 5 new ones exceed the model's context of 64; ask for fewer");
}

TEST_F(Generate, StopsWhenAsked) {
  std::stop_source stop;
  stop.request_stop();
  EXPECT_EQ(message(3, {.max_tokens = 4}, stop.get_token()), "generate: cancelled");
}

}  // namespace
}  // namespace qbuild::models
