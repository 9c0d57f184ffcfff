#include "engine/binary.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace qbuild::engine {
namespace {

TEST(Binary, ReadsBackWhatWasAppended) {
  FileStat stat;
  stat.kind = FileStat::Kind::kDirectory;
  stat.size_bytes = UINT64_MAX;
  stat.mtime_ns = -1;
  stat.mode = 0644;
  std::string bytes;
  append_u32(bytes, 0xfffffffe);
  append_u64(bytes, 1);
  append_bytes(bytes, "text");
  append_stat(bytes, stat);
  BinaryReader reader(bytes);
  EXPECT_EQ(reader.u32(), 0xfffffffe);
  EXPECT_EQ(reader.u64(), 1u);
  EXPECT_EQ(reader.bytes(), "text");
  EXPECT_EQ(reader.stat(), stat);
  EXPECT_TRUE(reader.at_end());
}

TEST(Binary, RefusesALengthBeyondTheEnd) {
  std::string bytes;
  append_u32(bytes, 0xffffffff);
  bytes += "short";
  BinaryReader reader(bytes);
  EXPECT_THROW(static_cast<void>(reader.bytes()), Error);
}

TEST(Binary, RefusesAnUnknownKindOfFile) {
  std::string bytes;
  append_stat(bytes, FileStat{});
  bytes[0] = 9;
  BinaryReader reader(bytes);
  EXPECT_THROW(static_cast<void>(reader.stat()), Error);
}

}  // namespace
}  // namespace qbuild::engine
