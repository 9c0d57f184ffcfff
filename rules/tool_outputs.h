#pragma once
// What a tool left in its folder, as the files of an artifact. Nothing there is believed: not its
// names, kinds, number or permissions, nor that nobody writes to it any more.

#include <vector>

#include "base/file_system.h"
#include "base/json.h"
#include "engine/rule.h"

namespace qbuild::rules {

inline constexpr std::size_t kMaxOutputFiles = 10'000;
inline constexpr std::size_t kMaxOutputFolders = 1'000;
inline constexpr std::size_t kMaxOutputDepth = 32;  // of folders

// All files below `folder`, hashed, sorted by name. What is closed to its owner is opened; a file
// that is a second name of some other file is replaced by a copy, so that the store owns what it
// keeps. Throws Error (kInvalidInput): nothing there, too many or too deep, something that is
// neither file nor folder, a name that no artifact takes, a file that no pattern matches, a pattern
// that matches no file, a file that changes while it is hashed.
//   patterns  base/glob.h, of names relative to the folder
[[nodiscard]] std::vector<engine::ProducedFile> collect_outputs(FileSystem& files,
                                                                const fs::path& folder,
                                                                const Json& patterns);

}  // namespace qbuild::rules
