// Whole manifests. What becomes of them when they are spoilt at random is in mutation_test.cc.

#include "tests/manifests/samples.h"

#include <gtest/gtest.h>

#include "tests/manifests/support.h"

namespace qbuild::manifests {
namespace {

TEST(Samples, TheSmallOneLoads) {
  Project project;
  const Model model = project.model(kSmallSample);
  EXPECT_EQ(model.name, "smollm2");
  EXPECT_EQ(model.variants.size(), 2u);
}

TEST(Samples, TheFullOneLoads) {
  Project project;
  project.put("common.yaml", "licenses: [x]\n");
  const LoadResult result = project.try_load_text(kFullSample);
  ASSERT_EQ(format(std::span<const Diagnostic>(result.diagnostics)), "");
  ASSERT_EQ(result.manifest.models.size(), 3u);
  const Model& model = result.manifest.models[0];
  ASSERT_EQ(model.variants.size(), 4u);
  EXPECT_EQ(model.variants[3].name, "my-tool");
  EXPECT_EQ(model.publish->variants[2].file, "tiny-smol-Q4_K_M.gguf");
  EXPECT_EQ(result.manifest.models[1].name, "qwen2.5-tiny");
  EXPECT_EQ(result.manifest.models[2].name, "qwen2.5-small");
  EXPECT_EQ(result.manifest.models[2].variants.size(), 3u);
}

}  // namespace
}  // namespace qbuild::manifests
