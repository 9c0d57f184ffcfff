#include "templates/template.h"

#include <set>

#include "templates/parser.h"
#include "templates/renderer.h"

namespace qbuild::templates {
namespace {

void collect_partials(const std::vector<Node>& nodes, std::set<std::string>& names) {
  for (const Node& node : nodes) {
    if (node.kind == NodeKind::kPartial) names.insert(node.text);
    collect_partials(node.body, names);
    collect_partials(node.otherwise, names);
  }
}

}  // namespace

Template Template::parse(std::string_view text, std::string_view name) {
  return Template(parse_program(text, name));
}

std::string Template::render(const Json& document, const RenderOptions& options,
                             const PartialLoader& partials) const {
  return render_program(program_, document, options, partials, Explain::kNo).text;
}

Rendered Template::render_explained(const Json& document, const RenderOptions& options,
                                    const PartialLoader& partials) const {
  return render_program(program_, document, options, partials, Explain::kYes);
}

std::vector<std::string> Template::partial_names() const {
  std::set<std::string> names;
  collect_partials(program_.nodes, names);
  return {names.begin(), names.end()};
}

}  // namespace qbuild::templates
