#pragma once
// Rules about documents: what cites them, what they quote, and what they say of the types.

#include <cstdint>
#include <string>
#include <vector>

#include "tests/tidy/source_tree.h"

namespace qbuild::tidy {

// Comments that cite a Markdown file, and links of Markdown files to files, where there is none. A
// comment cites by the path from the root, or by a name in its own folder.
[[nodiscard]] Findings find_missing_documents(const SourceTree& tree);

// Quotes that are not in the file they name, line by line but for the indentation. A quote is, in a
// Markdown file, a line "<!-- quoted from PATH -->" and the fenced block after it; in a source, a
// comment "Quoted from PATH:" and the comment's indented lines after it.
[[nodiscard]] Findings find_stale_quotes(const SourceTree& tree);

// What a type's page must say.
struct TypeFacts {
  std::string name;
  std::uint32_t block_values = 0;
  std::uint32_t block_bytes = 0;
};

// Types without exactly one heading "## NAME" in docs/types, or whose first line of text there is
// not "N values in M bytes: B bits per weight.", or without exactly one row "| NAME | N | M | B |
// ..." of the table in docs/types/README.md that links to the heading; and headings and rows of no
// type that are written like one.
[[nodiscard]] Findings find_wrong_type_pages(const SourceTree& tree,
                                             const std::vector<TypeFacts>& types);

}  // namespace qbuild::tidy
