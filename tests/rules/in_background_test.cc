#include "rules/in_background.h"

#include <gmock/gmock.h>

#include <atomic>
#include <chrono>
#include <memory>
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

TEST(InBackground, TheCallerWaitsForRoom) {
  constexpr int kPieces = 50;
  std::atomic<int> ended = 0;
  InBackground background;
  for (int i = 0; i < kPieces; ++i) {
    background.run([&] { ++ended; });
    EXPECT_GE(ended + static_cast<int>(InBackground::kMostPieces), i + 1);
  }
  background.finish();
  EXPECT_EQ(ended, kPieces);
}

TEST(InBackground, WhatAPieceHoldsIsGivenBackWhenItEnds) {
  InBackground background;
  auto held = std::make_shared<int>(1);
  const std::weak_ptr<int> seen = held;
  background.run([held = std::move(held)] {});
  background.finish();
  EXPECT_TRUE(seen.expired());
}

TEST(InBackground, AFailureReachesALaterCallAndNothingBehindItIsBegun) {
  InBackground background;
  const auto fail = [] { throw Error(ErrorKind::kExhausted, "the disk is full"); };
  bool begun = false;
  const Error error = error_of([&] {
    background.run(fail);
    for (;;) background.run([&] { begun = true; });
  });
  EXPECT_EQ(error.message(), "the disk is full");
  background.finish();
  EXPECT_FALSE(begun);
  background.run(fail);
  EXPECT_EQ(error_of([&] { background.finish(); }).kind(), ErrorKind::kExhausted);
  background.run([&] { begun = true; });
  background.finish();
  EXPECT_TRUE(begun);
}

TEST(InBackground, ItsEndWaitsForAllThatWasHandedOver) {
  std::atomic<int> ended = 0;
  {
    InBackground background;
    for (std::size_t i = 0; i < InBackground::kMostPieces; ++i)
      background.run([&] {
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
        ++ended;
      });
  }
  EXPECT_EQ(ended, static_cast<int>(InBackground::kMostPieces));
}

}  // namespace
}  // namespace qbuild::rules
