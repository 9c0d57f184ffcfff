#pragma once
// Encoding rows of weights into GGUF's types, and decoding them. docs/types/README.md describes the
// types and their encoders. How it is called, with a `row` of floats:
//
// Quoted from examples/quantize_row.cc:
//
//   std::vector<std::byte> bytes(row_bytes(DType::kQ4_K, row.size()).value());
//   encode_rows(best_backend(), DType::kQ4_K, row, row.size(), bytes);
//
//   std::vector<float> decoded(row.size());
//   decode_rows(best_backend(), DType::kQ4_K, bytes, decoded);
//
// Shapes: whole rows, one after the other, each a positive multiple of the type's block. Alignment:
// a float's for values, none for bytes. Errors are qbuild::Error; nothing is clipped in silence.
//
// Encoders give the same bytes on every backend and for every split of the rows over threads: a
// block's bytes depend on its own values and the importance of the columns, and nothing else. All
// functions are pure; any thread; they start none.

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/bytes.h"
#include "base/dtype.h"
#include "kernels/backend.h"
#include "kernels/effort.h"

namespace qbuild::kernels {

// A type that can be decoded here, and perhaps encoded.
struct Codec {
  DType dtype;
  // 0: nothing here encodes the type. Part of every key whose step encodes: it changes when an
  // output byte changes, and only then. The test tests/kernels/encode_golden_test.cc holds it to
  // that; the history stands beside the table in codec.cc.
  std::uint32_t encoder_version;
  // Values beyond this magnitude cannot be encoded, because a binary16 field would overflow. 0
  // where nothing can.
  float largest;

  [[nodiscard]] bool can_encode() const { return encoder_version != 0; }
};

// All of GGUF's types of real numbers but F64, in the order of their ids.
[[nodiscard]] std::span<const Codec> all_codecs();
// Null if there is none for `dtype`.
[[nodiscard]] const Codec* find_codec(DType dtype);

// Whether its encoder looks at the importance of columns. False without a codec.
[[nodiscard]] bool uses_importance(DType dtype);

struct EncodeOptions {
  // How much the squared error in each column of a row matters: values_per_row numbers, or none if
  // all columns matter alike. Only their ratios count. A column of less than 2^-20 of the largest
  // counts as that much, so that a sub-block of zeros is coded as if its columns mattered alike;
  // where all are zero, the bytes are those without importance. F32, F16, BF16 and Q8_0 ignore it
  // (uses_importance).
  std::span<const float> importance = {};
  // F32, F16, BF16, Q8_0 and Q1_0 have nothing to search.
  Effort effort = Effort::kDefault;
  // Of values[0] in whatever they are a part of; messages count from there.
  std::uint64_t first_index = 0;
};

// Encodes whole rows.
//   values          row after row; a whole number of rows
//   values_per_row  a positive multiple of dtype's block
//   out             exactly the bytes of these rows, no alignment needed; unspecified after an
//                   Error
// Throws Error:
//   kInvalidInput   a value is NaN, infinite or beyond Codec::largest; the message names the first
//                   one and its index
//   kInvalidInput   an importance is NaN, infinite or negative; the message names the first one
//                   and its column
//   kInvalidInput   values_per_row is no positive multiple of the block, or the sizes do not fit
//                   each other
//   kUnsupported    there is no codec for dtype, or it cannot encode
// Values too small for a type's scale become zero; a block of zeros decodes to zeros.
void encode_rows(Backend backend, DType dtype, std::span<const float> values,
                 std::size_t values_per_row, MutableBytes out, const EncodeOptions& options = {});

// Decodes whole blocks: dtype's bytes for out.size() values, exactly. Any bytes are valid; a scale
// that is NaN or infinite decodes to such values. Throws Error kInvalidInput if the sizes do not
// fit each other, kUnsupported without a codec.
void decode_rows(Backend backend, DType dtype, Bytes rows, std::span<float> out);

// A checkpoint's plain values (F32, F16, BF16; no alignment needed) as floats, exactly; NaN and
// infinity pass. Throws as decode_rows does; kUnsupported for any other type.
void to_f32(Backend backend, DType source, Bytes values, std::span<float> out);

}  // namespace qbuild::kernels
