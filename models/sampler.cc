#include "models/sampler.h"

#include <algorithm>
#include <numeric>
#include <vector>

#include "base/check.h"
#include "base/error.h"
#include "kernels/math.h"

namespace qbuild::models {
namespace {

// Ids by falling logit, the lower id first among equals; the best `count` of them.
std::vector<std::int32_t> best_first(std::span<const float> logits, std::size_t count) {
  std::vector<std::int32_t> ids(logits.size());
  std::iota(ids.begin(), ids.end(), 0);
  const auto better = [&](std::int32_t a, std::int32_t b) {
    const float x = logits[static_cast<std::size_t>(a)];
    const float y = logits[static_cast<std::size_t>(b)];
    return x != y ? x > y : a < b;
  };
  const auto end = ids.begin() + static_cast<std::ptrdiff_t>(count);
  std::partial_sort(ids.begin(), end, ids.end(), better);
  ids.erase(end, ids.end());
  return ids;
}

}  // namespace

Sampler::Sampler(const SamplerOptions& options) : options_(options), random_(options.seed) {
  if (!(options.temperature >= 0) || options.temperature > 1e6) {
    throw Error(ErrorKind::kInvalidInput,
                "sampling: the temperature must be 0 or a positive number");
  }
  if (!(options.top_p > 0 && options.top_p <= 1)) {
    throw Error(ErrorKind::kInvalidInput, "sampling: top_p must be above 0 and at most 1");
  }
}

std::int32_t Sampler::next(std::span<const float> logits) {
  check(!logits.empty(), "sampling: logits");
  if (std::any_of(logits.begin(), logits.end(), [](float x) { return x != x; })) {
    throw Error(ErrorKind::kInvalidInput,
                "sampling: a logit is not a number; the model's weights are broken");
  }
  if (options_.temperature == 0) {
    return static_cast<std::int32_t>(std::max_element(logits.begin(), logits.end()) -
                                     logits.begin());
  }
  const std::size_t all = logits.size();
  const std::size_t count = options_.top_k == 0 ? all : std::min<std::size_t>(options_.top_k, all);
  std::vector<std::int32_t> ids = best_first(logits, count);
  std::vector<double> weights;
  double total = 0;
  const auto logit = [&](std::int32_t id) {
    return static_cast<double>(logits[static_cast<std::size_t>(id)]);
  };
  for (const std::int32_t id : ids) {
    weights.push_back(kernels::exact_exp((logit(id) - logit(ids.front())) / options_.temperature));
    total += weights.back();
  }
  // The shortest list of best tokens that holds top_p of the probability.
  double kept = 0;
  std::size_t used = 0;
  while (used < weights.size() && (used == 0 || kept < options_.top_p * total))
    kept += weights[used++];
  double draw = random_.next_unit() * kept;
  for (std::size_t i = 0; i + 1 < used; ++i) {
    draw -= weights[i];
    if (draw < 0) return ids[i];
  }
  return ids[used - 1];
}

}  // namespace qbuild::models
