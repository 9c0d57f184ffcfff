#include "tests/tidy/floor_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace qbuild::tidy {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(FloorPlan, EveryArrowGoesDown) {
  std::set<std::string> lower;
  for (const std::string& room : rooms()) {
    for (const std::string& below : rooms_below(room)) {
      EXPECT_TRUE(lower.contains(below)) << room << " -> " << below;
    }
    lower.insert(room);
  }
}

TEST(FloorPlan, LetsRoomsKnowWhatIsBelowThem) {
  EXPECT_THAT(
      find_wrong_includes({{"base/a.cc", "#include \"base/a.h\"\n"},
                           {"cache/a.cc", "#include \"net/http.h\"\n"},
                           {"rules/a.cc", "#include <fmt/core.h>\n#include \"engine/a.h\"\n"},
                           {"cli/a.cc", "#include \"rules/a.h\"\n"}}),
      IsEmpty());
}

TEST(FloorPlan, FindsArrowsUpAndSideways) {
  EXPECT_THAT(find_wrong_includes({{"base/a.h", "#pragma once\n#include \"cache/store.h\"\n"},
                                   {"engine/a.cc", "  #include \"models/llama.h\"\n"},
                                   {"formats/a.cc", "#include \"kernels/dot.h\"\n"},
                                   {"rules/a.cc", "#include \"net/http.h\"\n"}}),
              ElementsAre("base/a.h:2: base must not know cache (\"cache/store.h\")",
                          "engine/a.cc:1: engine must not know models (\"models/llama.h\")",
                          "formats/a.cc:1: formats must not know kernels (\"kernels/dot.h\")",
                          "rules/a.cc:1: rules must not know net (\"net/http.h\")"));
}

TEST(FloorPlan, FindsIncludesThatAreNotWrittenFromTheRoot) {
  EXPECT_THAT(find_wrong_includes({{"base/a.cc", "#include \"a.h\"\n"}}),
              ElementsAre("base/a.cc:1: \"a.h\" is not written from the root"));
}

TEST(FloorPlan, FindsFoldersThatAreNotOnTheDrawing) {
  EXPECT_THAT(find_wrong_includes({{"utils/a.cc", "#include \"base/a.h\"\n"},
                                   {"base/a.cc", "#include \"utils/a.h\"\n"}}),
              ElementsAre("base/a.cc:1: \"utils/a.h\" is of no room of the house",
                          "utils/a.cc:1: the folder utils is not on the drawing"));
}

TEST(FloorPlan, BindsTestsLikeTheirRoomButNotTestsOfTheWhole) {
  EXPECT_THAT(find_wrong_includes({{"tests/cache/a_test.cc",
                                    "#include \"engine/a.h\"\n#include \"tests/base/x.h\"\n"},
                                   {"tests/e2e/a_test.cc", "#include \"engine/a.h\"\n"},
                                   {"cache/a.cc", "#include \"tests/cache/a.h\"\n"}}),
              ElementsAre("cache/a.cc:1: cache must not know its tests",
                          "tests/cache/a_test.cc:1: cache must not know engine (\"engine/a.h\")"));
}

TEST(FloorPlan, FindsUsesThatAreNotBelow) {
  EXPECT_THAT(
      find_wrong_uses({{"hub/CMakeLists.txt",
                        "# USES nothing\nqbuild_room(hub\n  SOURCES a.cc\n  USES base cache\n"
                        "  LINKS fmt::fmt)\n"},
                       {"cache/CMakeLists.txt", "qbuild_room(cache USES base net)\n"}}),
      ElementsAre("hub/CMakeLists.txt: hub must not use cache"));
}

}  // namespace
}  // namespace qbuild::tidy
