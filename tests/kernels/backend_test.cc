#include "kernels/backend.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"

namespace qbuild::kernels {
namespace {

std::string message_of(std::string_view name, ErrorKind kind) {
  try {
    static_cast<void>(backend_from_name(name));
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), kind);
    return error.message();
  }
  return "nothing was thrown";
}

TEST(Backend, ScalarRunsEverywhere) {
  EXPECT_EQ(backend_obstacle(Backend::kScalar), "");
  EXPECT_EQ(backend_from_name("scalar"), Backend::kScalar);
}

TEST(Backend, BestIsTheLastOneWithoutAnObstacle) {
  const Backend best = best_backend();
  EXPECT_EQ(backend_obstacle(best), "");
  for (const Backend backend : all_backends()) {
    if (backend > best) {
      EXPECT_NE(backend_obstacle(backend), "") << backend_name(backend);
    }
  }
}

TEST(Backend, NameGivesTheBackendOrSaysWhatTheMachineLacks) {
  for (const Backend backend : all_backends()) {
    const std::string obstacle = backend_obstacle(backend);
    if (obstacle.empty()) {
      EXPECT_EQ(backend_from_name(backend_name(backend)), backend);
    } else {
      EXPECT_EQ(message_of(backend_name(backend), ErrorKind::kUnsupported),
                "backend \"" + std::string(backend_name(backend)) + "\": " + obstacle +
                    "; the fastest it can run is \"" + std::string(backend_name(best_backend())) +
                    "\"");
    }
  }
}

TEST(Backend, RefusesAnUnknownNameAndSuggestsTheNearest) {
  EXPECT_EQ(message_of("avx3", ErrorKind::kInvalidInput),
            "unknown backend \"avx3\"; did you mean \"avx2\"? (there are scalar, avx2 and avx512)");
  EXPECT_EQ(message_of("", ErrorKind::kInvalidInput),
            "unknown backend \"\" (there are scalar, avx2 and avx512)");
}

TEST(Backend, NamesAreDistinct) {
  EXPECT_EQ(backend_name(Backend::kScalar), "scalar");
  EXPECT_EQ(backend_name(Backend::kAvx2), "avx2");
  EXPECT_EQ(backend_name(Backend::kAvx512), "avx512");
  EXPECT_THAT(all_backends(),
              testing::ElementsAre(Backend::kScalar, Backend::kAvx2, Backend::kAvx512));
}

}  // namespace
}  // namespace qbuild::kernels
