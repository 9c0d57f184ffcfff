#include "models/hyper_parameters.h"

#include <gtest/gtest.h>

#include <functional>
#include <limits>

#include "base/error.h"
#include "tests/models/tiny_network.h"

namespace qbuild::models {
namespace {

std::string refusal(const std::function<void(HyperParameters&)>& spoil) {
  HyperParameters p = tiny_parameters();
  spoil(p);
  try {
    check_parameters(p, "config.json");
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInvalidInput);
    return error.message();
  }
  return "accepted";
}

TEST(HyperParameters, OfATinyNetworkAreAccepted) {
  EXPECT_EQ(refusal([](HyperParameters&) {}), "accepted");
}

TEST(HyperParameters, AreRefusedWhenACountIsZeroOrBeyondItsBound) {
  EXPECT_EQ(refusal([](HyperParameters& p) { p.heads = 0; }),
            "config.json: the number of heads is 0, which is not between 1 and 262144");
  EXPECT_EQ(refusal([](HyperParameters& p) { p.layers = 513; }),
            "config.json: the number of layers is 513, which is not between 1 and 512");
  EXPECT_EQ(
      refusal([](HyperParameters& p) { p.vocabulary = std::numeric_limits<std::uint64_t>::max(); }),
      "config.json: the vocabulary is 18446744073709551615, which is not between 1 and 524288");
}

TEST(HyperParameters, AreRefusedWhenTheyDoNotFitOneAnother) {
  EXPECT_EQ(refusal([](HyperParameters& p) { p.kv_heads = 3; }),
            "config.json: 4 heads cannot share 3 key/value heads evenly");
  EXPECT_EQ(refusal([](HyperParameters& p) { p.rope.dimensions = 15; }),
            "config.json: the rotation covers 15 values of a head of 16; it must be an even number "
            "of them");
  EXPECT_EQ(refusal([](HyperParameters& p) { p.head_dim = 1U << 17U; }),
            "config.json: 4 heads of 131072 values exceed 262144");
}

TEST(HyperParameters, AreRefusedWhenANumberMakesNoSense) {
  EXPECT_EQ(refusal([](HyperParameters& p) { p.rope.theta = 0; }),
            "config.json: the base of the rotation is 0, which is not above 1");
  EXPECT_EQ(refusal([](HyperParameters& p) { p.rope.factor = -2; }),
            "config.json: the rotation's scaling factor is -2, which is not above 0");
  EXPECT_EQ(refusal([](HyperParameters& p) {
              p.norm_epsilon = std::numeric_limits<double>::quiet_NaN();
            }),
            "config.json: the epsilon of the norms is nan, which is not between 0 and 1");
}

TEST(Architecture, OtherThanLlamaIsUnsupportedByName) {
  check_architecture("llama", "x");
  try {
    check_architecture("gpt_neox", "m/config.json");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUnsupported);
    EXPECT_EQ(error.message(),
              "m/config.json: the architecture \"gpt_neox\" is not supported; supported is llama "
              "(Llama, SmolLM2, TinyLlama and others of its shape)");
  }
}

}  // namespace
}  // namespace qbuild::models
