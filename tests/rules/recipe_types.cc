// Prints which type every recipe gives to the tensors of a network; tests/interop compares them
// with what llama.cpp's quantizer chooses. On stdin, separated by blanks, a line each:
//   network ARCHITECTURE BLOCKS HEADS KV_HEADS EXPERTS
//   tensor NAME N0 [N1 ...]      row length first; as many as there are
// On stdout, for every recipe, tensors that are not quantized left out; a recipe that has no type
// for one of the tensors is not there, and stderr says why:
//   [Q4_K_M] Q4_K
//   blk.0.attn_v.weight Q6_K

#include <fmt/core.h>

#include <exception>
#include <iostream>
#include <sstream>
#include <string>
#include <vector>

#include "base/error.h"
#include "rules/recipe.h"

namespace qbuild::rules {
namespace {

int print_types(std::istream& in) {
  NetworkFacts network;
  std::vector<TensorSpec> tensors;
  for (std::string line; std::getline(in, line);) {
    std::istringstream words(line);
    std::string kind;
    words >> kind;
    if (kind == "network") {
      words >> network.architecture >> network.block_count >> network.head_count >>
          network.head_count_kv >> network.expert_count;
      if (!words) break;
    } else if (kind == "tensor") {
      TensorSpec tensor;
      words >> tensor.name;
      for (std::uint64_t n = 0; words >> n;) tensor.shape.push_back(n);
      if (tensor.shape.empty()) break;
      tensors.push_back(std::move(tensor));
    } else {
      break;
    }
  }
  if (!in.eof()) {
    fmt::print(stderr, "recipe_types: a line that is neither a network nor a tensor\n");
    return 1;
  }
  for (const Recipe& recipe : all_recipes()) {
    std::vector<TypeChoice> choices;
    try {
      choices = choose_types(recipe, {}, tensors, network);
    } catch (const Error& error) {
      fmt::print(stderr, "{}: {}\n", recipe.name, error.message());
      continue;
    }
    fmt::print("[{}] {}\n", recipe.name, dtype_name(recipe.base));
    for (std::size_t i = 0; i < tensors.size(); ++i)
      if (is_quantizable(tensors[i], network.architecture))
        fmt::print("{} {}\n", tensors[i].name, dtype_name(choices[i].type));
  }
  return 0;
}

}  // namespace
}  // namespace qbuild::rules

int main() {
  try {
    return qbuild::rules::print_types(std::cin);
  } catch (const std::exception& error) {
    fmt::print(stderr, "recipe_types: {}\n", error.what());
    return 1;
  }
}
