#include "templates/builtin.h"

#include "templates/embedded.h"

namespace qbuild::templates {

std::optional<std::string_view> builtin_template(std::string_view name) {
  for (const EmbeddedFile& file : embedded_files())
    if (file.name == name) return file.text;
  return std::nullopt;
}

std::vector<std::string_view> builtin_template_names() {
  std::vector<std::string_view> names;
  for (const EmbeddedFile& file : embedded_files()) names.push_back(file.name);
  return names;
}

}  // namespace qbuild::templates
