#include "engine/witness.h"

#include <gtest/gtest.h>

#include "base/fake_file_system.h"

namespace qbuild::engine {
namespace {

TEST(Witness, EverythingCountsForAUsersFileAndContentForAStoredOne) {
  FakeFileSystem files;
  files.put("/f", "x");
  const Witness file = observe(files, Witness::What::kFile, "/f");
  const Witness content = observe(files, Witness::What::kContent, "/f");
  const FileStat same = *files.stat("/f");
  EXPECT_TRUE(agrees(file, same));
  EXPECT_TRUE(agrees(content, same));
  FileStat linked = same;
  linked.ctime_ns += 1;
  linked.mode = 0444;
  EXPECT_FALSE(agrees(file, linked));
  EXPECT_TRUE(agrees(content, linked));
  for (auto change :
       {+[](FileStat& stat) { ++stat.mtime_ns; }, +[](FileStat& stat) { ++stat.inode; },
        +[](FileStat& stat) { ++stat.device; }, +[](FileStat& stat) { ++stat.size_bytes; },
        +[](FileStat& stat) { stat.kind = FileStat::Kind::kDirectory; }}) {
    FileStat changed = same;
    change(changed);
    EXPECT_FALSE(agrees(file, changed));
    EXPECT_FALSE(agrees(content, changed));
  }
}

TEST(Witness, AbsenceIsToo) {
  FakeFileSystem files;
  const Witness absent = observe(files, Witness::What::kFile, "/f");
  EXPECT_TRUE(agrees(absent, std::nullopt));
  files.put("/f", "");
  EXPECT_FALSE(agrees(absent, files.stat("/f")));
  EXPECT_FALSE(agrees(observe(files, Witness::What::kContent, "/f"), std::nullopt));
}

}  // namespace
}  // namespace qbuild::engine
