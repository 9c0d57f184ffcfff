#pragma once
// The weights that a GGUF is made of, wherever they come from: a checkpoint's folder, or a GGUF
// file. A source says which tensors a GGUF of it holds, under which names and in which shapes, and
// what its metadata are; `quantize` and the import know no more of it.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/dtype.h"
#include "base/file_system.h"
#include "formats/gguf.h"
#include "rules/recipe.h"

namespace qbuild::rules {

struct WeightTensor {
  std::string name;                  // in the GGUF
  std::string stored_name;           // in the source, for messages
  std::vector<std::uint64_t> shape;  // fastest dimension first
  DType stored = DType::kF32;        // in the source
  std::uint64_t size_bytes = 0;      // in the source
  // What it gets where a recipe does not quantize it.
  DType plain = DType::kF32;
  // Carried over as it is, whatever its bytes mean.
  bool is_opaque = false;
  // Rows of each head of this length are interleaved for the rotation; 0: as they are.
  std::uint64_t permuted_head_dim = 0;

  [[nodiscard]] std::uint64_t row_length() const { return shape.front(); }
  [[nodiscard]] std::uint64_t values() const;
};

// What a file says of itself beyond its source.
struct HeaderWishes {
  std::string name;  // general.name; "": the source's own
  std::uint32_t file_type = 0;
  std::optional<std::string> chat_template;  // instead of the source's
};

// Any thread.
class WeightSource {
 public:
  virtual ~WeightSource() = default;
  // In the order of the file (file_order).
  [[nodiscard]] virtual const std::vector<WeightTensor>& tensors() const = 0;
  [[nodiscard]] virtual const NetworkFacts& network() const = 0;
  [[nodiscard]] virtual formats::GgufMetadata metadata(const HeaderWishes& wishes) const = 0;
  // Fills `out` with stored bytes of tensors()[tensor] from `offset`, rows in the source's order.
  // kCorrupt if a file was cut off since it was opened.
  virtual void read(std::size_t tensor, std::uint64_t offset, MutableBytes out) const = 0;
};

// A folder is a checkpoint, a file is a GGUF (or the first part of one). Throws Error: what opening
// either throws; kInvalidInput for tensors that contradict the configuration.
[[nodiscard]] std::unique_ptr<WeightSource> open_weights(FileSystem& files, const fs::path& path);

// For choose_types.
[[nodiscard]] std::vector<TensorSpec> specs_of(const std::vector<WeightTensor>& tensors);

// Throws Error (kInvalidInput) for a tensor that would be quantized a second time: from Q8_0 unless
// `may_requantize`, from fewer bits in any case.
void check_stored_types(const std::vector<WeightTensor>& tensors,
                        const std::vector<TypeChoice>& choices, bool may_requantize);

}  // namespace qbuild::rules
