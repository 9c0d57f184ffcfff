#include "rules/publish.h"

#include <fmt/core.h>

#include <algorithm>
#include <optional>

#include "base/error.h"
#include "base/text.h"
#include "hub/directory_hub.h"
#include "hub/directory_layout.h"
#include "rules/desired_tree.h"
#include "rules/published.h"
#include "rules/rule_table.h"

namespace qbuild::rules {
namespace {

using engine::ActionContext;
using engine::ActionRequest;
using engine::ActionResult;

constexpr std::int64_t kSecondNs = 1'000'000'000;

// Commits carry the time of the request if it has one (see LowerOptions), else that of the clock.
class CommitClock final : public Clock {
 public:
  CommitClock(const Json& context, Clock& clock) : clock_(clock) {
    if (const Json* const seconds = context.find("unix_seconds"))
      unix_ns_ = seconds->as_int() * kSecondNs;
  }
  [[nodiscard]] std::int64_t unix_ns() override { return unix_ns_.value_or(clock_.unix_ns()); }
  [[nodiscard]] std::int64_t monotonic_ns() override { return clock_.monotonic_ns(); }

 private:
  Clock& clock_;
  std::optional<std::int64_t> unix_ns_;
};

std::string commit_message(const ActionRequest& request, std::int64_t unix_ns) {
  std::string message = request.context.get_string("message");
  const std::string day = format_utc(unix_ns).substr(0, 10);
  constexpr std::string_view kDate = "{date}";
  for (auto at = message.find(kDate); at != std::string::npos;
       at = message.find(kDate, at + day.size()))
    message.replace(at, kDate.size(), day);
  return message;
}

// Sends what the hub lacks. Inline files travel in the commit.
void upload_missing(hub::Hub& hub, const hub::RepoId& repo, const DesiredTree& desired,
                    const std::vector<std::string>& paths, ActionContext& context,
                    ActionResult& result) {
  std::map<Digest, fs::path> sources;
  std::vector<hub::BlobNeed> wanted;
  for (const std::string& path : paths) {
    const DesiredFile& file = desired.files.at(path);
    if (file.bytes) continue;
    sources.emplace(file.sha256, file.source);
    wanted.push_back({file.sha256, file.size_bytes});
  }
  if (wanted.empty()) return;
  const auto missing = hub.missing_blobs(repo, wanted);
  std::uint64_t total = 0;
  for (const hub::BlobNeed& blob : missing) total += blob.size_bytes;
  std::uint64_t done = 0;
  for (const hub::BlobNeed& blob : missing) {
    hub.upload_file(repo, blob, sources.at(blob.sha256), context.stop());
    done += blob.size_bytes;
    context.progress(done, total, "bytes");
  }
  result.bytes_read += total;
  result.bytes_written += total;
}

hub::CommitRequest commit_request(const ActionRequest& request, const hub::RepoId& repo,
                                  const std::string& parent, const DesiredTree& desired,
                                  const TreeDifference& changes, Clock& clock) {
  hub::CommitRequest commit;
  commit.repo = repo;
  commit.parent = parent;
  commit.message = commit_message(request, clock.unix_ns());
  commit.author = "qbuild";
  commit.unix_seconds = clock.unix_ns() / kSecondNs;
  for (const std::string& path : changes.added) {
    const DesiredFile& file = desired.files.at(path);
    if (file.bytes)
      commit.inlined.push_back({path, *file.bytes});
    else
      commit.uploaded.push_back({path, file.sha256, file.size_bytes});
  }
  commit.deleted_files = changes.deleted;
  return commit;
}

// What a repository shows to whom is its owner's decision: it is neither changed nor ignored here.
void require_visibility(hub::Hub& hub, const hub::RepoId& repo, hub::Visibility wanted) {
  if (hub.visibility(repo) == wanted) return;
  const bool wants_private = wanted == hub::Visibility::kPrivate;
  throw Error(ErrorKind::kInvalidInput,
              fmt::format("{} is {} and the manifest {} private: true; change it on the hub or in "
                          "the manifest",
                          repo.text(), wants_private ? "public" : "private",
                          wants_private ? "says" : "does not say"));
}

// Reads back what the commit left and compares: success is what the hub says, not what we sent.
void verify(hub::Hub& hub, const hub::RepoId& repo, const std::string& commit,
            const DesiredTree& desired) {
  const auto tree = hub.tree(repo, commit);
  for (const auto& [path, file] : desired.files) {
    const auto found = std::find_if(tree.begin(), tree.end(), [&, name = &path](const auto& entry) {
      return entry.path == *name;
    });
    if (found == tree.end() || !same_content(*found, file))
      throw Error(ErrorKind::kCorrupt,
                  fmt::format("{} does not hold {} as it was sent", repo.text(), path));
  }
}

Json receipt(const hub::Hub& hub, const hub::RepoId& repo, const std::string& commit,
             const DesiredTree& desired) {
  Json files = Json::array();
  for (const auto& [path, file] : desired.files)
    files.push_back(
        Json::object({{"path", path}, {"sha256", file.sha256.hex()}, {"size", file.size_bytes}}));
  return Json::object({{"hub", hub.where()},
                       {"repo", repo.text()},
                       {"commit", commit},
                       {"files", std::move(files)}});
}

class PublishRule final : public engine::Rule {
 public:
  [[nodiscard]] const engine::RuleTraits& traits() const override { return traits_; }

  ActionResult run(const ActionRequest& request, ActionContext& context) const override {
    CommitClock clock(request.context, context.clock());
    const auto hub = open_hub(request.params.at("hub").as_string(),
                              request.context.get_string("hub_path"), context.file_system(), clock);
    const hub::RepoId repo = hub::parse_repo_id(request.params.at("repo").as_string());
    return with_context(fmt::format("publish to {} in {}", repo.text(), hub->where()),
                        [&] { return reconcile(*hub, repo, request, context, clock); });
  }

  std::optional<std::string> outdated(const cache::Record& record, const Json& params,
                                      const Json& context, FileSystem& files) const override {
    const fs::path path = context.get_string("hub_path");
    const hub::RepoId repo = hub::parse_repo_id(params.at("repo").as_string());
    const auto clock = make_system_clock();
    const std::string gone = fmt::format("the repository {} is not there any more", repo.text());
    if (!is_hub_url(params.at("hub").as_string()) && !files.stat(path)) return gone;
    const auto hub = open_hub(params.at("hub").as_string(), path, files, *clock);
    const auto head = hub->head(repo, hub::kMainBranch);
    if (!head) return gone;
    const auto receipt = record.inline_files.find("result.json");
    if (receipt == record.inline_files.end()) return "the receipt is missing";
    const std::string published = Json::parse(receipt->second).at("commit").as_string();
    if (head->id == published) return std::nullopt;
    return fmt::format("the head of {} moved from {} to {}", repo.text(), published.substr(0, 12),
                       head->id.substr(0, 12));
  }

  [[nodiscard]] std::vector<fs::path> witnesses(const Json& params,
                                                const Json& context) const override {
    if (is_hub_url(params.at("hub").as_string())) return {};
    const hub::DirectoryLayout layout(context.get_string("hub_path"));
    return {layout.repo(hub::parse_repo_id(params.at("repo").as_string())).ref(hub::kMainBranch)};
  }

 private:
  static ActionResult reconcile(hub::Hub& hub, const hub::RepoId& repo,
                                const ActionRequest& request, ActionContext& context,
                                Clock& clock) {
    ActionResult result;
    const DesiredTree desired = desired_tree(request, context.file_system());
    const auto wanted = request.params.get_bool("private", false) ? hub::Visibility::kPrivate
                                                                  : hub::Visibility::kPublic;
    auto head = hub.head(repo, hub::kMainBranch);
    if (!head) {
      hub.create_repo(repo, wanted);
      head = hub.head(repo, hub::kMainBranch);
      if (!head) throw Error(ErrorKind::kCorrupt, "the repository was made but has no main branch");
    }
    require_visibility(hub, repo, wanted);
    std::string commit = head->id;
    const TreeDifference changes =
        difference(desired, hub.tree(repo, commit), read_published(hub, repo));
    if (changes.empty()) {
      context.log(fmt::format("{} holds everything already", repo.text()));
    } else {
      upload_missing(hub, repo, desired, changes.added, context, result);
      commit = hub.commit(commit_request(request, repo, commit, desired, changes, clock)).id;
      context.log(fmt::format("commit {}: {} added or changed, {} deleted", commit,
                              counted(changes.added.size(), "file"), changes.deleted.size()));
    }
    verify(hub, repo, commit, desired);
    // Not done before people see it: what hindered that is said, and the next run goes on here.
    hub.refresh_files(repo, hub::kMainBranch);
    result.inline_files["result.json"] = receipt(hub, repo, commit, desired).dump_pretty();
    return result;
  }

  engine::RuleTraits traits_ = publish_traits();
};

}  // namespace

bool is_hub_url(std::string_view name) {
  return name.find("://") != std::string_view::npos;
}

std::unique_ptr<hub::Hub> open_hub(std::string_view name, const fs::path& path, FileSystem& files,
                                   Clock& clock) {
  if (is_hub_url(name))
    throw Error(
        ErrorKind::kUnsupported,
        fmt::format("publishing to {} is not possible yet; give a folder, such as hub: ./hub",
                    name));
  return std::make_unique<hub::DirectoryHub>(files, clock, path);
}

std::unique_ptr<engine::Rule> make_publish_rule() {
  return std::make_unique<PublishRule>();
}

}  // namespace qbuild::rules
