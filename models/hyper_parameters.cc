#include "models/hyper_parameters.h"

#include <fmt/core.h>

#include <array>
#include <cmath>

#include "base/error.h"
#include "base/shown.h"

namespace qbuild::models {
namespace {

[[noreturn]] void refuse(std::string_view place, const std::string& what) {
  throw Error(ErrorKind::kInvalidInput, fmt::format("{}: {}", place, what));
}

}  // namespace

void check_architecture(std::string_view architecture, std::string_view place) {
  if (architecture == "llama") return;
  throw Error(
      ErrorKind::kUnsupported,
      fmt::format("{}: the architecture \"{}\" is not supported; supported is llama (Llama, "
                  "SmolLM2, TinyLlama and others of its shape)",
                  place, shown(architecture)));
}

void check_parameters(const HyperParameters& p, std::string_view place) {
  struct Count {
    std::string_view name;
    std::uint64_t value;
    std::uint64_t most;
  };
  const std::array<Count, 8> counts = {{{"number of layers", p.layers, kMaxLayers},
                                        {"hidden size", p.hidden, kMaxWidth},
                                        {"feed-forward size", p.feed_forward, kMaxWidth},
                                        {"number of heads", p.heads, kMaxWidth},
                                        {"number of key/value heads", p.kv_heads, kMaxWidth},
                                        {"head size", p.head_dim, kMaxWidth},
                                        {"vocabulary", p.vocabulary, kMaxVocabulary},
                                        {"context length", p.context, kMaxContext}}};
  for (const Count& count : counts) {
    if (count.value == 0 || count.value > count.most) {
      refuse(place, fmt::format("the {} is {}, which is not between 1 and {}", count.name,
                                count.value, count.most));
    }
  }
  if (p.heads % p.kv_heads != 0) {
    refuse(place,
           fmt::format("{} heads cannot share {} key/value heads evenly", p.heads, p.kv_heads));
  }
  if (p.query_width() > kMaxWidth) {
    refuse(place, fmt::format("{} heads of {} values exceed {}", p.heads, p.head_dim, kMaxWidth));
  }
  if (p.rope.dimensions == 0 || p.rope.dimensions % 2 != 0 || p.rope.dimensions > p.head_dim) {
    refuse(place,
           fmt::format(
               "the rotation covers {} values of a head of {}; it must be an even number of them",
               p.rope.dimensions, p.head_dim));
  }
  if (!(p.rope.theta > 1) || !std::isfinite(p.rope.theta)) {
    refuse(place,
           fmt::format("the base of the rotation is {}, which is not above 1", p.rope.theta));
  }
  if (!(p.rope.factor > 0) || !std::isfinite(p.rope.factor)) {
    refuse(place,
           fmt::format("the rotation's scaling factor is {}, which is not above 0", p.rope.factor));
  }
  if (p.rope.scaling == kernels::RopeScaling::kYarn &&
      (!(p.rope.original_context >= 1) ||
       !(p.rope.original_context <= static_cast<double>(kMaxContext)))) {
    refuse(place,
           fmt::format("the context before the rotation's scaling is {}, which is not between "
                       "1 and {}",
                       p.rope.original_context, kMaxContext));
  }
  if (!(p.rope.attention_factor >= 0) || !std::isfinite(p.rope.attention_factor)) {
    refuse(place, fmt::format("the rotation's attention factor is {}, which is not a number from 0",
                              p.rope.attention_factor));
  }
  if (!(p.norm_epsilon >= 0) || !(p.norm_epsilon < 1)) {
    refuse(place, fmt::format("the epsilon of the norms is {}, which is not between 0 and 1",
                              p.norm_epsilon));
  }
}

}  // namespace qbuild::models
