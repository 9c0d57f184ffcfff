#include "base/temporary_name.h"

#include <gmock/gmock.h>

#include <cerrno>

#include "base/fake_file_system.h"
#include "tests/base/ended_process.h"

namespace qbuild {
namespace {

using test::ended_process;

TEST(TemporaryName, IsKnownByItsForm) {
  EXPECT_TRUE(is_temporary_name(temporary_name()));
  EXPECT_NE(temporary_name(), temporary_name());
  EXPECT_FALSE(is_temporary_name(".qbuild-.tmp"));
  EXPECT_FALSE(is_temporary_name("model.gguf.tmp"));
  EXPECT_FALSE(is_temporary_name(".qbuild-0123456789ab-1-x"));
}

TEST(TemporaryName, OfAProcessThatIsGoneIsRemovedAndNothingElse) {
  FakeFileSystem disk;
  const std::string gone = temporary_name(ended_process());
  const std::string living = temporary_name();
  const std::string elsewhere = ".qbuild-0123456789ab-1-x.tmp";
  for (const std::string& name : {gone, living, elsewhere, std::string("mine.tmp")})
    disk.put("/d/" + name, "half");
  remove_abandoned_temporaries(disk, "/d");
  EXPECT_THAT(disk.list("/d"), testing::UnorderedElementsAre(living, elsewhere, "mine.tmp"));
}

TEST(TemporaryName, ThatCannotBeRemovedIsNoFailure) {
  FakeFileSystem disk;
  const std::string gone = temporary_name(ended_process());
  disk.put("/d/" + gone, "half");
  disk.fail(FakeFileSystem::Call::kRemove, 1, EACCES);
  EXPECT_NO_THROW(remove_abandoned_temporaries(disk, "/d"));
  EXPECT_NO_THROW(remove_abandoned_temporaries(disk, "/nowhere"));
  EXPECT_EQ(disk.list("/d").size(), 1u);
}

}  // namespace
}  // namespace qbuild
