#pragma once
// The one spelling of files that are being written beside their place, so that whoever comes next
// can tell what a process that died has left there, in a user's folder too.

#include <string>
#include <string_view>

#include "base/file_system.h"

namespace qbuild {

// ".qbuild-SPACE-PID-RANDOM.tmp": SPACE tells apart processes whose numbers mean nothing to each
// other (of other hosts, of other containers on this one), PID is this process or, for tests,
// another.
[[nodiscard]] std::string temporary_name();
[[nodiscard]] std::string temporary_name(int pid);

// Whether it is of this form, whoever made it.
[[nodiscard]] bool is_temporary_name(std::string_view name);

// Removes from the folder what processes of this SPACE that are gone have left. One list; never
// throws: what cannot be removed stays.
void remove_abandoned_temporaries(FileSystem& file_system, const fs::path& folder);

}  // namespace qbuild
