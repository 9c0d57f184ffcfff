#include "kernels/softmax.h"

#include <algorithm>
#include <array>

#include "base/check.h"
#include "kernels/math.h"
#include "kernels/math_table.h"

namespace qbuild::kernels {

void softmax(Backend backend, std::span<float> row) {
  if (row.empty()) return;
  math_table(backend).softmax(row.data(), row.size());
}

double negative_log_likelihood(Backend backend, std::span<const float> logits, std::size_t token) {
  check(token < logits.size(), "likelihood: a token of the vocabulary");
  const MathTable& table = math_table(backend);
  const float max = *std::max_element(logits.begin(), logits.end());
  constexpr std::size_t kPiece = 1024;
  std::array<float, kPiece> piece;
  std::array<double, 16> lanes{};
  for (std::size_t begin = 0; begin < logits.size(); begin += kPiece) {
    const std::size_t count = std::min(kPiece, logits.size() - begin);
    for (std::size_t i = 0; i < count; ++i) piece[i] = logits[begin + i] - max;
    table.exponential(piece.data(), count);
    for (std::size_t i = 0; i < count; ++i) lanes[i % 16] += static_cast<double>(piece[i]);
  }
  for (std::size_t width = 8; width > 0; width /= 2) {
    for (std::size_t l = 0; l < width; ++l) lanes[l] += lanes[l + width];
  }
  return exact_log(lanes[0]) - (static_cast<double>(logits[token]) - static_cast<double>(max));
}

}  // namespace qbuild::kernels
