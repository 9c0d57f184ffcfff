#include "kernels/rope.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/check.h"
#include "kernels/math.h"
#include "kernels/math_table.h"

namespace qbuild::kernels {
namespace {

constexpr double kPi = 3.14159265358979323846;

// theta^(-2i/dimensions): the angle of pair i per position.
std::vector<double> base_frequencies(const RopeParameters& p) {
  std::vector<double> frequencies(p.dimensions / 2);
  for (std::size_t i = 0; i < frequencies.size(); ++i) {
    const double exponent = 2.0 * static_cast<double>(i) / static_cast<double>(p.dimensions);
    frequencies[i] = exact_pow(p.theta, -exponent);
  }
  return frequencies;
}

// The pair at which a wavelength turns `rotations` times within the original context.
double yarn_pair(const RopeParameters& p, double rotations) {
  return static_cast<double>(p.dimensions) *
         exact_log(p.original_context / (2.0 * kPi * rotations)) / (2.0 * exact_log(p.theta));
}

void scale_yarn(const RopeParameters& p, std::vector<double>& frequencies) {
  const double low = std::max(0.0, std::floor(yarn_pair(p, p.beta_fast)));
  const double high =
      std::min(static_cast<double>(p.dimensions) - 1.0, std::ceil(yarn_pair(p, p.beta_slow)));
  for (std::size_t i = 0; i < frequencies.size(); ++i) {
    const double at = (static_cast<double>(i) - low) / std::max(0.001, high - low);
    const double ramp = 1.0 - std::clamp(at, 0.0, 1.0);
    frequencies[i] = frequencies[i] / p.factor * (1.0 - ramp) + frequencies[i] * ramp;
  }
}

}  // namespace

std::string_view rope_scaling_name(RopeScaling scaling) {
  static constexpr std::array<std::string_view, 4> kNames = {"none", "linear", "llama3", "yarn"};
  return kNames[static_cast<std::size_t>(scaling)];
}

std::vector<float> llama3_frequency_divisors(const RopeParameters& parameters) {
  const double long_wave = parameters.original_context / parameters.low_frequency_factor;
  const double short_wave = parameters.original_context / parameters.high_frequency_factor;
  std::vector<float> divisors;
  for (const double frequency : base_frequencies(parameters)) {
    const double wave = 2.0 * kPi / frequency;
    double divisor = 1.0;
    if (wave > long_wave) {
      divisor = parameters.factor;
    } else if (wave >= short_wave) {
      const double smooth = (parameters.original_context / wave - parameters.low_frequency_factor) /
                            (parameters.high_frequency_factor - parameters.low_frequency_factor);
      divisor = 1.0 / ((1.0 - smooth) / parameters.factor + smooth);
    }
    divisors.push_back(static_cast<float>(divisor));
  }
  return divisors;
}

RopeTable::RopeTable(const RopeParameters& parameters, std::size_t first, std::size_t count)
    : first_(first), count_(count), pairs_(parameters.dimensions / 2) {
  check(parameters.dimensions % 2 == 0 && pairs_ > 0, "rope: an even number of dimensions");
  std::vector<double> frequencies = base_frequencies(parameters);
  std::vector<float> divisors = parameters.frequency_divisors;
  if (divisors.empty() && parameters.scaling == RopeScaling::kLlama3) {
    divisors = llama3_frequency_divisors(parameters);
  }
  check(divisors.empty() || divisors.size() == pairs_, "rope: one divisor per pair");
  for (std::size_t i = 0; i < divisors.size(); ++i)
    frequencies[i] /= static_cast<double>(divisors[i]);
  double magnitude = 1.0;
  if (parameters.scaling == RopeScaling::kLinear) {
    for (double& frequency : frequencies) frequency /= parameters.factor;
  } else if (parameters.scaling == RopeScaling::kYarn) {
    scale_yarn(parameters, frequencies);
    magnitude = parameters.attention_factor;
    if (magnitude == 0) {
      magnitude = parameters.factor <= 1 ? 1.0 : 0.1 * exact_log(parameters.factor) + 1.0;
    }
  }
  cosines_.resize(count * pairs_);
  sines_.resize(count * pairs_);
  for (std::size_t p = 0; p < count; ++p) {
    for (std::size_t i = 0; i < pairs_; ++i) {
      const SinCos turn = exact_sincos(static_cast<double>(first + p) * frequencies[i]);
      cosines_[p * pairs_ + i] = static_cast<float>(turn.cos * magnitude);
      sines_[p * pairs_ + i] = static_cast<float>(turn.sin * magnitude);
    }
  }
}

std::span<const float> RopeTable::cosines(std::size_t position) const {
  check(position >= first_ && position - first_ < count_, "rope: a position of the table");
  return std::span(cosines_).subspan((position - first_) * pairs_, pairs_);
}

std::span<const float> RopeTable::sines(std::size_t position) const {
  check(position >= first_ && position - first_ < count_, "rope: a position of the table");
  return std::span(sines_).subspan((position - first_) * pairs_, pairs_);
}

void apply_rope(Backend backend, const RopeTable& table, RopeLayout layout, std::size_t position,
                std::size_t heads, std::size_t head_dim, std::span<float> row) {
  const std::size_t pairs = table.pairs();
  check(2 * pairs <= head_dim && row.size() == heads * head_dim, "rope: whole heads");
  const MathTable& math = math_table(backend);
  std::vector<float> split(layout == RopeLayout::kInterleaved ? 2 * pairs : 0);
  for (std::size_t h = 0; h < heads; ++h) {
    float* head = row.data() + h * head_dim;
    if (layout == RopeLayout::kInterleaved) {
      for (std::size_t i = 0; i < pairs; ++i) {
        split[i] = head[2 * i];
        split[pairs + i] = head[2 * i + 1];
      }
      std::copy(split.begin(), split.end(), head);
    }
    math.rotate(table.cosines(position).data(), table.sines(position).data(), pairs, head,
                head + pairs);
  }
}

}  // namespace qbuild::kernels
