#pragma once
// A project of a few thousand weights on a disk in memory, published as `qbuild publish` does it,
// with every rule in this process. Clock and weights are the same each time, so two runs that were
// not disturbed leave the same bytes.

#include <map>
#include <string>

#include "base/fake_file_system.h"
#include "engine/report.h"

namespace qbuild::faults {

// Checkpoint, text and manifest in /project; there and flushed before anything begins.
void put_small_project(FakeFileSystem& disk);

// Loads the state file and the manifest, imports the source, brings everything up to date and saves
// the state file. The store is /store, the hub /project/hub. Nothing but `files` is touched.
[[nodiscard]] engine::RunReport publish_small_project(FileSystem& files);

// What users see of it: everything below /project/out and in the repository, by path.
[[nodiscard]] std::map<std::string, std::string> results(const FakeFileSystem& disk);

// Where two of them differ, a line each; empty if they do not.
[[nodiscard]] std::string difference(const std::map<std::string, std::string>& expected,
                                     const std::map<std::string, std::string>& actual);

// What `qbuild store verify` would say, a line each; empty if all is well. Incomplete records
// count.
[[nodiscard]] std::string damages(FakeFileSystem& disk);

// "target: reason", a line each, of what failed or was skipped.
[[nodiscard]] std::string failures(const engine::RunReport& report);

}  // namespace qbuild::faults
