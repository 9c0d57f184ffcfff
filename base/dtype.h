#pragma once
// Number types: how a tensor's values are stored. The ids are GGUF's (ggml_type): they reach disks
// and are never renumbered. A type is a block of `block_values` values in `block_bytes` bytes;
// plain types have blocks of one. Source: GGUF specification, tensor types; safetensors dtypes.

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace qbuild {

enum class DType : std::uint32_t {
  kF32 = 0,
  kF16 = 1,
  kQ4_0 = 2,
  kQ4_1 = 3,
  kQ5_0 = 6,
  kQ5_1 = 7,
  kQ8_0 = 8,
  kQ2_K = 10,
  kQ3_K = 11,
  kQ4_K = 12,
  kQ5_K = 13,
  kQ6_K = 14,
  kIQ2_XXS = 16,
  kIQ2_XS = 17,
  kIQ3_XXS = 18,
  kIQ1_S = 19,
  kIQ4_NL = 20,
  kIQ3_S = 21,
  kIQ2_S = 22,
  kIQ4_XS = 23,
  kI8 = 24,
  kI16 = 25,
  kI32 = 26,
  kI64 = 27,
  kF64 = 28,
  kIQ1_M = 29,
  kBF16 = 30,
  kTQ1_0 = 34,
  kTQ2_0 = 35,
  kMXFP4 = 39,
  kNVFP4 = 40,
  kQ1_0 = 41,
  kQ2_0 = 42,
};

struct DTypeInfo {
  DType dtype;
  std::string_view name;  // GGUF's spelling: "Q4_K", "BF16"
  std::uint32_t block_values;
  std::uint32_t block_bytes;
};

// All types, in the order of their ids.
[[nodiscard]] std::span<const DTypeInfo> all_dtypes();
[[nodiscard]] const DTypeInfo& dtype_info(DType dtype);
[[nodiscard]] inline std::string_view dtype_name(DType dtype) {
  return dtype_info(dtype).name;
}
[[nodiscard]] std::optional<DType> dtype_from_name(std::string_view name);
[[nodiscard]] std::optional<DType> dtype_from_gguf_id(std::uint32_t id);

// Bytes of a row of `values` values; nothing if `values` is no multiple of the block or on
// overflow.
[[nodiscard]] std::optional<std::uint64_t> row_bytes(DType dtype, std::uint64_t values);

}  // namespace qbuild
