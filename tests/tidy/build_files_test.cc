#include "tests/tidy/build_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace qbuild::tidy {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(BuildFiles, AcceptsFilesThatTheirFolderNames) {
  EXPECT_THAT(
      find_unbuilt_files({{"base/CMakeLists.txt", "qbuild_room(base SOURCES a.cc HEADERS a.h)"},
                          {"base/a.cc", ""},
                          {"base/a.h", ""},
                          {"tests/base/helper.h", ""}}),
      IsEmpty());
}

TEST(BuildFiles, AcceptsFilesThatAFolderAboveNamesByTheirWay) {
  EXPECT_THAT(find_unbuilt_files({{"tests/CMakeLists.txt", "add_executable(x sub/a_test.cc)"},
                                  {"tests/sub/a_test.cc", ""}}),
              IsEmpty());
}

TEST(BuildFiles, FindsSourcesAndTestsThatNobodyNames) {
  EXPECT_THAT(find_unbuilt_files({{"base/CMakeLists.txt", "SOURCES floor_plan.cc plan.cc.old"},
                                  {"base/plan.cc", ""},
                                  {"tests/base/CMakeLists.txt", ""},
                                  {"tests/base/plan_test.cc", ""}}),
              ElementsAre("base/plan.cc: no CMakeLists.txt names it",
                          "tests/base/plan_test.cc: no CMakeLists.txt names it"));
}

TEST(BuildFiles, FindsSourcesWithoutATest) {
  EXPECT_THAT(find_untested_sources({{"base/a.cc", ""},
                                     {"base/b.cc", ""},
                                     {"tests/base/b_test.cc", ""},
                                     {"tests/base/helper.cc", ""},
                                     {"cli/main.cc", ""}},
                                    {{"cli/main.cc", "only calls"}}),
              ElementsAre("base/a.cc: there is no tests/base/a_test.cc"));
}

TEST(BuildFiles, FindsExemptionsThatAreNoLongerNeeded) {
  EXPECT_THAT(find_untested_sources({{"base/a.cc", ""}, {"tests/base/a_test.cc", ""}},
                                    {{"base/a.cc", "has one by now"}, {"base/gone.cc", "is gone"}}),
              ElementsAre("base/a.cc: exempt from tests, but has one",
                          "base/gone.cc: exempt from tests, but not there"));
}

}  // namespace
}  // namespace qbuild::tidy
