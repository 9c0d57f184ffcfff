#pragma once
// A checkpoint folder: where each tensor of a model lies, in one safetensors file or in shards with
// an index. Headers are read when it is opened, tensors in pieces when asked for. Source:
// docs/checkpoint.md. Any thread.

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "formats/safetensors.h"

namespace qbuild::formats {

struct CheckpointTensor {
  std::string name;
  DType dtype = DType::kF32;
  std::vector<std::uint64_t> shape;  // rows first
  std::size_t file = 0;              // index into Checkpoint::files()
  std::uint64_t offset = 0;          // in that file
  std::uint64_t size_bytes = 0;
};

class Checkpoint {
 public:
  // Throws Error: kNotFound "FOLDER has no model.safetensors and no model.safetensors.index.json",
  // kInvalidInput, kExhausted and kCorrupt as read_safetensors_header, kCorrupt for an index and
  // shards that contradict each other and for the name of a shard that is none of a file in this
  // folder, kUnsupported for a tensor type that qbuild does not read. Links are followed, as the
  // cache of the Hub's client needs it.
  [[nodiscard]] static Checkpoint open(FileSystem& file_system, const fs::path& folder);

  // Names of the files that hold tensors, relative to the folder, sorted; the index is not among
  // them.
  [[nodiscard]] const std::vector<std::string>& files() const { return files_; }
  [[nodiscard]] bool has_index() const { return has_index_; }
  // Sorted by name.
  [[nodiscard]] const std::vector<CheckpointTensor>& tensors() const { return tensors_; }
  [[nodiscard]] const CheckpointTensor* find(std::string_view name) const;

  // Fills `out` with bytes of a tensor from `offset`. kCorrupt if the file was cut off since it was
  // opened.
  void read(const CheckpointTensor& tensor, std::uint64_t offset, MutableBytes out) const;

 private:
  // Opens files_[file] and adds its tensors.
  void add_file(FileSystem& file_system, std::size_t file);

  fs::path folder_;
  std::vector<std::string> files_;
  std::vector<std::unique_ptr<ReadableFile>> open_;
  std::vector<CheckpointTensor> tensors_;
  bool has_index_ = false;
};

}  // namespace qbuild::formats
