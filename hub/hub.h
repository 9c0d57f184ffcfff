#pragma once
// A hub, as far as publishing needs one. Implementations: hub/directory_hub.h (a folder); a client
// of the HTTP protocol comes behind the same interface. The order of calls is
//
//   head -> tree -> missing_blobs -> upload_file... -> commit with the head as parent
//
// and a commit answered by kTransient because the branch moved begins again at head.
//
// Any thread. Errors: kInvalidInput for names, paths and operations that no hub takes; kNotFound
// for a repository, branch or path that is not there; kTransient for what may go away when tried
// again, the branch that moved included; kCorrupt for content that is not what it was announced as.

#include <cstdint>
#include <filesystem>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/digest.h"
#include "hub/repo_id.h"

namespace qbuild::hub {

namespace fs = std::filesystem;

inline constexpr const char* kMainBranch = "main";

// A regular file may have as much; a larger one, or one that .gitattributes or its bytes call
// binary, is kept outside the tree (git-lfs). Source: the Hub's documented limit.
inline constexpr std::uint64_t kMaxRegularBytes = 10u << 20;

enum class Visibility : std::uint8_t { kPublic, kPrivate };

enum class Storage : std::uint8_t { kRegular, kLfs };  // "regular", "lfs" on disk and wire

struct TreeEntry {
  std::string path;
  std::uint64_t size_bytes = 0;
  // How git names the blob: of the bytes themselves, or of the pointer text if storage is kLfs.
  std::string git_sha1;
  // Of the content. A remote hub states it for kLfs only.
  std::optional<Digest> sha256;
  Storage storage = Storage::kRegular;
  bool operator==(const TreeEntry&) const = default;
};

struct CommitInfo {
  std::string id;      // 40 hex digits
  std::string parent;  // empty for the first
  std::string message;
  std::string author;
  std::int64_t unix_seconds = 0;
  bool operator==(const CommitInfo&) const = default;
};

// Content that was uploaded before, or that the hub has from another commit.
struct AddUploaded {
  std::string path;
  Digest sha256;
  std::uint64_t size_bytes = 0;
};
// Content that travels in the commit: small regular files. The hub decides the storage all the
// same.
struct AddInline {
  std::string path;
  std::string bytes;
};

struct CommitRequest {
  RepoId repo;
  std::string branch = kMainBranch;
  // The head that the operations were made for; nothing: whatever it is now.
  std::optional<std::string> parent;
  std::string message;  // not empty; first line the summary
  std::string author;
  std::int64_t unix_seconds = 0;
  // Of all operations, no two may name one path.
  std::vector<AddUploaded> uploaded;
  std::vector<AddInline> inlined;
  std::vector<std::string> deleted_files;    // kNotFound if one is not there
  std::vector<std::string> deleted_folders;  // "old/" or "old"; kNotFound if there is nothing in it
};

struct BlobNeed {
  Digest sha256;
  std::uint64_t size_bytes = 0;
  bool operator==(const BlobNeed&) const = default;
};

class Hub {
 public:
  virtual ~Hub() = default;

  // "folder /data/hub", "https://huggingface.co": for messages and receipts.
  [[nodiscard]] virtual std::string where() const = 0;

  // Revision: a branch or a commit id. Nothing if there is no such repository or revision.
  [[nodiscard]] virtual std::optional<CommitInfo> head(const RepoId& repo,
                                                       std::string_view revision) = 0;
  // All files, sorted by path. kNotFound as above.
  [[nodiscard]] virtual std::vector<TreeEntry> tree(const RepoId& repo,
                                                    std::string_view revision) = 0;
  // A file's content. Throws kExhausted if it has more than max_bytes.
  [[nodiscard]] virtual std::string read_file(const RepoId& repo, std::string_view revision,
                                              std::string_view path, std::uint64_t max_bytes) = 0;

  // With its first commit on main, which holds .gitattributes alone. A repository that is there
  // stays as it is, its visibility too.
  virtual void create_repo(const RepoId& repo, Visibility visibility) = 0;

  // kNotFound if there is no such repository.
  [[nodiscard]] virtual Visibility visibility(const RepoId& repo) = 0;

  // Which of these this hub lacks, in the order asked, each once.
  [[nodiscard]] virtual std::vector<BlobNeed> missing_blobs(
      const RepoId& repo, const std::vector<BlobNeed>& wanted) = 0;
  // Stores the file at `source`, which stays as it is. Its digest and size are verified before the
  // hub gives it a name. Nothing to do if it is there. `stop` is looked at piece by piece:
  // kCancelled "stopped before everything was uploaded", and nothing of it stays.
  virtual void upload_file(const RepoId& repo, const BlobNeed& blob, const fs::path& source,
                           const std::stop_token& stop) = 0;
  void upload_file(const RepoId& repo, const BlobNeed& blob, const fs::path& source) {
    upload_file(repo, blob, source, {});
  }

  // All or nothing. A branch that does not exist is kNotFound. kTransient "the branch main of
  // acme/tiny moved from 12ab... to 34cd... since it was read; read it again and retry" if parent
  // is not the head.
  virtual CommitInfo commit(const CommitRequest& request) = 0;

  // Brings up to date what the hub derives from a branch for people to look at (the plain files of
  // a folder). A commit does that too, but stands even where this fails; this says why it does. A
  // remote hub sees to it by itself.
  virtual void refresh_files(const RepoId& repo, std::string_view branch) {
    static_cast<void>(repo);
    static_cast<void>(branch);
  }
};

}  // namespace qbuild::hub
