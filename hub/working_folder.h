#pragma once
// A branch as plain files, for people with a file manager. Derived from the branch's tree, never
// read by the hub, and brought up to date file by file, so that what did not change is not written
// again.

#include <vector>

#include "base/file_system.h"
#include "hub/blobs.h"
#include "hub/hub.h"

namespace qbuild::hub {

struct WorkingFolder {
  fs::path folder;
  fs::path state_file;  // which files were put there and what a stat said of them then
};

// Puts what is missing or was changed, removes what an earlier call put there and the tree no
// longer has (unless it was changed since), leaves files that the hub did not put there. A folder
// that is current costs one stat per file and writes nothing. The caller holds the repository's
// lock. After a failure or a crash the next call goes on where it stopped.
void refresh_working_folder(FileSystem& file_system, const Blobs& blobs,
                            const WorkingFolder& working, const std::vector<TreeEntry>& tree);

}  // namespace qbuild::hub
