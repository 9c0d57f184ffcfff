#pragma once
// The tables of manifests/README.md as the table of keys has them.

#include <string>
#include <string_view>

#include "manifests/keys.h"

namespace qbuild::manifests {

inline constexpr std::string_view kReferenceBegin = "<!-- keys: begin -->\n";
inline constexpr std::string_view kReferenceEnd = "<!-- keys: end -->\n";

inline std::string cell(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '|') out += '\\';
    out += c;
  }
  return out.empty() ? "-" : out;
}

inline std::string code(std::string_view text) {
  return text.empty() ? "-" : "`" + cell(text) + "`";
}

inline std::string value_cell(const KeySpec& key) {
  std::string text = shapes_text(key.accepts);
  if (key.elements != 0) text += "; in the list " + shapes_text(key.elements);
  if ((key.accepts & kWholeShape) != 0)
    text += ", " + std::to_string(key.least) + " to " + std::to_string(key.most);
  if (key.inside != Section::kNone) {
    const std::string name(section_info(key.inside).name);
    text += " ([" + name + "](#" + name + "))";
  }
  if (!key.choices.empty()) {
    text += ":";
    for (const std::string_view choice : key.choices) text += " `" + std::string(choice) + "`";
  }
  return cell(text);
}

inline std::string section_table(const SectionInfo& info) {
  std::string text = "### " + std::string(info.name) + "\n\n";
  text += "| key | value | default | variables | example | meaning |\n|---|---|---|---|---|---|\n";
  for (const std::string_view name : key_names(info.section)) {
    const KeySpec& key = *find_key(info.section, name);
    const std::string shown = name == "*" ? "*any name*" : code(name);
    std::string meaning(key.meaning);
    if (key.is_required) meaning += " Required.";
    text += "| " + shown + " | " + value_cell(key) + " | " + cell(key.fallback) + " | " +
            cell(variables_text(key.variables)) + " | " + code(key.example) + " | " +
            cell(meaning) + " |\n";
  }
  return text + "\n";
}

inline std::string reference_tables() {
  std::string text;
  for (const SectionInfo& info : all_sections()) text += section_table(info);
  return text;
}

}  // namespace qbuild::manifests
