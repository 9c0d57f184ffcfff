#pragma once
// A table of text for the terminal: columns as wide as their widest cell, numbers to the right.

#include <string>
#include <vector>

namespace qbuild::cli {

class Table {
 public:
  // A heading that begins with '>' is a column of numbers: set to the right, without the '>'.
  explicit Table(std::vector<std::string> headings);
  void add(std::vector<std::string> cells);
  // Lines ending in newlines; two spaces between columns, none at the ends.
  [[nodiscard]] std::string text() const;

 private:
  std::vector<bool> to_the_right_;
  std::vector<std::vector<std::string>> rows_;
};

// Characters that a terminal shows for UTF-8 text without wide or combining ones.
[[nodiscard]] std::size_t display_width(std::string_view text);

}  // namespace qbuild::cli
