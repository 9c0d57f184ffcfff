#include "models/network.h"

#include <gtest/gtest.h>

#include <functional>

#include "base/error.h"
#include "tests/models/tiny_network.h"

namespace qbuild::models {
namespace {

Network tiny() {
  const HyperParameters p = tiny_parameters();
  return Network::from_source(p, TinySource(p), {});
}

Error failure(const std::function<void()>& body) {
  try {
    body();
  } catch (const Error& error) {
    return error;
  }
  return {ErrorKind::kInternal, "no error"};
}

TEST(NetworkLoad, NamesAPathThatIsNotThere) {
  const auto file_system = make_posix_file_system();
  const Error error =
      failure([&] { static_cast<void>(Network::load(*file_system, "/no/such/model", {})); });
  EXPECT_EQ(error.kind(), ErrorKind::kNotFound);
  EXPECT_EQ(error.message(), "/no/such/model: there is no such checkpoint folder or GGUF file");
}

TEST(NetworkLoad, FromAGgufEqualsThatFromACheckpointToTheLastBit) {
  const TestFolder folder;
  const TinySource source(tiny_parameters());
  write_checkpoint(source, folder.path() / "checkpoint");
  write_gguf(source, folder.path() / "tiny.gguf");
  const auto file_system = make_posix_file_system();
  const NetworkOptions options{kernels::best_backend(), kernels::ActivationMode::kReference};
  const Network a = Network::load(*file_system, folder.path() / "checkpoint", options);
  const Network b = Network::load(*file_system, folder.path() / "tiny.gguf", options);
  EXPECT_EQ(a.weight_bytes(), b.weight_bytes());
  EXPECT_EQ(all_logits(a, some_tokens(30)), all_logits(b, some_tokens(30)));
  EXPECT_EQ(all_logits(a, some_tokens(30)),
            all_logits(Network::from_source(tiny_parameters(), source, options), some_tokens(30)));
}

// Every product of a matrix whose scale stands beside it, which is a power of two.
TEST(NetworkForward, MultipliesProductsByTheScaleOfTheirWeight) {
  const TinySource plain(tiny_parameters());
  TinySource scaled(tiny_parameters());
  for (const char* name : {"self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj",
                           "self_attn.o_proj", "mlp.gate_proj", "mlp.up_proj", "mlp.down_proj"}) {
    const std::string weight = std::string("model.layers.1.") + name;
    for (float& value : scaled.tensors[weight + ".weight"].values) value *= 16;
    scaled.tensors[weight + ".scale"] = {1, 1, true, {1.0F / 16}};
  }
  for (float& value : scaled.tensors["lm_head.weight"].values) value /= 4;
  scaled.tensors["lm_head.scale"] = {1, 1, true, {4}};
  const NetworkOptions options{kernels::best_backend(), kernels::ActivationMode::kReference};
  const Network expected = Network::from_source(tiny_parameters(), plain, options);
  const TestFolder folder;
  write_gguf(scaled, folder.path() / "tiny.gguf");
  const auto files = make_posix_file_system();
  const Network network = Network::load(*files, folder.path() / "tiny.gguf", options);
  EXPECT_EQ(all_logits(network, some_tokens(30)), all_logits(expected, some_tokens(30)));
  // A token alone goes another way.
  EXPECT_EQ(all_logits(network, some_tokens(1), 1, Products::kFast),
            all_logits(expected, some_tokens(1), 1, Products::kFast));
}

TEST(NetworkForward, RefusesTokensOutsideTheVocabulary) {
  for (const std::int32_t token : {-1, 50}) {
    const Network network = tiny();
    const std::vector<std::int32_t> tokens = {1, token};
    const Error error = failure([&] { static_cast<void>(all_logits(network, tokens)); });
    EXPECT_EQ(error.kind(), ErrorKind::kInvalidInput);
    EXPECT_EQ(error.message(),
              "token " + std::to_string(token) + " is outside the model's vocabulary of 50");
  }
}

TEST(NetworkForward, RefusesMoreTokensThanTheCacheHolds) {
  const Network network = tiny();
  KvCache cache = network.make_cache(4);
  cache.advance(2);
  const std::vector<std::int32_t> tokens = some_tokens(3);
  ThreadPool pool(1);
  const SequenceInput input{&cache, tokens, {}};
  const Error error =
      failure([&] { static_cast<void>(network.forward(std::span(&input, 1), pool)); });
  EXPECT_EQ(error.kind(), ErrorKind::kExhausted);
  EXPECT_EQ(error.message(), "3 more tokens do not fit a cache of 4 positions that holds 2");
}

TEST(NetworkMakeCache, RefusesMoreThanTheContext) {
  const Network network = tiny();
  EXPECT_EQ(failure([&] { static_cast<void>(network.make_cache(65)); }).message(),
            "65 positions exceed the model's context of 64");
}

}  // namespace
}  // namespace qbuild::models
