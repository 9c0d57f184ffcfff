#include "manifests/budget.h"

#include <gtest/gtest.h>

#include "manifests/limits.h"

namespace qbuild::manifests {
namespace {

class BudgetTest : public testing::Test {
 protected:
  std::string told() {
    const std::vector<Diagnostic> found = diagnostics_.sorted();
    return format(std::span<const Diagnostic>(found));
  }

  Diagnostics diagnostics_;
  Place at_{diagnostics_.add_file({"/a.yaml", "a.yaml"}), 2, 3};
  Budget budget_{diagnostics_};
};

TEST_F(BudgetTest, LastsToItsLastByte) {
  EXPECT_TRUE(budget_.work(at_, kMaxWorkBytes));
  EXPECT_TRUE(budget_.keep(at_, kMaxKeptBytes));
  EXPECT_FALSE(budget_.is_spent());
  EXPECT_EQ(told(), "");
}

TEST_F(BudgetTest, OfWorkIsSpentByOneByteMoreAndSaysSoOnce) {
  EXPECT_TRUE(budget_.work(at_, kMaxWorkBytes));
  EXPECT_FALSE(budget_.work(at_, 1));
  EXPECT_FALSE(budget_.keep({0, 9, 9}, 1));
  EXPECT_TRUE(budget_.is_spent());
  EXPECT_EQ(told(),
            "a.yaml:2:3: the models with the defaults under them are more than 256 MiB; take "
            "several manifests");
}

TEST_F(BudgetTest, OfMemoryIsSpentByOneByteMore) {
  EXPECT_FALSE(budget_.keep(at_, kMaxKeptBytes + 1));
  EXPECT_EQ(told(),
            "a.yaml:2:3: the models take more than 96 MiB of memory; take several manifests");
}

TEST_F(BudgetTest, IsSpentForAReasonOfItsUser) {
  budget_.refuse(at_, "more than enough");
  budget_.refuse(at_, "much more than enough");
  EXPECT_FALSE(budget_.work(at_, 0));
  EXPECT_EQ(told(), "a.yaml:2:3: more than enough");
}

}  // namespace
}  // namespace qbuild::manifests
