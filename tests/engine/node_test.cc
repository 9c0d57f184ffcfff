#include "engine/node.h"

#include <gtest/gtest.h>

namespace qbuild::engine {
namespace {

TEST(Status, NamesComeBack) {
  for (const Status status : {Status::kReady, Status::kHeld, Status::kFailed, Status::kSkipped}) {
    EXPECT_EQ(status_from_name(status_name(status)), status);
  }
  EXPECT_EQ(status_from_name("Ready"), std::nullopt);
  EXPECT_EQ(status_from_name(""), std::nullopt);
}

}  // namespace
}  // namespace qbuild::engine
