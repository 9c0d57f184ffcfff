#pragma once
// What a repository should hold after publishing, from the inputs of `publish`; and the difference
// to what it holds.

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "engine/rule.h"
#include "hub/hub.h"
#include "rules/published.h"

namespace qbuild::rules {

// A file with its content: in the store, or in memory.
struct DesiredFile {
  Digest sha256;
  std::uint64_t size_bytes = 0;
  fs::path source;                   // empty: inline
  std::optional<std::string> bytes;  // of inline files
};

struct DesiredTree {
  std::map<std::string, DesiredFile> files;  // by path in the repository
  // Paths of held variants' earlier forms: they stay as the remote has them.
  std::vector<PublishedFile> kept;
  Published published;  // what qbuild.json will say; it is in `files` too
};

// Throws Error: kInvalidInput if two files would have one path, also if case is ignored; what
// engine::input_text throws for the card.
[[nodiscard]] DesiredTree desired_tree(const engine::ActionRequest& request, FileSystem& files);

struct TreeDifference {
  std::vector<std::string> added;    // new or changed, sorted
  std::vector<std::string> deleted;  // ours by the earlier qbuild.json, not desired any more
  [[nodiscard]] bool empty() const { return added.empty() && deleted.empty(); }
};

//   remote   the tree at the head
//   earlier  what qbuild.json there says, if it is there
// Throws Error (kTransient) if a kept file is not there as it was read: the branch moved meanwhile.
[[nodiscard]] TreeDifference difference(const DesiredTree& desired,
                                        const std::vector<hub::TreeEntry>& remote,
                                        const std::optional<Published>& earlier);

// Same content as the remote file?
[[nodiscard]] bool same_content(const hub::TreeEntry& entry, const DesiredFile& file);

}  // namespace qbuild::rules
