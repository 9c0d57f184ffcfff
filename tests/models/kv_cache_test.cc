#include "models/kv_cache.h"

#include <gtest/gtest.h>

namespace qbuild::models {
namespace {

TEST(KvCache, KeepsLayersApart) {
  KvCache cache(2, 3, 4);
  for (float& x : cache.keys(0)) x = 1;
  for (float& x : cache.keys(1)) x = 2;
  for (float& x : cache.values(1)) x = 3;
  EXPECT_EQ(cache.keys(0).size(), 12U);
  EXPECT_EQ(cache.keys(0).back(), 1.0F);
  EXPECT_EQ(cache.keys(1).front(), 2.0F);
  EXPECT_EQ(cache.values(0).front(), 0.0F);
}

TEST(KvCache, CountsItsTokens) {
  KvCache cache(1, 1, 4);
  cache.advance(3);
  EXPECT_EQ(cache.length(), 3U);
  EXPECT_EQ(cache.capacity(), 4U);
  cache.clear();
  EXPECT_EQ(cache.length(), 0U);
}

TEST(KvCacheDeathTest, NeverHoldsMoreThanItsCapacity) {
  KvCache cache(1, 1, 4);
  cache.advance(4);
  EXPECT_DEATH(cache.advance(1), "cache: room for the tokens");
}

}  // namespace
}  // namespace qbuild::models
