#pragma once
// One file of `quantize` while it is made: it says how each tensor is to be encoded, takes the
// encoded pieces in the file's order, writes and hashes them beside whoever makes the next ones,
// and is verified at the end. Tensors that are there already, in an artifact or in what an earlier
// attempt left, are copied. Several of one source may be fed by one stream.

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "base/digest.h"
#include "engine/partial.h"
#include "engine/rule.h"
#include "formats/gguf_writer.h"
#include "formats/imatrix.h"
#include "rules/hashing_file.h"
#include "rules/in_background.h"
#include "rules/recipe.h"
#include "rules/tensor_pieces.h"
#include "rules/tensor_stream.h"
#include "rules/weight_source.h"

namespace qbuild::rules {

class QuantizeJob {
 public:
  // Chooses the types and writes the header. All references must outlive the job. Throws Error:
  // kUnsupported for an unknown recipe, kInvalidInput for a source that must not be quantized
  // again, kExhausted if the disk has not room for all of it, and what the disk throws.
  //   artifacts  where tensors may be; shared by the jobs of one source
  QuantizeJob(const engine::ActionRequest& request, engine::ActionContext& context,
              const WeightSource& source, FoundTensors& artifacts);

  // Of the tensor that is next: what its columns matter is read when it is its turn. If it is
  // scaled, the factors are there after begin_scaled.
  [[nodiscard]] const Encoding& encoding(std::size_t tensor);

  // Whether the tensor may be there already, so that its checksum is worth knowing.
  [[nodiscard]] bool may_copy(std::size_t tensor) const;

  // How a tensor came into the file.
  enum class Origin : std::uint8_t {
    kComputed,
    kShared,  // computed for another job, too
    kCopied,
  };

  // For each tensor in turn: if it is scaled its factors, then a copy, or its pieces; then
  // end_tensor. What an earlier piece's writing threw is thrown by a later call.
  //   checksum  of the tensor's stored bytes
  void begin_scaled(std::size_t tensor, std::string_view checksum,
                    const std::shared_ptr<const std::vector<float>>& scales);
  [[nodiscard]] bool copy(std::size_t tensor, std::string_view checksum);
  void append(const EncodedPiece& piece);
  void end_tensor(std::size_t tensor, std::string_view checksum, Origin origin);
  // Of the source, for this job or for all that it shares with others.
  void note_read(std::uint64_t bytes) { bytes_read_ += bytes; }

  // After the last tensor: opens the file again and holds it to what was written.
  [[nodiscard]] engine::ActionResult finish();

 private:
  void open(const formats::GgufMetadata& metadata);
  // The tensor of the file that was written last.
  void end_piece(std::size_t in_file, std::string key);

  const engine::ActionRequest& request_;
  engine::ActionContext& context_;
  const WeightSource& source_;
  const Recipe& recipe_;
  engine::PartialPieces partial_;
  FoundTensors earlier_;  // in what earlier attempts left
  FoundTensors& artifacts_;
  std::optional<formats::Imatrix> imatrix_;
  std::vector<Encoding> encodings_;  // parallel to the source's tensors, without importance
  Encoding encoding_;                // of tensor_
  std::optional<std::size_t> tensor_;
  std::vector<formats::GgufTensorSpec> specs_;
  std::vector<std::size_t> in_file_;  // parallel to the source's tensors: which of specs_ it is
  std::unique_ptr<HashingFile> file_;
  std::unique_ptr<formats::GgufWriter> writer_;
  std::vector<cache::Piece> pieces_;  // the tensors that were written
  Xxh3 checksum_;                     // of the one that is written
  std::uint64_t written_of_tensor_ = 0;
  std::uint64_t computed_ = 0;
  std::uint64_t copied_ = 0;
  std::uint64_t values_done_ = 0;
  std::uint64_t values_ = 0;
  std::uint64_t bytes_read_ = 0;
  InBackground writing_;  // last: it uses the above until it has ended
};

}  // namespace qbuild::rules
