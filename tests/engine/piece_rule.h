#pragma once
// What a rule that makes its file piece by piece does, for tests: it copies what donors and earlier
// attempts hold, computes the rest, and counts both.

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "engine/rule.h"

namespace qbuild::engine::testing {

// The name of a piece with this text.
[[nodiscard]] std::string piece_key(const std::string& text);

// Makes "out" of the texts of the parameter "pieces", one after another. Inline: "computed" and
// "copied", how many. `before_each` is called before each piece with the number of those that are
// done, and once at the end.
[[nodiscard]] ActionResult make_of_pieces(const ActionRequest& request, ActionContext& context,
                                          const std::function<void(std::size_t done)>& before_each);

[[nodiscard]] Json piece_texts(const std::vector<std::string>& texts);

}  // namespace qbuild::engine::testing
