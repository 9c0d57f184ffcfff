#include "engine/project_records.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "base/fake_file_system.h"

namespace qbuild::engine {
namespace {

const ProjectFiles kProject{"/p/.qbuild"};

cache::Record receipt() {
  cache::Record record;
  record.key = sha256("key");
  record.key_text = "rule: publish\n";
  record.rule = "publish";
  record.inline_files["receipt"] = "r";
  record.artifact.files = {{.name = "receipt", .sha256 = sha256("r"), .size_bytes = 1}};
  record.machine = Json::object();
  return record;
}

TEST(ProjectRecords, ComeBackPerTarget) {
  FakeFileSystem files;
  write_project_record(files, kProject, "a", receipt());
  EXPECT_EQ(read_project_record(files, kProject, "a")->inline_files.at("receipt"), "r");
  EXPECT_FALSE(read_project_record(files, kProject, "b").has_value());
}

TEST(ProjectRecords, SurviveACrash) {
  FakeFileSystem files;
  write_project_record(files, kProject, "a", receipt());
  files.crash();
  EXPECT_TRUE(read_project_record(files, kProject, "a").has_value());
}

TEST(ProjectRecords, DamageIsAbsence) {
  FakeFileSystem files;
  write_project_record(files, kProject, "a", receipt());
  std::string bytes = files.contents(kProject.record("a"));
  bytes.back() ^= 1;
  files.put(kProject.record("a"), bytes);
  EXPECT_FALSE(read_project_record(files, kProject, "a").has_value());
}

TEST(ProjectRecords, UnreadableIsNotAbsence) {
  FakeFileSystem files;
  write_project_record(files, kProject, "a", receipt());
  files.fail(FakeFileSystem::Call::kOpen, 1, EACCES);
  EXPECT_THROW(static_cast<void>(read_project_record(files, kProject, "a")), Error);
}

}  // namespace
}  // namespace qbuild::engine
