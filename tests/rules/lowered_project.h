#pragma once
// A project on disk that is lowered in the test's own process.

#include <gmock/gmock.h>

#include "engine/stat_table.h"
#include "manifests/load.h"
#include "rules/lower.h"
#include "tests/rules/support.h"

namespace qbuild::rules {

// A project with a checkpoint in bard-llama, a text and what a test adds to a model `b`, whose
// lines begin in line 5.
class LoweredProject : public testing::Test {
 protected:
  LoweredProject() { write("text.txt", "To be, or not to be\n"); }

  void write(const std::string& name, std::string_view text) const {
    write_text(folder_.path() / name, std::string(text));
  }
  Lowered lowered(std::string_view lines) {
    write("qbuild.yaml",
          "version: 1\nmodels:\n  b:\n    source: bard-llama\n" + std::string(lines));
    const std::vector<fs::path> paths{folder_.path() / "qbuild.yaml"};
    const manifests::Manifest manifest = manifests::load(*files_, paths);
    engine::StatTable digests(*files_, *clock_, [](std::int64_t) {});
    return lower(manifest, *files_, *clock_, digests,
                 {.out = folder_.path() / "out", .threads = 1, .machine = {}});
  }
  // What is wrong, without the project's folder.
  std::string problems(std::string_view lines) {
    std::string text = error_of([&] { (void)lowered(lines); }).message();
    const std::string root = folder_.path().string() + "/";
    for (auto at = text.find(root); at != std::string::npos; at = text.find(root, at))
      text.erase(at, root.size());
    return text;
  }
  static std::string error_of_goals(const Lowered& lowered, const std::string& pattern) {
    return error_of([&] { (void)select_goals(lowered, {pattern}, WithPublish::kNo); }).message();
  }
  static std::vector<std::string> goals(const Lowered& lowered, const std::string& pattern,
                                        WithPublish with_publish) {
    std::vector<std::string> names;
    for (const auto id : select_goals(lowered, {pattern}, with_publish))
      names.push_back(lowered.graph.node(id).target);
    return names;
  }
  static std::vector<std::string> labels(const Lowered& lowered, std::string_view target) {
    std::vector<std::string> names;
    for (const auto& input : lowered.graph.node(*lowered.graph.find(target)).inputs)
      names.push_back(input.label);
    return names;
  }

  TemporaryFolder folder_;
  std::unique_ptr<FileSystem> files_ = make_posix_file_system();
  std::unique_ptr<Clock> clock_ = make_system_clock();
  fs::path model_ = copy_of_bard(folder_.path());
};

}  // namespace qbuild::rules
