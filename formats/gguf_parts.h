#pragma once
// A GGUF model seen as one, whether it is one file or the parts that a splitter made of it
// ("model-00001-of-00003.gguf"): the first part holds the metadata, each part its own tensors.
// Source: llama.cpp's gguf-split (October 2026). Any thread.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "formats/gguf_reader.h"

namespace qbuild::formats {

// More parts than any model has that was ever published.
inline constexpr std::uint64_t kMaxGgufParts = 4096;

// What the name of a part says: "model-00002-of-00003.gguf" is {"model", 2, 3}.
struct GgufPartName {
  std::string stem;
  std::uint64_t number = 0;  // from 1
  std::uint64_t count = 0;

  [[nodiscard]] std::string file_name() const;
  bool operator==(const GgufPartName&) const = default;
};
// Nothing for a name that is none of a part.
[[nodiscard]] std::optional<GgufPartName> parse_gguf_part_name(std::string_view file_name);

struct GgufPartTensor {
  GgufTensor tensor;
  std::size_t part = 0;  // index into GgufParts::paths()
};

class GgufParts {
 public:
  // `path` is the file, or the first part; the others lie beside it. Throws Error: what
  // GgufReader::open throws, for each part with its path; kInvalidInput for a part that is not the
  // first, and for one whose name does not tell the others; kNotFound for a part that is missing,
  // with its number; kCorrupt for parts that contradict each other, and for a tensor that is in
  // two of them.
  [[nodiscard]] static GgufParts open(FileSystem& file_system, const fs::path& path);

  // In the order of the parts.
  [[nodiscard]] const std::vector<fs::path>& paths() const { return paths_; }
  // Of the first part, without what says that it is one ("split.*").
  [[nodiscard]] const GgufMetadata& metadata() const { return metadata_; }
  // In the order of the parts, and of each file.
  [[nodiscard]] const std::vector<GgufPartTensor>& tensors() const { return tensors_; }
  [[nodiscard]] const GgufPartTensor* find(std::string_view name) const;

  // As GgufReader::read.
  void read(const GgufPartTensor& tensor, std::uint64_t offset, MutableBytes out) const;

 private:
  void add_part(GgufReader reader, const fs::path& path);
  void index_names();

  std::vector<fs::path> paths_;
  std::vector<GgufReader> readers_;
  GgufMetadata metadata_;
  std::vector<GgufPartTensor> tensors_;
  std::vector<std::uint32_t> by_name_;  // indices of tensors_
};

}  // namespace qbuild::formats
