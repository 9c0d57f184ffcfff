#include "engine/fence.h"

#include <gtest/gtest.h>

#include <stdexcept>

namespace qbuild::engine {
namespace {

std::string end_of(const std::function<void()>& body, bool stopped = false) {
  const auto error = run_fenced(body, [=] { return stopped; });
  if (!error) return "nothing";
  return std::string(error_kind_name(error->kind())) + ": " + error->message();
}

TEST(Fence, MakesAnErrorOfWhateverLeaves) {
  EXPECT_EQ(end_of([] {}), "nothing");
  EXPECT_EQ(end_of([] { throw Error(ErrorKind::kDenied, "open x: denied"); }),
            "denied: open x: denied");
  EXPECT_EQ(end_of([] { throw std::bad_alloc(); }), "exhausted: out of memory");
  EXPECT_EQ(end_of([] { throw std::runtime_error("what"); }), "internal: unexpected: what");
  EXPECT_EQ(end_of([] { throw 7; }),
            "internal: unexpected: an exception that says nothing of itself");
}

TEST(Fence, FailureOfWhatWasStoppedIsACancellation) {
  EXPECT_EQ(end_of([] { throw Error(ErrorKind::kTransient, "closed"); }, true),
            "cancelled: closed");
  EXPECT_EQ(end_of([] {}, true), "nothing");
}

}  // namespace
}  // namespace qbuild::engine
