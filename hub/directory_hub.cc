#include "hub/directory_hub.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <memory>
#include <set>
#include <utility>

#include "base/error.h"
#include "base/json.h"
#include "base/temporary_name.h"
#include "hub/git_attributes.h"
#include "hub/tree_edit.h"
#include "hub/working_folder.h"

namespace qbuild::hub {
namespace {

constexpr std::string_view kFormatMagic = "qbuild-hub ";
constexpr std::uint64_t kMaxSmallFileBytes = 4096;  // format, refs, settings
constexpr std::int64_t kSettingsVersion = 1;        // history: 1 first
constexpr std::int64_t kNsPerSecond = 1'000'000'000;

std::string format_line() {
  return fmt::format("{}{}\n", kFormatMagic, kDirectoryHubVersion);
}

[[noreturn]] void not_found(const RepoId& repo, std::string_view what) {
  throw Error(ErrorKind::kNotFound, fmt::format("repository {}: {}", repo.text(), what));
}

// A name that a hub of ours, or the crash of one, may have left in a folder without a format file.
bool is_ours(const std::string& name) {
  constexpr std::array<std::string_view, 5> kNames{"blobs", "repos", "files", "tmp", "lock"};
  return is_temporary_name(name) || std::find(kNames.begin(), kNames.end(), name) != kNames.end();
}

// Of a folder that has no format file: nothing but what another process may be making there.
void check_is_ours(const std::vector<std::string>& names, const std::string& root) {
  const auto foreign =
      std::find_if(names.begin(), names.end(), [](const auto& name) { return !is_ours(name); });
  if (foreign == names.end()) return;
  throw Error(ErrorKind::kInvalidInput,
              fmt::format("hub {}: the folder holds other things (\"{}\"); a directory hub needs a "
                          "folder of its own",
                          root, *foreign));
}

void check_format(FileSystem& file_system, const DirectoryLayout& layout) {
  const std::string text = qbuild::read_file(file_system, layout.format(), kMaxSmallFileBytes);
  if (text == format_line()) return;
  throw Error(
      ErrorKind::kUnsupported,
      fmt::format("hub {}: it has another format than {}, which is the one this qbuild reads",
                  layout.root().string(), kDirectoryHubVersion));
}

void check_root(FileSystem& file_system, const DirectoryLayout& layout) {
  const std::string root = layout.root().string();
  const std::optional<FileStat> there = file_system.stat(layout.root());
  if (!there) return;
  if (there->kind != FileStat::Kind::kDirectory)
    throw Error(
        ErrorKind::kInvalidInput,
        fmt::format("hub {}: it is no folder; a directory hub needs a folder of its own", root));
  if (file_system.stat(layout.format())) return check_format(file_system, layout);
  // Listed before the second look: a process that makes the hub meanwhile is seen by one of the
  // two.
  const std::vector<std::string> names = file_system.list(layout.root());
  if (file_system.stat(layout.format())) return check_format(file_system, layout);
  check_is_ours(names, root);
}

const TreeEntry* find_entry(const std::vector<TreeEntry>& tree, std::string_view path) {
  const auto at = std::lower_bound(
      tree.begin(), tree.end(), path,
      [](const TreeEntry& entry, std::string_view wanted) { return entry.path < wanted; });
  return at != tree.end() && at->path == path ? &*at : nullptr;
}

// Text that JSON cannot carry unchanged is not UTF-8, and the commit would not say what was asked.
void require_text(std::string_view what, std::string_view text) {
  const Json carried{text};
  if (Json::parse(carried.dump()) != carried)
    throw Error(ErrorKind::kInvalidInput, fmt::format("the commit's {} is not UTF-8", what));
}

void require_sensible(const CommitRequest& request) {
  if (request.message.empty())
    throw Error(ErrorKind::kInvalidInput,
                fmt::format("commit to {}: the message is empty", request.repo.text()));
  require_text("message", request.message);
  require_text("author", request.author);
  if (const auto problem = branch_problem(request.branch))
    throw Error(ErrorKind::kInvalidInput,
                fmt::format("branch {} of {}: {}", Json(request.branch).dump(), request.repo.text(),
                            *problem));
  if (request.parent && !is_commit_id(*request.parent))
    throw Error(ErrorKind::kInvalidInput,
                fmt::format("commit to {}: the parent is not 40 hex digits", request.repo.text()));
}

}  // namespace

DirectoryHub::DirectoryHub(FileSystem& file_system, Clock& clock, fs::path root)
    : file_system_(file_system),
      clock_(clock),
      layout_(std::move(root)),
      blobs_(file_system_, layout_) {
  check_root(file_system_, layout_);
}

std::string DirectoryHub::where() const {
  return "folder " + layout_.root().string();
}

void DirectoryHub::make_root() {
  if (file_system_.stat(layout_.format())) return;
  for (const char* folder : {"blobs", "repos", "files", "tmp"})
    file_system_.create_directories(layout_.root() / folder);
  publish_file(file_system_, layout_.format(), as_bytes(format_line()));
}

RepoLayout DirectoryHub::existing(const RepoId& repo) {
  RepoLayout layout = layout_.repo(repo);
  if (!file_system_.stat(layout.settings()))
    not_found(repo, fmt::format("there is none in {}", where()));
  const std::string text = qbuild::read_file(file_system_, layout.settings(), kMaxSmallFileBytes);
  layout.id = with_context(layout.settings().string(),
                           [&] { return parse_repo_id(Json::parse(text).at("id").as_string()); });
  return layout;
}

std::optional<std::string> DirectoryHub::read_ref(const RepoLayout& repo, std::string_view branch) {
  if (branch_problem(branch)) return std::nullopt;
  const fs::path path = repo.ref(branch);
  if (!file_system_.stat(path)) return std::nullopt;
  std::string id = qbuild::read_file(file_system_, path, kMaxSmallFileBytes);
  if (id.empty() || id.back() != '\n' ||
      !is_commit_id(std::string_view(id).substr(0, id.size() - 1)))
    throw Error(ErrorKind::kCorrupt, fmt::format("{} holds no commit id", path.string()));
  id.pop_back();
  return id;
}

std::optional<std::string> DirectoryHub::resolve(const RepoLayout& repo,
                                                 std::string_view revision) {
  if (!is_commit_id(revision)) return read_ref(repo, revision);
  if (!file_system_.stat(repo.commit(revision))) return std::nullopt;
  return std::string(revision);
}

CommitObject DirectoryHub::load(const RepoLayout& repo, std::string_view id) {
  return with_context(repo.id.text(), [&] {
    return parse_commit(id, qbuild::read_file(file_system_, repo.commit(id), kMaxCommitBytes));
  });
}

CommitObject DirectoryHub::load_revision(const RepoLayout& repo, std::string_view revision) {
  const std::optional<std::string> id = resolve(repo, revision);
  if (!id) not_found(repo.id, fmt::format("it has no branch or commit {}", Json(revision).dump()));
  return load(repo, *id);
}

std::optional<CommitInfo> DirectoryHub::head(const RepoId& repo, std::string_view revision) {
  if (!file_system_.stat(layout_.repo(repo).settings())) return std::nullopt;
  const RepoLayout layout = existing(repo);
  const std::optional<std::string> id = resolve(layout, revision);
  if (!id) return std::nullopt;
  return info_of(*id, load(layout, *id));
}

std::vector<TreeEntry> DirectoryHub::tree(const RepoId& repo, std::string_view revision) {
  return load_revision(existing(repo), revision).tree;
}

std::string DirectoryHub::read_file(const RepoId& repo, std::string_view revision,
                                    std::string_view path, std::uint64_t max_bytes) {
  const std::vector<TreeEntry> files = tree(repo, revision);
  const TreeEntry* entry = find_entry(files, path);
  if (entry == nullptr)
    not_found(repo, fmt::format("{} has no file {}", revision, Json(path).dump()));
  return blobs_.read({.sha256 = *entry->sha256, .size_bytes = entry->size_bytes}, max_bytes);
}

std::string DirectoryHub::publish(const RepoLayout& repo, std::string_view branch,
                                  const CommitObject& commit) {
  const std::string bytes = serialize(commit);
  if (bytes.size() > kMaxCommitBytes)
    throw Error(ErrorKind::kExhausted,
                fmt::format("{}: the commit has {} bytes, more than the {} that one may have",
                            repo.id.text(), bytes.size(), kMaxCommitBytes));
  std::string id = commit_id(bytes);
  const fs::path path = repo.commit(id);
  publish_file(file_system_, path, as_bytes(bytes));
  file_system_.flush_directory(path.parent_path().parent_path());
  publish_file(file_system_, repo.ref(branch), as_bytes(id + "\n"));
  return id;
}

void DirectoryHub::create_repo(const RepoId& repo, Visibility visibility) {
  const RepoLayout layout = layout_.repo(repo);
  make_root();
  const std::unique_ptr<FileLock> lock = file_system_.lock(layout_.lock(), LockWait::kBlock);
  // Both: a crash on a disk that reorders may have kept the one without the other.
  const bool has_settings = file_system_.stat(layout.settings()).has_value();
  if (has_settings && read_ref(layout, kMainBranch)) return;
  const std::int64_t now_ns = clock_.unix_ns();
  const std::string attributes = default_git_attributes();
  blobs_.put_bytes(attributes);
  CommitObject first;
  first.message = "initial commit";
  first.author = "system";
  first.unix_seconds = now_ns / kNsPerSecond;
  first.tree.push_back(regular_entry(kAttributesPath, attributes));
  publish(layout, kMainBranch, first);
  // The names of the folders above the branch, which were new too.
  for (const fs::path& folder :
       {layout.refs().parent_path(), layout.folder, layout.folder.parent_path(),
        layout.folder.parent_path().parent_path()})
    file_system_.flush_directory(folder);
  if (has_settings) return;
  // Last, and alone: until it is there nobody sees the rest, and a crash before it is simply done
  // again.
  const Json settings = Json::object({{"format", Json(kSettingsVersion)},
                                      {"id", Json(layout.id.text())},
                                      {"private", Json(visibility == Visibility::kPrivate)},
                                      {"created", Json(format_utc(now_ns))}});
  publish_file(file_system_, layout.settings(), as_bytes(settings.dump_pretty()));
}

std::vector<BlobNeed> DirectoryHub::missing_blobs(const RepoId& repo,
                                                  const std::vector<BlobNeed>& wanted) {
  static_cast<void>(existing(repo));
  std::vector<BlobNeed> missing;
  std::set<Digest> seen;
  for (const BlobNeed& blob : wanted) {
    if (seen.insert(blob.sha256).second && !blobs_.has(blob)) missing.push_back(blob);
  }
  return missing;
}

void DirectoryHub::upload_file(const RepoId& repo, const BlobNeed& blob, const fs::path& source,
                               const std::stop_token& stop) {
  static_cast<void>(existing(repo));
  with_context(fmt::format("upload {} to {} in {}", source.string(), repo.text(), where()),
               [&] { blobs_.put_file(blob, source, stop); });
}

std::string DirectoryHub::attributes_of(const CommitRequest& request,
                                        const std::vector<TreeEntry>& tree) const {
  for (const AddInline& file : request.inlined) {
    if (file.path == kAttributesPath) return file.bytes;
  }
  const TreeEntry* entry = find_entry(tree, kAttributesPath);
  if (entry == nullptr) return {};
  return blobs_.read({.sha256 = *entry->sha256, .size_bytes = entry->size_bytes},
                     kMaxAttributesBytes);
}

std::vector<TreeEntry> DirectoryHub::entries_of(const CommitRequest& request,
                                                const std::vector<TreeEntry>& tree) {
  std::string text = attributes_of(request, tree);
  const GitAttributes attributes(text);
  std::vector<TreeEntry> entries;
  std::string added_lines;
  const auto add_lfs = [&](const std::string& path, const Digest& sha256,
                           std::uint64_t size_bytes) {
    if (!attributes.is_lfs(path)) added_lines += attributes_line(path);
    entries.push_back(lfs_entry(path, sha256, size_bytes));
  };
  for (const AddUploaded& file : request.uploaded) {
    require_path(request.repo, file.path);
    if (!blobs_.has({.sha256 = file.sha256, .size_bytes = file.size_bytes}))
      not_found(request.repo, fmt::format("the content of \"{}\" ({}, {} bytes) is not on the hub; "
                                          "upload it first",
                                          file.path, file.sha256.hex(), file.size_bytes));
    add_lfs(file.path, file.sha256, file.size_bytes);
  }
  for (const AddInline& file : request.inlined) {
    require_path(request.repo, file.path);
    if (file.path == kAttributesPath) continue;  // below, with the lines that this commit adds
    blobs_.put_bytes(file.bytes);
    if (attributes.is_lfs(file.path) || file.bytes.size() > kMaxRegularBytes ||
        looks_binary(file.bytes)) {
      add_lfs(file.path, sha256(file.bytes), file.bytes.size());
    } else {
      entries.push_back(regular_entry(file.path, file.bytes));
    }
  }
  const bool given =
      std::any_of(request.inlined.begin(), request.inlined.end(),
                  [](const AddInline& file) { return file.path == kAttributesPath; });
  if (!given && added_lines.empty()) return entries;
  if (!text.empty() && text.back() != '\n') text.push_back('\n');
  text += added_lines;
  blobs_.put_bytes(text);
  entries.push_back(regular_entry(kAttributesPath, text));
  return entries;
}

CommitInfo DirectoryHub::commit(const CommitRequest& request) {
  require_sensible(request);
  const RepoLayout repo = existing(request.repo);
  remove_abandoned_uploads(file_system_, layout_, clock_.unix_ns());
  const std::unique_ptr<FileLock> lock = file_system_.lock(repo.lock(), LockWait::kBlock);
  const std::optional<std::string> head = read_ref(repo, request.branch);
  if (!head) not_found(repo.id, fmt::format("it has no branch \"{}\"", request.branch));
  if (request.parent && *request.parent != *head)
    throw Error(
        ErrorKind::kTransient,
        fmt::format("the branch {} of {} moved from {} to {} since it was read; read it again "
                    "and retry",
                    request.branch, repo.id.text(), *request.parent, *head));
  const std::vector<TreeEntry> tree = load(repo, *head).tree;
  CommitObject commit;
  commit.parent = *head;
  commit.message = request.message;
  commit.author = request.author;
  commit.unix_seconds = request.unix_seconds;
  commit.tree = apply_edit(repo.id, tree,
                           {.put = entries_of(request, tree),
                            .deleted_files = request.deleted_files,
                            .deleted_folders = request.deleted_folders});
  const std::string id = publish(repo, request.branch, commit);
  try {
    refresh_locked(repo, request.branch, commit.tree);
  } catch (const Error&) {
    // The commit stands: what it says is in blobs and commits. Whoever wants the plain files calls
    // refresh_files, which says what hinders it.
  }
  return info_of(id, commit);
}

void DirectoryHub::create_branch(const RepoId& repo, std::string_view branch,
                                 std::string_view from) {
  const RepoLayout layout = existing(repo);
  if (const auto problem = branch_problem(branch))
    throw Error(ErrorKind::kInvalidInput, fmt::format("branch {} of {}: {}", Json(branch).dump(),
                                                      layout.id.text(), *problem));
  const std::unique_ptr<FileLock> lock = file_system_.lock(layout.lock(), LockWait::kBlock);
  if (read_ref(layout, branch))
    throw Error(ErrorKind::kInvalidInput,
                fmt::format("branch \"{}\" of {}: it is there already", branch, layout.id.text()));
  const std::optional<std::string> id = resolve(layout, from);
  if (!id) not_found(layout.id, fmt::format("it has no branch or commit {}", Json(from).dump()));
  publish_file(file_system_, layout.ref(branch), as_bytes(*id + "\n"));
}

Visibility DirectoryHub::visibility(const RepoId& repo) {
  const RepoLayout layout = existing(repo);
  const std::string text = qbuild::read_file(file_system_, layout.settings(), kMaxSmallFileBytes);
  return with_context(layout.settings().string(), [&] {
    return Json::parse(text).at("private").as_bool() ? Visibility::kPrivate : Visibility::kPublic;
  });
}

fs::path DirectoryHub::ref_path(const RepoId& repo, std::string_view branch) const {
  return layout_.repo(repo).ref(branch);
}

fs::path DirectoryHub::files_path(const RepoId& repo, std::string_view branch) const {
  return layout_.working_folder(layout_.repo(repo).id, branch);
}

void DirectoryHub::refresh_locked(const RepoLayout& repo, std::string_view branch,
                                  const std::vector<TreeEntry>& tree) {
  const WorkingFolder working{.folder = layout_.working_folder(repo.id, branch),
                              .state_file = repo.working_state(branch)};
  refresh_working_folder(file_system_, blobs_, working, tree);
}

void DirectoryHub::refresh_files(const RepoId& repo, std::string_view branch) {
  const RepoLayout layout = existing(repo);
  const std::unique_ptr<FileLock> lock = file_system_.lock(layout.lock(), LockWait::kBlock);
  with_context(fmt::format("plain files of {} in {}", layout.id.text(), where()),
               [&] { refresh_locked(layout, branch, load_revision(layout, branch).tree); });
}

}  // namespace qbuild::hub
