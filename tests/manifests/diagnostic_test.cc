#include "manifests/diagnostic.h"

#include <gtest/gtest.h>

namespace qbuild::manifests {
namespace {

TEST(Diagnostic, IsPrintedWithItsPlace) {
  EXPECT_EQ(format(Diagnostic{"qbuild.yaml", 14, 12, "what is wrong"}),
            "qbuild.yaml:14:12: what is wrong");
  EXPECT_EQ(format(Diagnostic{"qbuild.yaml", 0, 0, "what is wrong"}), "qbuild.yaml: what is wrong");
}

TEST(Diagnostics, AreSortedByPlaceAndToldOnce) {
  Diagnostics diagnostics;
  const std::uint32_t a = diagnostics.add_file({"/a.yaml", "a.yaml"});
  const std::uint32_t b = diagnostics.add_file({"/b.yaml", "b.yaml"});
  diagnostics.add({b, 1, 1}, "last");
  diagnostics.add({a, 10, 2}, "third");
  diagnostics.add({a, 2, 30}, "second");
  diagnostics.add({a, 2, 4}, "first");
  diagnostics.add({a, 2, 4}, "first");
  const std::vector<Diagnostic> sorted = diagnostics.sorted();
  EXPECT_EQ(format(std::span<const Diagnostic>(sorted)),
            "a.yaml:2:4: first\na.yaml:2:30: second\na.yaml:10:2: third\nb.yaml:1:1: last");
}

TEST(Diagnostics, BlotOutTokens) {
  Diagnostics diagnostics;
  const std::uint32_t file = diagnostics.add_file({"/a.yaml", "a.yaml"});
  diagnostics.add({file, 1, 1}, "no hf_abcdefghijKLMNOPQRST01234, nor hf_short, nor hf_");
  EXPECT_EQ(diagnostics.sorted().at(0).message, "no hf_..., nor hf_short, nor hf_");
}

TEST(Diagnostics, StayOnOneLine) {
  Diagnostics diagnostics;
  const std::uint32_t file = diagnostics.add_file({"/a\nb.yaml", "a\nb.yaml"});
  diagnostics.add({file, 1, 1}, "no \x1b[31mcolour\n");
  EXPECT_EQ(format(diagnostics.sorted().at(0)), "a\\x0ab.yaml:1:1: no \\x1b[31mcolour\\x0a");
}

TEST(Diagnostics, ATokenIsKnownByItsPrefixAndLength) {
  EXPECT_TRUE(looks_like_token("hf_abcdefghijklmnopqrst"));
  EXPECT_TRUE(looks_like_token("x hf_hf_abcdefghijklmnopqrst"));
  EXPECT_FALSE(looks_like_token("hf_abcdefghijklmnopqrs"));
  EXPECT_FALSE(looks_like_token("hf_model_with_underscores_in_it"));
  EXPECT_FALSE(looks_like_token(""));
}

TEST(Diagnostics, AreFullWhenNobodyReadsMore) {
  Diagnostics diagnostics;
  const std::uint32_t file = diagnostics.add_file({"/a.yaml", "a.yaml"});
  for (std::uint32_t i = 1; i <= 1000; ++i) {
    EXPECT_FALSE(diagnostics.is_full());
    diagnostics.add({file, i, 1}, "wrong");
  }
  EXPECT_TRUE(diagnostics.is_full());
  EXPECT_EQ(diagnostics.sorted().size(), Diagnostics::kMaxTold + 1);
}

TEST(Diagnostics, CutALongMessageBetweenCharacters) {
  Diagnostics diagnostics;
  const std::uint32_t file = diagnostics.add_file({"/a.yaml", "a.yaml"});
  std::string message = "x";
  for (int i = 0; i < 2000; ++i) message += "ö";
  diagnostics.add({file, 1, 1}, message);
  EXPECT_EQ(diagnostics.sorted().at(0).message, message.substr(0, 1999) + "...");
}

TEST(Diagnostics, TellWhatWasFoundForEveryModelOnce) {
  Diagnostics diagnostics;
  const std::uint32_t file = diagnostics.add_file({"/a.yaml", "a.yaml"});
  for (int i = 0; i < 2000; ++i) diagnostics.add({file, 3, 1}, "wrong");
  EXPECT_TRUE(diagnostics.is_full());
  EXPECT_EQ(diagnostics.sorted().size(), 1u);
}

TEST(Diagnostics, ShowNoMarksOfDirection) {
  Diagnostics diagnostics;
  const std::uint32_t file = diagnostics.add_file({"/a.yaml", "a\u202e.yaml"});
  diagnostics.add({file, 1, 1}, "\u2066x\u009b");
  EXPECT_EQ(format(diagnostics.sorted().at(0)), "a\\u202e.yaml:1:1: \\u2066x\\x9b");
}

TEST(Diagnostics, AreMadeOfFailuresThatLieInAPath) {
  EXPECT_TRUE(is_about_the_path(Error(ErrorKind::kInvalidInput, "a loop of links")));
  EXPECT_TRUE(is_about_the_path(Error(ErrorKind::kDenied, "no")));
  EXPECT_FALSE(is_about_the_path(Error(ErrorKind::kTransient, "the disk is tired")));
  EXPECT_FALSE(is_about_the_path(Error(ErrorKind::kCancelled, "enough")));
}

}  // namespace
}  // namespace qbuild::manifests
