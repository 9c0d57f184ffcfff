#pragma once
// An artifact: what an action made, named by its contents. A tree of files, and facets: digests of
// parts of those files that a consumer may depend on alone ("tensors", "tokenizer"). User-visible
// names never occur here; a GGUF is always "model.gguf".

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/digest.h"
#include "base/json.h"

namespace qbuild::cache {

struct FileEntry {
  std::string name;  // relative, '/'-separated, canonical (see is_canonical_name)
  Digest sha256;
  std::uint64_t size_bytes = 0;
  bool operator==(const FileEntry&) const = default;
};

struct Artifact {
  std::vector<FileEntry> files;               // sorted by name, no duplicates
  std::map<std::string, std::string> facets;  // facet name -> lower-case hex digest
  Json facts;  // small structured truths about the files that cost reading to learn (sizes, types);
               // an object or null

  [[nodiscard]] const FileEntry* find(std::string_view name) const;
  [[nodiscard]] std::uint64_t total_bytes() const;
  // Over the files' names, sizes and digests.
  [[nodiscard]] Digest digest() const;
  bool operator==(const Artifact&) const = default;
};

// Bounds what a reader of an artifact allocates; the Hub advises to stay far below it.
inline constexpr std::size_t kMaxArtifactFiles = 100'000;

// Relative, no empty part, no "." or "..", no control character, no backslash, UTF-8, at most 255
// bytes a part and 1024 in all.
[[nodiscard]] bool is_canonical_name(std::string_view name);

// {"files":[{"name","sha256","size"}...],"facets":{name: hex...},"facts":...}. Throws Error
// (kInvalidInput) on what no artifact may hold: a name that is not canonical, files out of order or
// twice, one name a folder of another, a facet that is not hex, facts that are neither object nor
// null.
[[nodiscard]] Json to_json(const Artifact& artifact);
// Throws Error (kCorrupt) on anything that to_json would not write.
[[nodiscard]] Artifact artifact_from_json(const Json& json);

}  // namespace qbuild::cache
