#pragma once
// Rules about the text of single files.

#include "tests/tidy/source_tree.h"

namespace qbuild::tidy {

// One concept per file: longer ones have two.
inline constexpr std::size_t kMaxLines = 400;

// Code, build files and scripts of more than kMaxLines lines.
[[nodiscard]] Findings find_long_files(const SourceTree& tree);

// Reminders to come back later that do not name an issue: "(#12)" right after the word.
[[nodiscard]] Findings find_naked_reminders(const SourceTree& tree);

// Absolute paths into somebody's home folder.
[[nodiscard]] Findings find_home_paths(const SourceTree& tree);

// Preprocessor conditions in rooms, except in base and in kernels/processor.cc: variants are files
// that the build chooses.
[[nodiscard]] Findings find_conditional_compilation(const SourceTree& tree);

// Headers without #pragma once.
[[nodiscard]] Findings find_unguarded_headers(const SourceTree& tree);

}  // namespace qbuild::tidy
