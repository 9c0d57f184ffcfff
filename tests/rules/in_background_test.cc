#include "rules/in_background.h"

#include <gmock/gmock.h>

#include <atomic>
#include <chrono>
#include <string>
#include <thread>

#include "base/error.h"
#include "tests/rules/support.h"

namespace qbuild::rules {
namespace {

TEST(InBackground, WorksInTheOrderOfTheCalls) {
  std::string order;
  InBackground background;
  for (const char c : std::string("abcdefgh")) background.run([&order, c] { order += c; });
  background.finish();
  EXPECT_EQ(order, "abcdefgh");
}

TEST(InBackground, TheCallerGoesOnMeanwhile) {
  std::atomic<bool> went_on = false;
  InBackground background;
  background.run([&] {
    while (!went_on) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  });
  went_on = true;
  background.finish();
}

TEST(InBackground, AFailureReachesTheNextCall) {
  InBackground background;
  const auto fail = [] { throw Error(ErrorKind::kExhausted, "the disk is full"); };
  background.run(fail);
  EXPECT_EQ(error_of([&] { background.run([] {}); }).message(), "the disk is full");
  background.finish();
  background.run(fail);
  EXPECT_EQ(error_of([&] { background.finish(); }).kind(), ErrorKind::kExhausted);
}

TEST(InBackground, ItsEndWaitsForTheWork) {
  std::atomic<bool> ended = false;
  {
    InBackground background;
    background.run([&] {
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
      ended = true;
    });
  }
  EXPECT_TRUE(ended);
}

}  // namespace
}  // namespace qbuild::rules
