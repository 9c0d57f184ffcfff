#pragma once
// What else runs on this machine on behalf of a test.

#include <chrono>
#include <filesystem>
#include <vector>

namespace qbuild::e2e {

// Processes that have this folder in their command line or as their working directory.
[[nodiscard]] std::vector<int> processes_in(const std::filesystem::path& folder);

// Waits so long for the last of them to end; false if some are left.
[[nodiscard]] bool all_end_in(const std::filesystem::path& folder, std::chrono::seconds within);

}  // namespace qbuild::e2e
