#pragma once
// The rule `publish`: makes a repository hold what it should. It compares the desired tree with the
// remote one, uploads what is missing, commits once with the remote head as parent, and reads the
// result back.
//
// Parameters: repo ("owner/name"), hub (as the manifest spells it), private, variants: a list of
//   {"name", "file": path in the repository}     for a variant that is one file
//   {"name", "folder": folder in the repository} for one that is several
// Context: hub_path (the folder), message ("{date}" is the day of the commit).
// Inputs: "card"; per variant "model.NAME" and "gate.NAME" (soft: of a held variant the earlier
// form, if one is published, stays). Output: result.json, the receipt: {"hub", "repo", "commit",
// "files": [{"path", "sha256", "size"}]}.

#include <memory>

#include "engine/rule.h"
#include "hub/hub.h"

namespace qbuild::rules {

// The hub that a manifest names. kUnsupported for a URL.
//   name  as the manifest spells it: a URL or a folder
//   path  the folder, resolved
[[nodiscard]] std::unique_ptr<hub::Hub> open_hub(std::string_view name, const fs::path& path,
                                                 FileSystem& files, Clock& clock);
[[nodiscard]] bool is_hub_url(std::string_view name);

[[nodiscard]] std::unique_ptr<engine::Rule> make_publish_rule();

}  // namespace qbuild::rules
