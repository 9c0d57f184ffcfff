#pragma once
// The directory hub: a folder that behaves as the Hub does, for publishing without a network, for a
// private mirror, and for the server that will speak HTTP in front of it. docs/hub.md describes
// every file.
//
//   format                         "qbuild-hub 1\n"
//   lock                           held while a repository is created
//   blobs/ab/abcdef...             content by SHA-256, read-only, shared by all repositories
//   repos/OWNER/NAME/settings.json spelling of the id, private flag, creation time; the
//                                  repository exists when this does
//   repos/OWNER/NAME/commits/...   immutable; hub/commit_object.h
//   repos/OWNER/NAME/refs/heads/   one line each: the commit that a branch stands for
//   repos/OWNER/NAME/lock          held while a branch moves
//   repos/OWNER/NAME/files/...     hub/working_folder.h
//   files/OWNER/NAME/...           main as plain files, for people; derived, made again when
//                                  missing
//   tmp/                           what is being written
//
// The ref is the one thing that commits: everything it leads to is on the disk before it is
// swapped. Any thread, any process. Reading from a folder that is no hub yet makes nothing.

#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/file_system.h"
#include "hub/blobs.h"
#include "hub/commit_object.h"
#include "hub/directory_layout.h"
#include "hub/hub.h"

namespace qbuild::hub {

// Of the folder's layout and every file in it. Version history: 1 first.
inline constexpr std::uint32_t kDirectoryHubVersion = 1;

class DirectoryHub final : public Hub {
 public:
  // kUnsupported for another format version, kInvalidInput for a folder that holds other things.
  // Both references must outlive it.
  DirectoryHub(FileSystem& file_system, Clock& clock, fs::path root);
  // Its parts know where it lies.
  DirectoryHub(const DirectoryHub&) = delete;
  DirectoryHub& operator=(const DirectoryHub&) = delete;

  [[nodiscard]] std::string where() const override;
  [[nodiscard]] std::optional<CommitInfo> head(const RepoId& repo,
                                               std::string_view revision) override;
  [[nodiscard]] std::vector<TreeEntry> tree(const RepoId& repo, std::string_view revision) override;
  [[nodiscard]] std::string read_file(const RepoId& repo, std::string_view revision,
                                      std::string_view path, std::uint64_t max_bytes) override;
  // One that lost its main branch gets its first commit anew.
  void create_repo(const RepoId& repo, Visibility visibility) override;
  [[nodiscard]] Visibility visibility(const RepoId& repo) override;
  [[nodiscard]] std::vector<BlobNeed> missing_blobs(const RepoId& repo,
                                                    const std::vector<BlobNeed>& wanted) override;
  using Hub::upload_file;
  void upload_file(const RepoId& repo, const BlobNeed& blob, const fs::path& source,
                   const std::stop_token& stop) override;
  // Afterwards files/ is brought up to date; where that fails, the commit stands all the same and
  // the next commit or refresh_files does it.
  CommitInfo commit(const CommitRequest& request) override;
  void refresh_files(const RepoId& repo, std::string_view branch) override;

  // --- what a hub that is a folder has besides
  // Starts at revision `from`; kInvalidInput if the branch is there.
  void create_branch(const RepoId& repo, std::string_view branch, std::string_view from);
  // Its content is the head's id; its stat tells whether the branch may have moved: a receipt's
  // witness.
  [[nodiscard]] fs::path ref_path(const RepoId& repo, std::string_view branch) const;
  // Where a person finds the branch's plain files; reads nothing. `repo` as it was spelled when
  // created.
  [[nodiscard]] fs::path files_path(const RepoId& repo, std::string_view branch) const;

 private:
  void make_root();
  // The repository with its id as it was spelled when it was created. kNotFound.
  [[nodiscard]] RepoLayout existing(const RepoId& repo);
  [[nodiscard]] std::optional<std::string> read_ref(const RepoLayout& repo,
                                                    std::string_view branch);
  [[nodiscard]] std::optional<std::string> resolve(const RepoLayout& repo,
                                                   std::string_view revision);
  [[nodiscard]] CommitObject load(const RepoLayout& repo, std::string_view id);
  [[nodiscard]] CommitObject load_revision(const RepoLayout& repo, std::string_view revision);
  // Writes the commit, then moves the branch. Returns its id.
  std::string publish(const RepoLayout& repo, std::string_view branch, const CommitObject& commit);
  [[nodiscard]] std::vector<TreeEntry> entries_of(const CommitRequest& request,
                                                  const std::vector<TreeEntry>& tree);
  [[nodiscard]] std::string attributes_of(const CommitRequest& request,
                                          const std::vector<TreeEntry>& tree) const;
  void refresh_locked(const RepoLayout& repo, std::string_view branch,
                      const std::vector<TreeEntry>& tree);

  FileSystem& file_system_;
  Clock& clock_;
  DirectoryLayout layout_;
  Blobs blobs_;
};

}  // namespace qbuild::hub
