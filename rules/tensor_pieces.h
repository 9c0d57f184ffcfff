#pragma once
// Tensors as pieces (cache/piece.h): what names one, and those that are there already, in artifacts
// or in what an earlier attempt left, so that they are copied and not computed.

#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/file_system.h"
#include "engine/donor.h"
#include "rules/encoding.h"
#include "rules/weight_source.h"

namespace qbuild::rules {

// Over everything that a tensor's bytes in a file depend on: the bytes in the source, how they are
// read, and how they are encoded. The name does not count, nor does the file that they come from.
//   checksum  of the stored bytes
[[nodiscard]] std::string piece_key(const WeightTensor& tensor, std::string_view checksum,
                                    const Encoding& encoding);
// The same of the factors that stand beside it, if it is scaled.
[[nodiscard]] std::string scale_piece_key(const WeightTensor& tensor, std::string_view checksum);

// Within which tensors are shared: networks of one shape, whatever they have learned.
[[nodiscard]] std::string piece_scope(const std::vector<WeightTensor>& tensors);

// Tensors that are there. Not for several threads at once.
class FoundTensors {
 public:
  FoundTensors(FileSystem& files, std::vector<engine::DonorFile> donors);

  // Whether a piece of that size is there: if not, nobody has to know its key.
  [[nodiscard]] bool has_size(std::uint64_t size_bytes) const {
    return sizes_.contains(size_bytes);
  }

  // Hands the bytes of the piece of that key and size to `sink`, if they are there and have their
  // checksum. False: they are not, and the sink got nothing. Throws Error (kTransient) if they
  // changed while the sink took them, and what the sink throws.
  [[nodiscard]] bool copy(const std::string& key, std::uint64_t size_bytes,
                          const cache::PieceSink& sink);

 private:
  struct Place {
    std::size_t file = 0;  // index into files_
    cache::Piece piece;
  };
  struct File {
    fs::path path;
    std::unique_ptr<ReadableFile> open;  // at its first use
    bool is_gone = false;
  };

  [[nodiscard]] const ReadableFile* open(File& file);

  FileSystem& file_system_;
  std::vector<File> files_;
  std::multimap<std::string, Place> by_key_;
  std::set<std::uint64_t> sizes_;
};

}  // namespace qbuild::rules
