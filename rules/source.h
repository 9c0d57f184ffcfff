#pragma once
// `import`: a checkpoint's folder or a GGUF file as the leaf of a graph. It is read before the
// graph is made (the probe): digests of its files through the stat table, and what its headers
// tell: shapes for recipes and resources, names, the licence. Nothing is copied; nothing counts as
// an executed action (docs/decisions/0006-sources-are-leaves-gates-are-checks.md).

#include <string>
#include <vector>

#include "base/file_system.h"
#include "base/json.h"
#include "cache/artifact.h"
#include "engine/stat_table.h"
#include "rules/recipe.h"
#include "rules/weight_source.h"

namespace qbuild::rules {

// Parts of a source on which consumers depend alone; facets of its artifact.
//   weights    the tensors' files
//   config     config.json, without what only says which library wrote it
//   tokenizer  tokenizer.json, tokenizer_config.json without the chat template, special tokens
//   template   the chat template
//   readme     the source's own card
// Of a GGUF, weights stands for all of the file, config and the next two for its metadata, and the
// card lies beside it.
struct SourceModel {
  // What the source calls itself: the folder's name, or the file's without ending, part and type.
  std::string name;
  fs::path path;
  bool is_gguf = false;
  cache::Artifact artifact;
  std::vector<fs::path> paths;        // parallel to artifact.files
  std::string architecture;           // "llama"
  std::vector<WeightTensor> weights;  // in the order of a GGUF
  std::vector<TensorSpec> tensors;    // parallel
  std::string piece_scope;            // rules/tensor_pieces.h
  NetworkFacts network;
  // Why nothing here can run the network, so that it is quantized but not measured; "" if it can.
  std::string cannot_run;
  std::uint64_t context_length = 0;  // positions that the network was made for
  std::uint64_t parameters = 0;
  std::uint64_t weight_bytes = 0;
  std::uint64_t largest_tensor_bytes = 0;  // as stored
  Json front_matter;  // of its README.md; an object, empty without one. Of a GGUF without one, what
                      // its metadata say: license, tags, language

  [[nodiscard]] std::string license() const;  // "" if it states none
};

// Of a folder or a file; the file's parts, if it has some, lie beside it.
// Throws Error: kNotFound for what is missing (naming file and folder), kInvalidInput for a Git LFS
// pointer and for tensors that contradict config.json (models/checkpoint_tensors.h), kCorrupt for a
// broken header, kUnsupported for a checkpoint of an architecture that nothing here knows,
// kTransient for a file that changes meanwhile: what is parsed is what is hashed.
[[nodiscard]] SourceModel import_source(FileSystem& files, engine::StatTable& digests,
                                        const fs::path& path);

// Inside this room: the two kinds.
[[nodiscard]] SourceModel import_checkpoint(FileSystem& files, engine::StatTable& digests,
                                            const fs::path& folder);
[[nodiscard]] SourceModel import_gguf(FileSystem& files, engine::StatTable& digests,
                                      const fs::path& path);

// Fills what follows from `weights`: tensors, scope and the sums.
void add_weights(SourceModel& source, std::vector<WeightTensor> weights);

}  // namespace qbuild::rules
