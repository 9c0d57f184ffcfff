#pragma once
// Importance matrices: for the weights of a network, how much each of their input columns matters,
// as the mean of the squares of what came in while the network read a text. Two formats: GGUF
// (llama.cpp since the middle of 2025) and the older .dat; the first bytes tell which it is.
// Source: what llama.cpp's quantizer reads (docs/imatrix.md).

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/file_system.h"
#include "formats/gguf.h"

namespace qbuild::formats {

// Far beyond any network: the experts of a layer are one entry.
inline constexpr std::uint64_t kMaxImatrixEntries = 1u << 16;
inline constexpr std::uint64_t kMaxImatrixValues = 1u << 26;    // of one entry
inline constexpr std::uint64_t kMaxImatrixMatrices = 1u << 22;  // of all

// Whether a GGUF of these metadata is one.
[[nodiscard]] bool is_imatrix(const GgufMetadata& metadata);

struct ImatrixEntry {
  std::string name;            // of the weights, as GGUF calls them
  std::uint64_t values = 0;    // columns of all matrices, one matrix after the other
  std::uint64_t matrices = 1;  // that were counted each for itself: experts
  std::uint64_t unseen = 0;    // of those: nothing came in
};

class Imatrix {
 public:
  // Throws Error: kNotFound and kDenied of the disk; kInvalidInput for a file that is something
  // else, and for counts that are none; kCorrupt for one that was cut off or contradicts itself;
  // kExhausted beyond the bounds. Messages begin with the path.
  [[nodiscard]] static Imatrix open(FileSystem& file_system, const fs::path& path);

  // In the file's order; each name once.
  [[nodiscard]] const std::vector<ImatrixEntry>& entries() const { return entries_; }
  [[nodiscard]] const ImatrixEntry* find(std::string_view name) const;
  [[nodiscard]] const std::string& dataset() const { return dataset_; }  // the first; "": unknown
  [[nodiscard]] std::uint64_t chunks() const { return chunks_; }         // 0: unknown

  // Of one of entries(): the importance of each column, matrix after matrix: finite, not negative.
  // An unseen matrix gets the mean of those that were seen; where none was, all are 0. Throws Error
  // kInvalidInput for a value that is none, with its entry and place; kCorrupt if the file was cut
  // off. Any thread.
  [[nodiscard]] std::vector<float> read(const ImatrixEntry& entry) const;

 private:
  // Where an entry's sums lie, and what they are sums over.
  struct Place {
    std::uint64_t offset = 0;
    std::vector<float> counts;  // one per matrix
  };

  Imatrix(FileSystem& file_system, fs::path path);
  void open_gguf(FileSystem& file_system);
  void open_dat();
  void add_sums(const GgufTensor& sums, const GgufTensor& counts);
  void add(std::string name, std::uint64_t values, Place place);
  void index_names();
  void read_floats(std::uint64_t offset, std::vector<float>& out) const;

  fs::path path_;
  std::unique_ptr<ReadableFile> file_;
  std::vector<ImatrixEntry> entries_;
  std::vector<Place> places_;           // parallel
  std::vector<std::uint32_t> by_name_;  // indices of entries_
  std::uint64_t matrices_ = 0;
  std::string dataset_;
  std::uint64_t chunks_ = 0;
};

}  // namespace qbuild::formats
