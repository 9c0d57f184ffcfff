// Fuzz target: any text as a template, and as a partial of itself, over one small document.
// An Error is the right answer to a bad template; anything else is a bug.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "templates/template.h"

namespace {

// A small text can ask for the whole limit of work; longer ones only make the search slower.
constexpr std::size_t kMaxInputBytes = 4096;

void render(const qbuild::templates::Template& parsed, const std::string& text,
            qbuild::templates::RenderOptions options) {
  using qbuild::Json;
  static const Json document = Json::parse(
      R"({"a": "x<&>", "b": {"c": 1.5, "d": null}, "l": [{"a": 1}, {"a": 2}], "e": [], "t": true})");
  const qbuild::templates::PartialLoader itself =
      [&](std::string_view name) -> std::optional<std::string> {
    if (name != "p") return std::nullopt;
    return text;
  };
  try {
    static_cast<void>(parsed.render_explained(document, options, itself));
  } catch (const qbuild::Error&) {
    return;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using qbuild::templates::Escape;
  using qbuild::templates::Strictness;
  if (size > kMaxInputBytes) return 0;
  const std::string text(data, data + size);
  std::optional<qbuild::templates::Template> parsed;
  try {
    parsed = qbuild::templates::Template::parse(text, "fuzz");
  } catch (const qbuild::Error&) {
    return 0;
  }
  render(*parsed, text, {.escape = Escape::kHtml, .strictness = Strictness::kLenient});
  render(*parsed, text, {.escape = Escape::kNone, .strictness = Strictness::kStrict});
  return 0;
}
