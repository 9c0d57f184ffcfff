#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "manifests/key_table.h"

namespace qbuild::manifests {
namespace {

using testing::ElementsAre;
using testing::IsSupersetOf;

TEST(KeyTableOfQuants, HasWhatACommandSays) {
  EXPECT_THAT(key_names(Section::kQuant),
              IsSupersetOf({"type", "name", "base", "rules", "method", "run", "outputs", "inputs",
                            "environment", "resources", "tool"}));
}

TEST(KeyTableOfQuants, HasWhatIsMeasured) {
  EXPECT_THAT(key_names(Section::kBenchmark), ElementsAre("perplexity", "throughput"));
  EXPECT_THAT(key_names(Section::kPerplexity),
              ElementsAre("text", "name", "context", "chunks", "activations"));
  EXPECT_THAT(key_names(Section::kThroughput), ElementsAre("prompt", "generate", "repeat"));
  EXPECT_THAT(key_names(Section::kGates), IsSupersetOf({"perplexity", "perplexity_ratio"}));
}

TEST(KeyTableOfQuants, OnlyACommandsArgumentsKnowItsPaths) {
  for (const KeySpec& key : all_keys()) {
    const bool knows_paths = (key.variables & kRunPaths) != 0;
    EXPECT_EQ(knows_paths, key.name == "run") << key.name;
  }
}

}  // namespace
}  // namespace qbuild::manifests
