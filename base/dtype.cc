#include "base/dtype.h"

#include <algorithm>
#include <array>

#include "base/bytes.h"
#include "base/check.h"

namespace qbuild {
namespace {

constexpr std::array kDTypes{
    DTypeInfo{DType::kF32, "F32", 1, 4},       DTypeInfo{DType::kF16, "F16", 1, 2},
    DTypeInfo{DType::kQ4_0, "Q4_0", 32, 18},   DTypeInfo{DType::kQ4_1, "Q4_1", 32, 20},
    DTypeInfo{DType::kQ5_0, "Q5_0", 32, 22},   DTypeInfo{DType::kQ5_1, "Q5_1", 32, 24},
    DTypeInfo{DType::kQ8_0, "Q8_0", 32, 34},   DTypeInfo{DType::kQ2_K, "Q2_K", 256, 84},
    DTypeInfo{DType::kQ3_K, "Q3_K", 256, 110}, DTypeInfo{DType::kQ4_K, "Q4_K", 256, 144},
    DTypeInfo{DType::kQ5_K, "Q5_K", 256, 176}, DTypeInfo{DType::kQ6_K, "Q6_K", 256, 210},
    DTypeInfo{DType::kI8, "I8", 1, 1},         DTypeInfo{DType::kI16, "I16", 1, 2},
    DTypeInfo{DType::kI32, "I32", 1, 4},       DTypeInfo{DType::kI64, "I64", 1, 8},
    DTypeInfo{DType::kF64, "F64", 1, 8},       DTypeInfo{DType::kBF16, "BF16", 1, 2},
};

template <typename Condition>
const DTypeInfo* find_dtype(const Condition& condition) {
  const auto* found = std::find_if(kDTypes.begin(), kDTypes.end(), condition);
  return found == kDTypes.end() ? nullptr : found;
}

}  // namespace

std::span<const DTypeInfo> all_dtypes() {
  return kDTypes;
}

const DTypeInfo& dtype_info(DType dtype) {
  const DTypeInfo* info = find_dtype([dtype](const DTypeInfo& i) { return i.dtype == dtype; });
  check(info != nullptr, "a DType is one of the listed ones");
  return *info;
}

std::optional<DType> dtype_from_name(std::string_view name) {
  const DTypeInfo* info = find_dtype([name](const DTypeInfo& i) { return i.name == name; });
  if (info == nullptr) return std::nullopt;
  return info->dtype;
}

std::optional<DType> dtype_from_gguf_id(std::uint32_t id) {
  const DTypeInfo* info =
      find_dtype([id](const DTypeInfo& i) { return static_cast<std::uint32_t>(i.dtype) == id; });
  if (info == nullptr) return std::nullopt;
  return info->dtype;
}

std::optional<std::uint64_t> row_bytes(DType dtype, std::uint64_t values) {
  const DTypeInfo& info = dtype_info(dtype);
  if (values % info.block_values != 0) return std::nullopt;
  return checked_mul(values / info.block_values, info.block_bytes);
}

}  // namespace qbuild
