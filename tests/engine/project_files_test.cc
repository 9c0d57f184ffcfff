#include "engine/project_files.h"

#include <gtest/gtest.h>

namespace qbuild::engine {
namespace {

const ProjectFiles kProject = ProjectFiles::of("/p");

TEST(ProjectFiles, LogsAreReadableAndUnique) {
  const std::string log = kProject.log("bard:Q4_K_M").string();
  EXPECT_EQ(log.find("/p/.qbuild/logs/bard_Q4_K_M-"), 0u) << log;
  EXPECT_TRUE(log.ends_with(".log"));
  EXPECT_NE(kProject.log("a:b"), kProject.log("a_b"));
}

TEST(ProjectFiles, HostileTargetsStayInTheFolder) {
  for (const std::string& target :
       {std::string("../../etc/passwd"), std::string("/abs"), std::string(5000, 'x'),
        std::string("a\0b", 3), std::string()}) {
    for (const fs::path& path :
         {kProject.log(target), kProject.last(target), kProject.record(target)}) {
      EXPECT_EQ(path.lexically_normal(), path);
      EXPECT_LT(path.filename().string().size(), 200u);
    }
    EXPECT_EQ(kProject.log(target).parent_path(), "/p/.qbuild/logs");
  }
}

}  // namespace
}  // namespace qbuild::engine
