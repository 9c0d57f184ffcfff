#include "engine/binary.h"

#include <limits>

#include "base/bytes.h"
#include "base/check.h"
#include "base/error.h"

namespace qbuild::engine {
namespace {

template <typename T>
void append_le(std::string& to, T value) {
  const std::size_t at = to.size();
  to.resize(at + sizeof value);
  store_le(reinterpret_cast<std::byte*>(to.data() + at), value);
}

template <typename T>
T take_le(BinaryReader& reader) {
  return load_le<T>(as_bytes(reader.take(sizeof(T))).data());
}

}  // namespace

void append_u32(std::string& to, std::uint32_t value) {
  append_le(to, value);
}
void append_u64(std::string& to, std::uint64_t value) {
  append_le(to, value);
}

void append_bytes(std::string& to, std::string_view bytes) {
  check(bytes.size() <= std::numeric_limits<std::uint32_t>::max(), "one field stays below 4 GiB");
  append_u32(to, static_cast<std::uint32_t>(bytes.size()));
  to += bytes;
}

void append_stat(std::string& to, const FileStat& stat) {
  to += static_cast<char>(stat.kind);
  append_u64(to, stat.device);
  append_u64(to, stat.inode);
  append_u64(to, stat.size_bytes);
  append_u64(to, static_cast<std::uint64_t>(stat.mtime_ns));
  append_u64(to, static_cast<std::uint64_t>(stat.ctime_ns));
  append_u32(to, stat.mode);
}

std::string_view BinaryReader::take(std::size_t size) {
  if (size > rest_.size())
    throw Error(ErrorKind::kCorrupt, "state file: a field ends past the file");
  const std::string_view taken = rest_.substr(0, size);
  rest_.remove_prefix(size);
  return taken;
}

std::uint8_t BinaryReader::u8() {
  return static_cast<std::uint8_t>(take(1).front());
}
std::uint32_t BinaryReader::u32() {
  return take_le<std::uint32_t>(*this);
}
std::uint64_t BinaryReader::u64() {
  return take_le<std::uint64_t>(*this);
}
std::string_view BinaryReader::bytes() {
  return take(u32());
}

FileStat BinaryReader::stat() {
  FileStat stat;
  const std::uint8_t kind = u8();
  if (kind > static_cast<std::uint8_t>(FileStat::Kind::kOther)) {
    throw Error(ErrorKind::kCorrupt, "state file: unknown kind of file");
  }
  stat.kind = static_cast<FileStat::Kind>(kind);
  stat.device = u64();
  stat.inode = u64();
  stat.size_bytes = u64();
  stat.mtime_ns = static_cast<std::int64_t>(u64());
  stat.ctime_ns = static_cast<std::int64_t>(u64());
  stat.mode = u32();
  return stat;
}

}  // namespace qbuild::engine
