#pragma once
// What the tests of formats share: files built byte by byte, and the Error that something must
// throw.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/fake_file_system.h"
#include "tests/base/expect_error.h"

namespace qbuild::formats {

using test::error_of;

template <typename T>
std::string le(T value) {
  std::string bytes(sizeof value, '\0');
  store_le(std::as_writable_bytes(std::span<char>(bytes)).data(), value);
  return bytes;
}

inline std::string safetensors_file(std::string_view header, std::string_view data) {
  return le(std::uint64_t{header.size()}) + std::string(header) + std::string(data);
}

inline std::string gguf_string(std::string_view text) {
  return le(std::uint64_t{text.size()}) + std::string(text);
}

// A header's beginning.
inline std::string gguf_start(std::int64_t tensors, std::int64_t pairs, std::uint32_t version = 3) {
  return "GGUF" + le(version) + le(tensors) + le(pairs);
}

inline std::string gguf_u32_pair(std::string_view key, std::uint32_t value) {
  return gguf_string(key) + le(std::uint32_t{4}) + le(value);
}

inline std::string gguf_tensor_info(std::string_view name, const std::vector<std::int64_t>& shape,
                                    std::uint32_t type, std::uint64_t offset) {
  std::string info = gguf_string(name) + le(static_cast<std::uint32_t>(shape.size()));
  for (const std::int64_t extent : shape) info += le(extent);
  return info + le(type) + le(offset);
}

inline std::string padded(std::string bytes, std::size_t alignment = 32) {
  bytes.resize(align_up(bytes.size(), alignment), '\0');
  return bytes;
}

inline std::string from_hex(std::string_view hex) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes += static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16));
  }
  return bytes;
}

}  // namespace qbuild::formats
