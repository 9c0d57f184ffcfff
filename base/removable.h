#pragma once
// Folders that somebody else filled, such as a tool: closed to their owner, or deeper than a path
// can be long and than files may be open at once. The usual way of removing a tree gives up on
// them.

#include <filesystem>

namespace qbuild {

// Opens every folder below for its owner, and moves what lies deep up into `folder`, so that it can
// be removed. Links are not followed. Failures are left to whoever removes.
void make_removable(const std::filesystem::path& folder);

}  // namespace qbuild
