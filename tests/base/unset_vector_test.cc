#include "base/unset_vector.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <string>

namespace qbuild {
namespace {

TEST(UnsetVector, KeepsItsElementsWhereItGrows) {
  UnsetVector<std::byte> bytes(3, std::byte{5});
  bytes.resize(100'000);
  EXPECT_EQ(UnsetVector<std::byte>(bytes.begin(), bytes.begin() + 3),
            UnsetVector<std::byte>(3, std::byte{5}));
}

TEST(UnsetVector, MakesWhatHasAConstructorOfItsOwn) {
  UnsetVector<std::string> texts(2);
  texts.emplace_back("three");
  EXPECT_EQ(texts, (UnsetVector<std::string>{"", "", "three"}));
}

}  // namespace
}  // namespace qbuild
