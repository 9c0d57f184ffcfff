#pragma once
// Walks a parsed template over a document.

#include "base/json.h"
#include "templates/syntax.h"
#include "templates/template.h"

namespace qbuild::templates {

enum class Explain : bool { kNo, kYes };

// As Template::render_explained says; `used` stays empty without Explain::kYes.
[[nodiscard]] Rendered render_program(const Program& program, const Json& document,
                                      const RenderOptions& options, const PartialLoader& partials,
                                      Explain explain);

}  // namespace qbuild::templates
