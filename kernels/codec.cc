#include "kernels/codec.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "base/error.h"
#include "kernels/codec_table.h"

namespace qbuild::kernels {
namespace {

constexpr float kLargestF16 = 65504;
constexpr float kLargestBF16 = 0x1.FEp+127F;

// Versions. 1, for every type: the first. Scales of the types in blocks of 32 from their extremes,
// values rounded with the stored scale; K types and IQ4_XS by kernels/encode_affine_k_lanes.h and
// encode_scaled_k_lanes.h. With importance or Effort::kBest, and for IQ4_NL, blocks of 32 by
// encode_affine_block_lanes.h and encode_scaled_block_lanes.h; few levels by
// encode_few_levels_lanes.h; MXFP4 by encode_mxfp4_lanes.h, NVFP4 by
// encode_nvfp4_lanes.h; the types with grids by encode_grid_lanes.h. 2, for IQ2_S, IQ2_XS, IQ2_XXS,
// IQ1_S and IQ1_M: with importance for the least loss of a network instead of the least error; for
// NVFP4: two more scale codes are tried; for IQ4_NL, and Q4_0 and Q5_0 where they search: of
// denormal scales the best, perhaps none; for Q3_K and Q6_K: candidates farther apart, and fewer
// scale codes tried. The next one of every type but the plain ones, those of few levels and those
// of 4-bit floats: groups that are no bell are searched as with Effort::kBest
// (encode_odd_lanes.h); blocks of 32 have the nearest denormal scale where that costs no code, and
// Q4_0 and Q5_0 give the lowest code to the one of two extremes that there is more of; for Q3_K,
// IQ1_S and IQ1_M: Effort::kBest tries less, for Q4_K and Q5_K more.
//
// The largest magnitude is the one whose scale, or minimum, is binary16's largest number;
// NVFP4's scale has a largest of its own. Where a search puts the largest value at one of several
// levels, it is the lowest of them that counts.
constexpr std::array kCodecs{
    Codec{DType::kF32, 1, std::numeric_limits<float>::max()},
    Codec{DType::kF16, 1, kLargestF16},
    Codec{DType::kQ4_0, 3, 8 * kLargestF16},
    Codec{DType::kQ4_1, 2, kLargestF16},
    Codec{DType::kQ5_0, 3, 16 * kLargestF16},
    Codec{DType::kQ5_1, 2, kLargestF16},
    Codec{DType::kQ8_0, 2, 127 * kLargestF16},
    Codec{DType::kQ2_K, 2, 15 * kLargestF16},
    Codec{DType::kQ3_K, 3, 3 * 32 * kLargestF16},
    Codec{DType::kQ4_K, 2, 63 * kLargestF16},
    Codec{DType::kQ5_K, 2, 63 * kLargestF16},
    Codec{DType::kQ6_K, 3, 29 * 128 * kLargestF16},
    Codec{DType::kIQ2_XXS, 3, 31 * kLargestF16},
    Codec{DType::kIQ2_XS, 3, 31 * kLargestF16},
    Codec{DType::kIQ3_XXS, 2, 31 * kLargestF16},
    Codec{DType::kIQ1_S, 3, 0.875F * 15 * kLargestF16},
    Codec{DType::kIQ4_NL, 3, 105 * kLargestF16},
    Codec{DType::kIQ3_S, 2, 31 * kLargestF16},
    Codec{DType::kIQ2_S, 3, 31 * kLargestF16},
    Codec{DType::kIQ4_XS, 2, 32 * 105 * kLargestF16},
    Codec{DType::kIQ1_M, 3, 0.875F * 15 * kLargestF16},
    Codec{DType::kBF16, 1, kLargestBF16},
    Codec{DType::kTQ1_0, 1, kLargestF16},
    Codec{DType::kTQ2_0, 1, kLargestF16},
    Codec{DType::kMXFP4, 1, std::numeric_limits<float>::max()},
    Codec{DType::kNVFP4, 2, 6 * 448},
    Codec{DType::kQ1_0, 1, kLargestF16},
    Codec{DType::kQ2_0, 1, kLargestF16},
};

// A piece is checked and then encoded, while it is in the processor's nearest cache.
constexpr std::size_t kPieceValues = 4096;

const Codec& need_codec(DType dtype, std::string_view verb) {
  const Codec* codec = find_codec(dtype);
  if (codec == nullptr) {
    throw Error(
        ErrorKind::kUnsupported,
        fmt::format("cannot {} {}: there is no codec for this type", verb, dtype_name(dtype)));
  }
  return *codec;
}

void need_size(DType dtype, std::string_view verb, std::size_t values, std::size_t bytes) {
  const auto expected = row_bytes(dtype, values);
  if (expected == bytes) return;
  throw Error(ErrorKind::kInvalidInput,
              expected
                  ? fmt::format("cannot {} {}: {} values are {} bytes, not {}", verb,
                                dtype_name(dtype), values, *expected, bytes)
                  : fmt::format("cannot {} {}: {} values are no multiple of its block of {}", verb,
                                dtype_name(dtype), values, dtype_info(dtype).block_values));
}

[[noreturn]] void throw_bad_value(const Codec& codec, float value, std::uint64_t index) {
  const std::string_view name = dtype_name(codec.dtype);
  if (!std::isfinite(value)) {
    throw Error(ErrorKind::kInvalidInput,
                fmt::format("cannot encode {}: value {} is {}", name, index,
                            std::isnan(value) ? "NaN" : "infinite"));
  }
  throw Error(
      ErrorKind::kInvalidInput,
      fmt::format("cannot encode {}: value {} is {}, beyond the type's largest magnitude {}; keep "
                  "this tensor in BF16 or F32",
                  name, index, value, codec.largest));
}

// The part of the largest importance that every column has at least.
constexpr double kLeastImportance = 0x1p-20;

// Importance as encoders want it: scaled by a power of two so that the largest is 1 to 2, and none
// is 0. The row's is followed by so many repetitions that a piece can begin at any of its columns.
// Empty if no column stands out.
std::vector<float> scaled_importance(const Codec& codec, std::span<const float> importance,
                                     std::size_t values_per_row) {
  if (importance.empty()) return {};
  const std::string_view name = dtype_name(codec.dtype);
  if (importance.size() != values_per_row) {
    throw Error(ErrorKind::kInvalidInput,
                fmt::format("cannot encode {}: importance of {} columns for rows of {}", name,
                            importance.size(), values_per_row));
  }
  float most = 0;
  for (std::size_t i = 0; i < importance.size(); ++i) {
    const float one = importance[i];
    if (!std::isfinite(one) || one < 0) {
      throw Error(ErrorKind::kInvalidInput,
                  fmt::format("cannot encode {}: the importance of column {} is {}; it must be a "
                              "number and not negative",
                              name, i, std::isnan(one) ? "NaN" : fmt::format("{}", one)));
    }
    most = std::max(most, one);
  }
  if (most == 0) return {};
  const double scale = std::ldexp(1.0, -std::ilogb(most));
  std::vector<float> scaled(importance.size() + kPieceValues);
  for (std::size_t i = 0; i < importance.size(); ++i) {
    scaled[i] =
        static_cast<float>(std::max(scale * static_cast<double>(importance[i]), kLeastImportance));
  }
  for (std::size_t i = importance.size(); i < scaled.size(); ++i) {
    scaled[i] = scaled[i - importance.size()];
  }
  return scaled;
}

const std::uint8_t* octets(const std::byte* from) {
  return reinterpret_cast<const std::uint8_t*>(from);
}

}  // namespace

const CodecTable& codec_table(Backend backend) {
  switch (backend) {
    case Backend::kAvx512:
      return codec_table_avx512();
    case Backend::kAvx2:
      return codec_table_avx2();
    case Backend::kScalar:
      break;
  }
  return codec_table_scalar();
}

std::span<const Codec> all_codecs() {
  return kCodecs;
}

const Codec* find_codec(DType dtype) {
  const auto* found = std::find_if(kCodecs.begin(), kCodecs.end(),
                                   [dtype](const Codec& codec) { return codec.dtype == dtype; });
  return found == kCodecs.end() ? nullptr : found;
}

bool uses_importance(DType dtype) {
  switch (dtype) {
    case DType::kF32:
    case DType::kF16:
    case DType::kBF16:
    case DType::kQ8_0:
      return false;
    default:
      return find_codec(dtype) != nullptr;
  }
}

void encode_rows(Backend backend, DType dtype, std::span<const float> values,
                 std::size_t values_per_row, MutableBytes out, const EncodeOptions& options) {
  const Codec& codec = need_codec(dtype, "encode");
  if (!codec.can_encode()) {
    throw Error(ErrorKind::kUnsupported,
                fmt::format("cannot encode {}: this type can only be decoded", dtype_name(dtype)));
  }
  const DTypeInfo& info = dtype_info(dtype);
  if (values_per_row == 0 || values_per_row % info.block_values != 0) {
    throw Error(
        ErrorKind::kInvalidInput,
        fmt::format(
            "cannot encode {}: rows of {} values are no positive multiple of its block of {}",
            info.name, values_per_row, info.block_values));
  }
  if (values.size() % values_per_row != 0) {
    throw Error(ErrorKind::kInvalidInput,
                fmt::format("cannot encode {}: {} values are no whole number of rows of {}",
                            info.name, values.size(), values_per_row));
  }
  need_size(dtype, "encode", values.size(), out.size());
  const std::vector<float> importance =
      scaled_importance(codec, options.importance, values_per_row);
  const CodecTable& table = codec_table(backend);
  const float bound = std::nextafter(codec.largest, std::numeric_limits<float>::infinity());
  auto* to = reinterpret_cast<std::uint8_t*>(out.data());
  for (std::size_t i = 0; i < values.size(); i += kPieceValues) {
    const std::span<const float> piece =
        values.subspan(i, std::min(kPieceValues, values.size() - i));
    const std::size_t bad = table.first_beyond(piece.data(), piece.size(), bound);
    if (bad < piece.size()) throw_bad_value(codec, piece[bad], options.first_index + i + bad);
    const std::size_t blocks = piece.size() / info.block_values;
    table.encode(
        dtype, {.values = piece.data(),
                .blocks = blocks,
                .importance = importance.empty() ? nullptr : importance.data() + i % values_per_row,
                .effort = options.effort,
                .out = to,
                .following = values.size() - i - piece.size()});
    to += blocks * info.block_bytes;
  }
}

void decode_rows(Backend backend, DType dtype, Bytes rows, std::span<float> out) {
  need_codec(dtype, "decode");
  need_size(dtype, "decode", out.size(), rows.size());
  if (out.empty()) return;
  codec_table(backend).decode(dtype, octets(rows.data()),
                              out.size() / dtype_info(dtype).block_values, out.data());
}

void to_f32(Backend backend, DType source, Bytes values, std::span<float> out) {
  if (source != DType::kF32 && source != DType::kF16 && source != DType::kBF16) {
    throw Error(ErrorKind::kUnsupported,
                fmt::format("cannot read {} as plain values: F32, F16 and BF16 can be",
                            dtype_name(source)));
  }
  decode_rows(backend, source, values, out);
}

}  // namespace qbuild::kernels
