#pragma once
// Which types products take, which form the activations get for each, and how its codes are read:
// one row per type, and the one place to add one.

#include <algorithm>
#include <array>

#include "base/dtype.h"
#include "kernels/matmul.h"
#include "kernels/matmul_tiles.h"

namespace qbuild::kernels {

struct ProductType {
  DType weight;
  // As the reference has it; in the mode kF32 it is kF32 for all.
  ActivationForm form;
  // Of those whose form is one of the Q8.
  PackedKind kind;
};

inline constexpr std::array kProductTypes{
    ProductType{DType::kF32, ActivationForm::kF32, PackedKind::kNone},
    ProductType{DType::kF16, ActivationForm::kF16, PackedKind::kNone},
    ProductType{DType::kBF16, ActivationForm::kBF16, PackedKind::kNone},
    ProductType{DType::kQ8_0, ActivationForm::kQ8_0, PackedKind::kQ8_0},
    ProductType{DType::kQ4_0, ActivationForm::kQ8_0, PackedKind::kQ4_0},
    ProductType{DType::kQ4_1, ActivationForm::kQ8_1, PackedKind::kQ5_1},
    ProductType{DType::kQ5_0, ActivationForm::kQ8_0, PackedKind::kQ5_0},
    ProductType{DType::kQ5_1, ActivationForm::kQ8_1, PackedKind::kQ5_1},
    ProductType{DType::kQ1_0, ActivationForm::kQ8_0, PackedKind::kQ4_0},
    ProductType{DType::kQ2_0, ActivationForm::kQ8_0, PackedKind::kQ4_0},
    ProductType{DType::kIQ4_NL, ActivationForm::kQ8_0, PackedKind::kQ8_0},
    ProductType{DType::kMXFP4, ActivationForm::kQ8_0, PackedKind::kQ5_0},
    ProductType{DType::kNVFP4, ActivationForm::kQ8_0, PackedKind::kNVFP4},
    ProductType{DType::kQ2_K, ActivationForm::kQ8_K, PackedKind::kQ4_K},
    ProductType{DType::kQ3_K, ActivationForm::kQ8_K, PackedKind::kQ6_K},
    ProductType{DType::kQ4_K, ActivationForm::kQ8_K, PackedKind::kQ4_K},
    ProductType{DType::kQ5_K, ActivationForm::kQ8_K, PackedKind::kQ4_K},
    ProductType{DType::kQ6_K, ActivationForm::kQ8_K, PackedKind::kQ6_K},
    ProductType{DType::kIQ4_XS, ActivationForm::kQ8_K, PackedKind::kIQ4_XS},
    ProductType{DType::kIQ3_S, ActivationForm::kQ8_K, PackedKind::kIQ4_XS},
    ProductType{DType::kIQ3_XXS, ActivationForm::kQ8_K, PackedKind::kIQ4_XS},
    ProductType{DType::kIQ2_S, ActivationForm::kQ8_K, PackedKind::kIQ4_XS},
    ProductType{DType::kIQ2_XS, ActivationForm::kQ8_K, PackedKind::kIQ4_XS},
    ProductType{DType::kIQ2_XXS, ActivationForm::kQ8_K, PackedKind::kIQ4_XS},
    ProductType{DType::kIQ1_S, ActivationForm::kQ8_K, PackedKind::kIQ4_XS},
    ProductType{DType::kIQ1_M, ActivationForm::kQ8_K, PackedKind::kIQ4_XS},
    ProductType{DType::kTQ1_0, ActivationForm::kQ8_K, PackedKind::kQ6_K},
    ProductType{DType::kTQ2_0, ActivationForm::kQ8_K, PackedKind::kQ6_K},
};

// Null for a type that no product takes.
constexpr const ProductType* find_product_type(DType weight) {
  const auto* const found =
      std::find_if(kProductTypes.begin(), kProductTypes.end(),
                   [&](const ProductType& type) { return type.weight == weight; });
  return found == kProductTypes.end() ? nullptr : found;
}

}  // namespace qbuild::kernels
