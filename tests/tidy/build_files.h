#pragma once
// Rules about what the build files name: nothing lies in the tree unbuilt, and every source has its
// test.

#include <map>
#include <string>

#include "tests/tidy/source_tree.h"

namespace qbuild::tidy {

// Path of a source to the reason why it needs no test file of its own.
using Exemptions = std::map<std::string, std::string>;

// Sources (.cc), tests included, that the CMakeLists.txt of no folder above them names.
[[nodiscard]] Findings find_unbuilt_files(const SourceTree& tree);

// ROOM/x.cc without tests/ROOM/x_test.cc, and exemptions that are no longer needed.
[[nodiscard]] Findings find_untested_sources(const SourceTree& tree, const Exemptions& exemptions);

}  // namespace qbuild::tidy
