#pragma once
// GGUF: metadata and tensors in one file. Source: GGUF specification, version 3; what llama.cpp
// enforces when it opens a file (docs/gguf.md).
//
//   "GGUF" | u32 version | i64 tensors | i64 pairs | pairs | tensor infos | padding | data
//
// Strings are u64 length and bytes. Everything is little-endian.

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/dtype.h"

namespace qbuild::formats {

inline constexpr std::uint32_t kGgufVersion = 3;
inline constexpr std::uint64_t kGgufAlignment = 32;
// Bounds on what a file may claim: llama.cpp's, or far beyond any file that was ever published.
inline constexpr std::size_t kMaxGgufNameBytes = 63;  // of a tensor
inline constexpr std::size_t kMaxGgufKeyBytes = 65'535;
inline constexpr std::size_t kMaxGgufDimensions = 4;
inline constexpr std::uint64_t kMaxGgufPairs = 1u << 16;
inline constexpr std::uint64_t kMaxGgufTensors = 1u << 17;
// Metadata of the largest vocabulary takes some ten megabytes, and some sixty in memory.
inline constexpr std::uint64_t kMaxGgufHeaderBytes = std::uint64_t{128} << 20U;
inline constexpr std::uint64_t kMaxGgufMemoryBytes = std::uint64_t{128} << 20U;

// Ids on disk: never renumber.
enum class GgufType : std::uint32_t {
  kU8 = 0,
  kI8 = 1,
  kU16 = 2,
  kI16 = 3,
  kU32 = 4,
  kI32 = 5,
  kF32 = 6,
  kBool = 7,
  kString = 8,
  kArray = 9,
  kU64 = 10,
  kI64 = 11,
  kF64 = 12,
};
[[nodiscard]] std::string_view gguf_type_name(GgufType type);

// A scalar, or an array of scalars of one type. Integers and bools are kept as 64 bits whatever
// their width.
struct GgufValue {
  GgufType type = GgufType::kU32;    // kArray for an array
  GgufType element = GgufType::kU8;  // of an array; kU8 otherwise
  std::variant<std::uint64_t, std::int64_t, double, std::string, std::vector<std::uint64_t>,
               std::vector<std::int64_t>, std::vector<double>, std::vector<std::string>>
      value;

  [[nodiscard]] static GgufValue u32(std::uint32_t v) {
    return {GgufType::kU32, {}, std::uint64_t{v}};
  }
  [[nodiscard]] static GgufValue f32(float v) { return {GgufType::kF32, {}, double{v}}; }
  [[nodiscard]] static GgufValue boolean(bool v) { return {GgufType::kBool, {}, std::uint64_t{v}}; }
  [[nodiscard]] static GgufValue text(std::string v) {
    return {GgufType::kString, {}, std::move(v)};
  }
  [[nodiscard]] static GgufValue strings(std::vector<std::string> v) {
    return {GgufType::kArray, GgufType::kString, std::move(v)};
  }
  [[nodiscard]] static GgufValue i32s(std::vector<std::int64_t> v) {
    return {GgufType::kArray, GgufType::kI32, std::move(v)};
  }

  bool operator==(const GgufValue&) const = default;
};

struct GgufPair {
  std::string key;
  GgufValue value;
  bool operator==(const GgufPair&) const = default;
};
using GgufMetadata = std::vector<GgufPair>;

// Null if absent.
[[nodiscard]] const GgufValue* find_value(const GgufMetadata& metadata, std::string_view key);
// Null if absent or no text.
[[nodiscard]] const std::string* find_text(const GgufMetadata& metadata, std::string_view key);
// In the place of the key's value, or at the end.
void set_value(GgufMetadata& metadata, std::string_view key, GgufValue value);
// Throw Error (kInvalidInput) that names the key if it is absent or of another kind.
[[nodiscard]] std::uint64_t require_uint(const GgufMetadata& metadata, std::string_view key);
[[nodiscard]] double require_float(const GgufMetadata& metadata, std::string_view key);
[[nodiscard]] const std::string& require_text(const GgufMetadata& metadata, std::string_view key);
[[nodiscard]] const std::vector<std::string>& require_texts(const GgufMetadata& metadata,
                                                            std::string_view key);

struct GgufTensor {
  std::string name;
  std::vector<std::uint64_t> shape;  // fastest dimension first: rows of shape[0] values
  DType dtype = DType::kF32;
  std::uint64_t offset = 0;      // from the start of the file
  std::uint64_t size_bytes = 0;  // without padding

  [[nodiscard]] std::uint64_t values() const;
};

// The bytes of one pair as a file has them: for digests.
void append_pair(std::string& out, const GgufPair& pair);

}  // namespace qbuild::formats
