#pragma once
// Where a directory hub keeps what: names of files, nothing that touches the disk. docs/hub.md has
// the picture.

#include <filesystem>
#include <string>
#include <string_view>
#include <utility>

#include "base/digest.h"
#include "hub/repo_id.h"

namespace qbuild::hub {

namespace fs = std::filesystem;

// One repository. Its folder is named in small letters, because ids are looked up without regard to
// case; settings.json has the spelling.
struct RepoLayout {
  RepoId id;
  fs::path folder;

  [[nodiscard]] fs::path settings() const { return folder / "settings.json"; }
  [[nodiscard]] fs::path lock() const { return folder / "lock"; }
  [[nodiscard]] fs::path refs() const { return folder / "refs" / "heads"; }
  [[nodiscard]] fs::path ref(std::string_view branch) const;
  [[nodiscard]] fs::path commit(std::string_view id_hex) const;
  // What was put into the working folder of a branch.
  [[nodiscard]] fs::path working_state(std::string_view branch) const;
};

class DirectoryLayout {
 public:
  explicit DirectoryLayout(fs::path root) : root_(std::move(root)) {}

  [[nodiscard]] const fs::path& root() const { return root_; }
  [[nodiscard]] fs::path format() const { return root_ / "format"; }
  [[nodiscard]] fs::path lock() const { return root_ / "lock"; }
  [[nodiscard]] fs::path temporary() const { return root_ / "tmp"; }
  [[nodiscard]] fs::path blob(const Digest& sha256) const;
  // Judges the id again: an id that was put together by hand may be anything.
  [[nodiscard]] RepoLayout repo(const RepoId& id) const;
  // files/OWNER/NAME for main, files/OWNER/NAME@BRANCH for another.
  [[nodiscard]] fs::path working_folder(const RepoId& id, std::string_view branch) const;

 private:
  fs::path root_;
};

// A branch as one file name: everything but letters, digits, '-', '_' and '.' percent-encoded.
[[nodiscard]] std::string branch_file_name(std::string_view branch);

}  // namespace qbuild::hub
