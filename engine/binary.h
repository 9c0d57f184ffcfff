#pragma once
// The few shapes of which the state file is made: little-endian numbers, and bytes behind their
// length.

#include <cstdint>
#include <string>
#include <string_view>

#include "base/file_system.h"

namespace qbuild::engine {

void append_u32(std::string& to, std::uint32_t value);
void append_u64(std::string& to, std::uint64_t value);
void append_bytes(std::string& to, std::string_view bytes);  // u32 length, then the bytes
// kind u8, device, inode, size, mtime, ctime u64, mode u32
void append_stat(std::string& to, const FileStat& stat);

// Takes one after another from the front. Each throws Error (kCorrupt) if there is not enough left.
class BinaryReader {
 public:
  explicit BinaryReader(std::string_view bytes) : rest_(bytes) {}
  [[nodiscard]] std::uint8_t u8();
  [[nodiscard]] std::uint32_t u32();
  [[nodiscard]] std::uint64_t u64();
  // A view into what was given.
  [[nodiscard]] std::string_view bytes();
  [[nodiscard]] std::string_view take(std::size_t size);
  [[nodiscard]] FileStat stat();
  [[nodiscard]] bool at_end() const { return rest_.empty(); }

 private:
  std::string_view rest_;
};

}  // namespace qbuild::engine
