#pragma once
// The YAML front matter of a model card (README.md): read from a source, written for a repository.
// yaml-cpp stays behind model_card.cc.

#include <string>
#include <string_view>

#include "base/json.h"

namespace qbuild::formats {

// Results of evaluations fill some hundred kilobytes.
inline constexpr std::size_t kMaxFrontMatterBytes = std::size_t{3} << 18U;
inline constexpr std::size_t kMaxFrontMatterNodes = 100'000;

// The mapping between the first two "---" lines; an empty object if the text does not begin with
// one. Plain scalars become booleans, numbers or null as YAML's core schema has it, quoted ones
// stay strings. Throws Error (kInvalidInput) "front matter: LINE:COLUMN: ..." for what is no YAML
// mapping, and for aliases, which could make it grow without bound.
[[nodiscard]] Json read_front_matter(std::string_view readme);

// "---\n...\n---\n". What it writes reads back as the same value.
[[nodiscard]] std::string emit_front_matter(const Json& object);

}  // namespace qbuild::formats
