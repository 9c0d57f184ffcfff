#include "rules/card.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/error.h"
#include "formats/model_card.h"
#include "rules/card_document.h"
#include "rules/published.h"
#include "rules/rule_table.h"
#include "templates/builtin.h"
#include "templates/template.h"

namespace qbuild::rules {
namespace {

using engine::ActionContext;
using engine::ActionRequest;
using engine::ActionResult;

constexpr std::uint64_t kMaxReadmeBytes = 4u << 20;
constexpr std::uint64_t kMaxTemplateBytes = 4u << 20;

// The source's own front matter, or what a source without a README says instead.
Json source_front_matter(const ActionRequest& request, FileSystem& files) {
  const engine::ResolvedInput& source = request.input("source");
  for (std::size_t i = 0; i < source.artifact.files.size(); ++i) {
    if (source.artifact.files[i].name != kCardName) continue;
    const std::string text = read_file(files, source.paths[i], kMaxReadmeBytes);
    if (sha256(text) != source.artifact.files[i].sha256)
      throw Error(ErrorKind::kTransient, fmt::format("{} changed since this run began; run again",
                                                     source.paths[i].string()));
    return formats::read_front_matter(text);
  }
  const Json& facts = source.artifact.facts;
  const Json* const said = facts.is_object() ? facts.find("front_matter") : nullptr;
  return said == nullptr ? Json::object() : *said;
}

struct TemplateText {
  std::string text;
  std::string name;
};

TemplateText template_text(const ActionRequest& request, FileSystem& files) {
  for (const engine::ResolvedInput& input : request.inputs)
    if (input.label == "template")
      return {read_file(files, input.paths.at(0), kMaxTemplateBytes),
              input.paths.at(0).filename().string()};
  return {std::string(*templates::builtin_template(templates::kCardTemplate)), "card"};
}

class CardRule final : public engine::Rule {
 public:
  [[nodiscard]] const engine::RuleTraits& traits() const override { return traits_; }

  ActionResult run(const ActionRequest& request, ActionContext& context) const override {
    const Json own = source_front_matter(request, context.file_system());
    const Json document = card_document(request, own);
    const Json front_matter = card_front_matter(request, document, own);
    const TemplateText text = template_text(request, context.file_system());
    const auto partials = [](std::string_view name) -> std::optional<std::string> {
      const auto found = templates::builtin_template(name);
      if (!found) return std::nullopt;
      return std::string(*found);
    };
    const std::string body =
        templates::Template::parse(text.text, text.name).render(document, {}, partials);
    const std::string head = formats::emit_front_matter(front_matter);
    if (formats::read_front_matter(head + body) != front_matter)
      throw Error(ErrorKind::kInternal,
                  "the card's front matter does not read back as it was written");
    ActionResult result;
    result.inline_files[std::string(kCardName)] = head + body;
    result.inline_files["document.json"] = document.dump_pretty();
    result.inline_files["origins.json"] = card_origins(request).dump_pretty();
    return result;
  }

 private:
  engine::RuleTraits traits_ = card_traits();
};

}  // namespace

std::string builtin_templates_digest() {
  Sha256 hash;
  for (const std::string_view name : templates::builtin_template_names()) {
    const std::string_view text = *templates::builtin_template(name);
    hash.update(fmt::format("{} {}\n", name, text.size()));
    hash.update(text);
  }
  return hash.finish().hex();
}

std::unique_ptr<engine::Rule> make_card_rule() {
  return std::make_unique<CardRule>();
}

}  // namespace qbuild::rules
