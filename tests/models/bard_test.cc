// The trained checkpoint of examples/: numbers that another implementation measured.

#include <gtest/gtest.h>

#include <string>

#include "base/file_system.h"
#include "models/generate.h"
#include "models/network.h"
#include "models/perplexity.h"
#include "models/tokenizer.h"
#include "tests/base/sanitized.h"

namespace qbuild::models {
namespace {

const fs::path kFolder = fs::path(QBUILD_SOURCE_DIR) / "examples/models/bard-llama";

class Bard : public testing::Test {
 protected:
  PerplexityResult perplexity(kernels::Backend backend, kernels::ActivationMode mode,
                              unsigned threads, std::uint32_t chunks) {
    const Network network = Network::load(*file_system_, kFolder, {backend, mode});
    std::string text = read_file(*file_system_, kFolder / "heldout.txt", 1U << 20U);
    if (text.ends_with('\n')) text.pop_back();
    const auto tokens = tokenizer_.encode(text, AddSpecial::kYes);
    EXPECT_EQ(tokens.size(), 45709U);
    ThreadPool pool(threads);
    return measure_perplexity(network, pool, tokens,
                              {.context = 256, .chunks = chunks, .first_token = tokenizer_.bos()});
  }

  std::unique_ptr<FileSystem> file_system_ = make_posix_file_system();
  Tokenizer tokenizer_ = load_tokenizer(*file_system_, kFolder);
};

TEST_F(Bard, HasThePerplexityThatTransformersMeasures) {
  const bool all = !test::kIsSanitized;
  const PerplexityResult result =
      perplexity(kernels::best_backend(), kernels::ActivationMode::kF32, 2, all ? 0 : 4);
  EXPECT_EQ(result.tokens_scored, all ? 22606U : 508U);
  EXPECT_NEAR(result.perplexity, all ? 35.62507 : 17.38170, 0.0002);
}

TEST_F(Bard, HasTheSamePerplexityOnEveryBackendToTheLastDigit) {
  for (const auto mode : {kernels::ActivationMode::kReference, kernels::ActivationMode::kF32}) {
    EXPECT_EQ(perplexity(kernels::Backend::kScalar, mode, 2, 2),
              perplexity(kernels::best_backend(), mode, 1, 2));
  }
}

TEST_F(Bard, ContinuesAsTransformersDoes) {
  for (const Products products : {Products::kDefined, Products::kFast}) {
    const Network network = Network::load(
        *file_system_, kFolder, {kernels::best_backend(), kernels::ActivationMode::kReference});
    ThreadPool pool(2);
    const auto prompt = tokenizer_.encode("ROMEO:\n", AddSpecial::kYes);
    const auto tokens = generate(network, pool, prompt, {.max_tokens = 12, .products = products});
    EXPECT_TRUE(tokenizer_.decode(tokens).starts_with("I'll tell you, my lord."))
        << tokenizer_.decode(tokens);
  }
}

}  // namespace
}  // namespace qbuild::models
