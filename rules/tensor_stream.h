#pragma once
// One tensor after the other from a source into a GGUF's types: read in slabs of rows, and a run of
// rows after the other brought into the GGUF's row order, made floats once, and encoded in each
// type that is wanted while the floats are in the processor's caches; handed on slab by slab.
// Memory is bounded by the slab, but for tensors whose rows are permuted, which are read one head
// at a time. The next slab is read while this one is encoded, be it of this tensor or of the one
// that comes after it.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/digest.h"
#include "base/thread_pool.h"
#include "base/unset_vector.h"
#include "kernels/backend.h"
#include "rules/buffer_pool.h"
#include "rules/encoding.h"
#include "rules/in_background.h"
#include "rules/weight_source.h"

namespace qbuild::rules {

// Encoded rows; whoever still writes them holds them.
using EncodedPiece = std::shared_ptr<const UnsetVector<std::byte>>;

// Of a tensor.
struct RowRange {
  std::uint64_t first_row;
  std::uint64_t rows;
};

class TensorStream {
 public:
  // Source and pool must outlive the stream.
  TensorStream(const WeightSource& source, kernels::Backend backend, ThreadPool& pool);
  ~TensorStream();

  // Calls `emit(i, piece)` for each wanted[i] with its pieces in order. Returns the checksum of the
  // tensor's stored bytes (xxh3_hex). Throws what codec and source throw, with the tensor's name:
  // "tensor blk.0.attn_q.weight (model.layers.0...): ..."; kCorrupt for a shape that holds no
  // values.
  std::string convert(
      std::size_t tensor, std::span<const Encoding> wanted,
      const std::function<void(std::size_t wanted, const EncodedPiece& piece)>& emit);
  // The same checksum, for whoever has to know it before.
  [[nodiscard]] std::string checksum(std::size_t tensor);

  // What has to be known of a tensor before it is encoded with factors for its matrices, which it
  // has one after the other: the same checksum, and the largest magnitude of each.
  struct Survey {
    std::string checksum;
    std::vector<float> largest;
  };
  [[nodiscard]] Survey survey(std::size_t tensor, std::uint64_t matrices);

  // Stored bytes that were read so far.
  [[nodiscard]] std::uint64_t bytes_read() const { return bytes_read_; }

 private:
  // What each thread works on.
  struct Workspace {
    UnsetVector<std::byte> ordered;
    UnsetVector<float> values;
    std::vector<float> divided;
  };

  // Reads a tensor and calls `take` for each of its slabs, whose stored bytes are in stored_; with
  // the last of them it begins to read the tensor `next`, if there is one.
  std::string read(std::size_t tensor, std::size_t next,
                   const std::function<void(const RowRange& slab)>& take);
  // Its first slab, unless that is under way.
  void begin_reading(std::size_t tensor, const RowRange& first);
  void read_ahead(std::size_t tensor);
  void start_reading(std::size_t tensor, const RowRange& slab);
  // Calls `work(rows, workspace)` for runs of a slab's rows, on all threads.
  void in_runs(const WeightTensor& tensor, const RowRange& slab,
               const std::function<void(const RowRange& rows, Workspace& workspace)>& work);
  // Rows of the slab that is in stored_, in the GGUF's order: there, or in the workspace.
  [[nodiscard]] Bytes ordered(const WeightTensor& tensor, const RowRange& slab,
                              const RowRange& rows, Workspace& workspace) const;
  void decode(const WeightTensor& tensor, Bytes stored, std::uint64_t rows,
              Workspace& workspace) const;

  const WeightSource& source_;
  kernels::Backend backend_;
  ThreadPool& pool_;
  std::uint64_t bytes_read_ = 0;
  UnsetVector<std::byte> stored_;      // this slab
  UnsetVector<std::byte> arrived_;     // the next one, under way
  Xxh3 checksum_;                      // of what has arrived of the tensor
  std::optional<std::size_t> ahead_;   // the tensor whose first slab arrives unasked
  std::vector<Workspace> workspaces_;  // by thread
  std::shared_ptr<BufferPool> buffers_;
  InBackground reading_;  // last: it uses the above until it has ended
};

}  // namespace qbuild::rules
