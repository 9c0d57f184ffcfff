#pragma once
// How much the squared error of each value counts in an encoder's search.
//
// With importance q of its column a value weighs q*sqrt(evenness*mean + x*x), where the mean is
// that of the squares around it: large values matter more for what a network says than their
// squared error shows, the less so the larger the evenness. Source: gguf.md 9.6, which has an
// evenness of 1 or 2; why Effort::kBest has more of it stands where it is chosen.

#include <cstddef>

namespace qbuild::kernels {

template <class L, std::size_t kValues>
struct WeightKernels {
  using F = typename L::F;

  // Sums over each `together` neighbouring lanes, in all of them.
  static F sum_together(F a, std::size_t together) {
    float lanes[16];
    L::store(lanes, a);
    for (std::size_t first = 0; first < 16; first += together) {
      double sum = 0;
      for (std::size_t g = first; g < first + together; ++g) sum += static_cast<double>(lanes[g]);
      for (std::size_t g = first; g < first + together; ++g) lanes[g] = static_cast<float>(sum);
    }
    return L::load(lanes);
  }

  // Columns of sixteen rows of kValues floats: columns[j], lane l = from[l * kValues + j].
  static void transpose(const float* from, F* columns) {
    for (std::size_t j = 0; j < kValues; j += 16) L::transpose(from + j, kValues, columns + j);
  }

  // The weights of x[kValues], given the sum of each lane's squares. The mean is over `together`
  // lanes. importance is as in EncodeJob, sixteen rows of kValues.
  static void weigh(const F* x, F squares, const float* importance, std::size_t together,
                    float evenness, F* w) {
    const F total = together == 1 ? squares : sum_together(squares, together);
    const F even = L::mul(total, L::set(evenness / static_cast<float>(kValues * together)));
    if (importance != nullptr) transpose(importance, w);
    for (std::size_t j = 0; j < kValues; ++j) {
      const F root = L::sqrt(L::fma(x[j], x[j], even));
      w[j] = importance == nullptr ? root : L::mul(w[j], root);
    }
  }
};

}  // namespace qbuild::kernels
