#include "cli/table.h"

#include <gtest/gtest.h>

namespace qbuild::cli {
namespace {

TEST(Table, SetsTextToTheLeftAndNumbersToTheRight) {
  Table table({"variant", ">size", "state"});
  table.add({"Q8_0", "4.36 MB", "ready"});
  table.add({"imatrix-Q4_K_M", "512 B", "held"});
  EXPECT_EQ(table.text(),
            "variant            size  state\n"
            "Q8_0            4.36 MB  ready\n"
            "imatrix-Q4_K_M    512 B  held\n");
}

TEST(Table, EndsNoLineInSpaces) {
  Table table({"target", "cause"});
  table.add({"bard:Q8_0", ""});
  table.add({"bard:Q4_0", "exited with 1"});
  EXPECT_EQ(table.text(), "target     cause\nbard:Q8_0\nbard:Q4_0  exited with 1\n");
}

TEST(Table, WithoutRowsIsItsHeadings) {
  EXPECT_EQ(Table({"run", ">time"}).text(), "run  time\n");
}

TEST(Table, FillsCellsThatARowDoesNotGiveAndDropsThoseWithoutAColumn) {
  Table table({"a", "b"});
  table.add({"1"});
  table.add({"1", "2", "3"});
  EXPECT_EQ(table.text(), "a  b\n1\n1  2\n");
}

TEST(Table, LinesUpByCharactersNotByBytes) {
  Table table({"name", ">n"});
  table.add({"caf\xC3\xA9", "1"});
  table.add({"tea.", "2"});
  EXPECT_EQ(table.text(), "name  n\ncaf\xC3\xA9  1\ntea.  2\n");
}

TEST(DisplayWidth, CountsCharactersOfUtf8) {
  EXPECT_EQ(display_width(""), 0U);
  EXPECT_EQ(display_width("bard"), 4U);
  EXPECT_EQ(display_width("caf\xC3\xA9"), 4U);
  EXPECT_EQ(display_width("\xE2\x86\x92"), 1U);
}

}  // namespace
}  // namespace qbuild::cli
