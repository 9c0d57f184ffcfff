#pragma once
// `import`: a checkpoint folder as the leaf of a graph. It is read before the graph is made (the
// probe): digests of its files through the stat table, and what its headers tell: shapes for
// recipes and resources, names, the licence. Nothing is copied; nothing counts as an executed
// action (docs/decisions/0006-sources-are-leaves-gates-are-checks.md).

#include <string>
#include <vector>

#include "base/file_system.h"
#include "base/json.h"
#include "cache/artifact.h"
#include "engine/stat_table.h"
#include "rules/recipe.h"

namespace qbuild::rules {

// Parts of a source on which consumers depend alone; facets of its artifact.
//   weights    the tensors' files
//   config     config.json, without what only says which library wrote it
//   tokenizer  tokenizer.json, tokenizer_config.json without the chat template, special tokens
//   template   the chat template
//   readme     the source's own card
struct SourceModel {
  std::string name;  // the folder's: what the source calls itself
  fs::path folder;
  cache::Artifact artifact;
  std::vector<fs::path> paths;      // parallel to artifact.files
  std::string architecture;         // "llama"
  std::vector<TensorSpec> tensors;  // with the names they get in a GGUF
  NetworkFacts network;
  std::uint64_t context_length = 0;  // positions that the network was made for
  std::uint64_t parameters = 0;
  std::uint64_t weight_bytes = 0;
  std::uint64_t largest_tensor_bytes = 0;  // as stored
  Json front_matter;                       // of its README.md; an object, empty without one

  [[nodiscard]] std::string license() const;  // "" if it states none
};

// Throws Error: kNotFound for what is missing (naming file and folder), kInvalidInput for a Git LFS
// pointer and for tensors that contradict config.json (models/checkpoint_tensors.h), kCorrupt for a
// broken header, kUnsupported for an architecture that nothing here knows, kTransient for a file
// that changes meanwhile: what is parsed is what is hashed.
[[nodiscard]] SourceModel import_checkpoint(FileSystem& files, engine::StatTable& digests,
                                            const fs::path& folder);

}  // namespace qbuild::rules
