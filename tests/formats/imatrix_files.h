#pragma once
// Importance matrices, built byte by byte.

#include <string>
#include <vector>

#include "tests/formats/support.h"

namespace qbuild::formats {

struct ImatrixSpec {
  std::string name;
  std::vector<float> counts;  // one per matrix
  std::vector<float> sums;    // matrix after matrix
};

inline std::string floats(const std::vector<float>& values) {
  std::string bytes;
  for (const float value : values) bytes += le(value);
  return bytes;
}

inline std::string gguf_text_pair(std::string_view key, std::string_view value) {
  return gguf_string(key) + le(std::uint32_t{8}) + gguf_string(value);
}

// The three keys that every importance matrix has, and what it is.
inline std::string imatrix_keys(std::string_view type = "imatrix") {
  return gguf_text_pair("general.type", type) + gguf_string("imatrix.datasets") +
         le(std::uint32_t{9}) + le(std::uint32_t{8}) + le(std::uint64_t{2}) +
         gguf_string("train.txt") + gguf_string("more.txt") +
         gguf_u32_pair("imatrix.chunk_count", 12) + gguf_u32_pair("imatrix.chunk_size", 512);
}

struct ImatrixTensor {
  std::string name;
  std::vector<std::int64_t> shape;
  std::string bytes;
  std::uint32_t type = 0;  // F32
};

inline std::string imatrix_of_tensors(const std::vector<ImatrixTensor>& tensors,
                                      const std::string& keys = imatrix_keys(),
                                      std::int64_t pairs = 4) {
  std::string header = gguf_start(static_cast<std::int64_t>(tensors.size()), pairs) + keys;
  std::string data;
  for (const ImatrixTensor& tensor : tensors) {
    header += gguf_tensor_info(tensor.name, tensor.shape, tensor.type, data.size());
    data = padded(data + tensor.bytes);
  }
  return padded(header) + data;
}

inline std::string imatrix_gguf(const std::vector<ImatrixSpec>& entries) {
  std::vector<ImatrixTensor> tensors;
  for (const ImatrixSpec& entry : entries) {
    const auto matrices = static_cast<std::int64_t>(entry.counts.size());
    const auto columns = static_cast<std::int64_t>(entry.sums.size()) / matrices;
    tensors.push_back({entry.name + ".counts", {1, matrices}, floats(entry.counts)});
    tensors.push_back({entry.name + ".in_sum2", {columns, matrices}, floats(entry.sums)});
  }
  return imatrix_of_tensors(tensors);
}

// The older format: its numbers are means times the number of calls.
inline std::string imatrix_dat(const std::vector<ImatrixSpec>& entries,
                               const std::string& end = le(std::int32_t{12}) + le(std::int32_t{9}) +
                                                        "train.txt") {
  std::string bytes = le(static_cast<std::int32_t>(entries.size()));
  for (const ImatrixSpec& entry : entries)
    bytes += le(static_cast<std::int32_t>(entry.name.size())) + entry.name +
             le(static_cast<std::int32_t>(entry.counts.at(0))) +
             le(static_cast<std::int32_t>(entry.sums.size())) + floats(entry.sums);
  return bytes + end;
}

}  // namespace qbuild::formats
