#pragma once
// The table of keys: what may stand where in a manifest. The loader checks files against it, the
// JSON Schema is made from it (schema.h), and a test holds the reference in README.md to it.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace qbuild::manifests {

// A kind of mapping. In one whose only key is "*" the user chooses the names.
enum class Section : std::uint8_t {
  kNone,
  kManifest,
  kSets,
  kDefaults,
  kModels,
  kModel,
  kQuant,
  kRule,
  kEnvironment,
  kResources,
  kBenchmark,
  kPerplexity,
  kThroughput,
  kGates,
  kBounds,
  kLicense,
  kCard,
  kPublish,
  kMatrix,
  kExclude,
};

// What a value may be; a set of these.
using Shapes = std::uint32_t;
inline constexpr Shapes kTextShape = 1u << 0;
inline constexpr Shapes kWholeShape = 1u << 1;
inline constexpr Shapes kNumberShape = 1u << 2;
inline constexpr Shapes kBoolShape = 1u << 3;
inline constexpr Shapes kFalseShape = 1u << 4;   // "false" alone: switches off what defaults say
inline constexpr Shapes kScalarShape = 1u << 5;  // text, number or truth value, taken as written
inline constexpr Shapes kListShape = 1u << 6;
inline constexpr Shapes kMappingShape = 1u << 7;

// Which variables a text may hold; a set of these. Where there are none, braces are just
// characters.
using Variables = std::uint32_t;
inline constexpr Variables kMatrixVariables = 1u << 0;
inline constexpr Variables kModelName = 1u << 1;    // {model}
inline constexpr Variables kVariantName = 1u << 2;  // {variant}
inline constexpr Variables kSourceName = 1u << 3;   // {source.name}
inline constexpr Variables kDate = 1u << 4;         // {date}, replaced when a commit is made
inline constexpr Variables kRunPaths = 1u << 5;  // {source} {out}, replaced when the command runs

struct KeySpec {
  std::vector<Section> sections{};  // in which it may stand
  std::string_view name{};          // "*": any
  Shapes accepts = 0;
  Shapes elements = 0;              // of the list
  Section inside = Section::kNone;  // of the mapping, and of mappings in the list
  Variables variables = 0;
  std::string_view fallback{};  // the default, as the reference says it; "": none
  std::string_view example{};
  std::string_view meaning{};
  std::span<const std::string_view>
      choices{};           // known words; the first kinds of `quants` are only some
  std::int64_t least = 0;  // of a whole number
  std::int64_t most = 0;
  bool is_required = false;  // wherever the section stands, also under others that may be merged
};

// In the order of the reference.
[[nodiscard]] const std::vector<KeySpec>& all_keys();

// Null pointer: the section has no such key.
[[nodiscard]] const KeySpec* find_key(Section section, std::string_view name);
[[nodiscard]] std::vector<std::string_view> key_names(Section section);

// True for words of the design that mean something here one day, such as "divergence": a near word
// is not what their writer meant.
[[nodiscard]] bool is_later_key(std::string_view name);

struct SectionInfo {
  Section section;
  std::string_view name;   // in the schema and as a heading: "perplexity"
  std::string_view title;  // in messages: "a perplexity benchmark"
};
[[nodiscard]] std::span<const SectionInfo> all_sections();
[[nodiscard]] const SectionInfo& section_info(Section section);

// "text, a list or a mapping"
[[nodiscard]] std::string shapes_text(Shapes shapes);
// "{model}, {variant}"; "" for none.
[[nodiscard]] std::string variables_text(Variables variables);

}  // namespace qbuild::manifests
