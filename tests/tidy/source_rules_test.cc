#include "tests/tidy/source_rules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace qbuild::tidy {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::string of_lines(std::size_t count) {
  std::string text;
  for (std::size_t i = 0; i < count; ++i) text += "x\n";
  return text;
}

TEST(SourceRules, FindsFilesOverTheLineLimit) {
  EXPECT_THAT(find_long_files({{"base/a.cc", of_lines(400)},
                               {"base/b.h", of_lines(401)},
                               {"dev", of_lines(402)},
                               {"docs/a.md", of_lines(1000)}}),
              ElementsAre("base/b.h: 401 lines, more than 400", "dev: 402 lines, more than 400"));
}

TEST(SourceRules, FindsRemindersThatNameNoIssue) {
  const std::string word = std::string("TO") + "DO";
  EXPECT_THAT(find_naked_reminders({{"base/a.cc", "int x;\n// " + word + ": later\n"},
                                    {"base/b.cc", "// " + word + "(#12): later\n"},
                                    {"base/c.cc", "// my" + word + "S\n"},
                                    {"docs/a.md", word + "\n"}}),
              ElementsAre("base/a.cc:2: a reminder that names no issue"));
}

TEST(SourceRules, FindsPathsIntoHomes) {
  const std::string home = std::string("/home") + "/me/x";
  EXPECT_THAT(find_home_paths({{"docs/a.md", "cd " + home + "\n"},
                               {"docs/b.md", "GET https://x.org" + home + "\n"},
                               {"docs/c.md", "the /home of the free\n"}}),
              ElementsAre("docs/a.md:1: a path into somebody's home folder"));
}

TEST(SourceRules, FindsConditionalCompilationWhereItDoesNotBelong) {
  EXPECT_THAT(
      find_conditional_compilation({{"base/a.cc", "#if X\n"},
                                    {"kernels/processor.cc", "#ifdef X\n"},
                                    {"kernels/dot.cc", "# if defined(X)\n"},
                                    {"models/a.h", "#include <if.h>\n#iffy\n"},
                                    {"tests/kernels/a_test.cc", "#ifdef X\n"}}),
      ElementsAre(
          "kernels/dot.cc:1: conditional compilation outside base and kernels/processor.cc"));
}

TEST(SourceRules, FindsHeadersWithoutAGuard) {
  EXPECT_THAT(find_unguarded_headers({{"base/a.h", "#pragma once\n"}, {"base/b.h", "int x;\n"}}),
              ElementsAre("base/b.h: there is no #pragma once"));
  EXPECT_THAT(find_unguarded_headers({{"base/b.cc", "int x;\n"}}), IsEmpty());
}

}  // namespace
}  // namespace qbuild::tidy
