#pragma once
// The drawing of docs/ARCHITECTURE.md as data: which room may know which. Arrows only go down.

#include <set>
#include <string>
#include <string_view>

#include "tests/tidy/source_tree.h"

namespace qbuild::tidy {

// Every room of the house, from the ground up.
[[nodiscard]] const std::vector<std::string>& rooms();
// The rooms that `room` may include, itself left out.
[[nodiscard]] const std::set<std::string>& rooms_below(std::string_view room);

// Quoted includes of rooms and of their tests that go up or sideways, are not written from the
// root, or come from a folder that is not on the drawing.
[[nodiscard]] Findings find_wrong_includes(const SourceTree& tree);

// Rooms after USES in a room's CMakeLists.txt that are not below it.
[[nodiscard]] Findings find_wrong_uses(const SourceTree& tree);

}  // namespace qbuild::tidy
