#include "hub/directory_layout.h"

#include <fmt/core.h>

#include "hub/hub.h"

namespace qbuild::hub {

fs::path RepoLayout::ref(std::string_view branch) const {
  return refs() / branch_file_name(branch);
}

fs::path RepoLayout::commit(std::string_view id_hex) const {
  return folder / "commits" / id_hex.substr(0, 2) / id_hex;
}

fs::path RepoLayout::working_state(std::string_view branch) const {
  return folder / "files" / (branch_file_name(branch) + ".json");
}

fs::path DirectoryLayout::blob(const Digest& sha256) const {
  const std::string hex = sha256.hex();
  return root_ / "blobs" / hex.substr(0, 2) / hex;
}

RepoLayout DirectoryLayout::repo(const RepoId& id) const {
  RepoLayout layout;
  layout.id = parse_repo_id(id.text());
  layout.folder = root_ / "repos" / folded(id.owner) / folded(id.name);
  return layout;
}

fs::path DirectoryLayout::working_folder(const RepoId& id, std::string_view branch) const {
  const fs::path owner = root_ / "files" / id.owner;
  if (branch == kMainBranch) return owner / id.name;
  // '@' occurs in no repository's name, so this is never another repository's folder.
  return owner / (id.name + "@" + branch_file_name(branch));
}

std::string branch_file_name(std::string_view branch) {
  // Neither names a file, and the second leaves the folder.
  if (branch == ".") return "%2E";
  if (branch == "..") return "%2E%2E";
  std::string name;
  for (const char c : branch) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '_' || c == '.';
    if (plain) {
      name.push_back(c);
    } else {
      name += fmt::format("%{:02X}", static_cast<unsigned>(static_cast<unsigned char>(c)));
    }
  }
  return name;
}

}  // namespace qbuild::hub
