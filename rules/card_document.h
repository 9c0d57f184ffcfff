#pragma once
// The document that a card's template sees (templates/card/README.md, version 1), and where each
// part of it comes from. Everything in it stands in a record, in the source's own card, or in the
// manifest.

#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "engine/rule.h"

namespace qbuild::rules {

//   request       of the rule `card`
//   front_matter  of the source's README.md; an object
[[nodiscard]] Json card_document(const engine::ActionRequest& request, const Json& front_matter);

// {"variants[0].perplexity": "<key of the record>", ...}: of each measured or computed part of the
// document.
[[nodiscard]] Json card_origins(const engine::ActionRequest& request);

// The card's YAML front matter as a value.
//   document      as above
//   front_matter  of the source's README.md: what is carried over
[[nodiscard]] Json card_front_matter(const engine::ActionRequest& request, const Json& document,
                                     const Json& front_matter);

// The source's license_link as it works in another repository: an address; "" for none, and for a
// file of the source that nobody can find from there.
[[nodiscard]] std::string public_license_link(const engine::ActionRequest& request,
                                              const Json& front_matter);

// Every byte but letters, digits and -._~/ as %XX.
[[nodiscard]] std::string percent_encoded(std::string_view path);

}  // namespace qbuild::rules
