#include "rules/desired_tree.h"

#include <fmt/core.h>

#include <algorithm>
#include <set>

#include "base/error.h"
#include "hub/repo_id.h"

namespace qbuild::rules {
namespace {

using engine::ActionRequest;
using engine::ResolvedInput;
using engine::Status;

DesiredFile inline_file(std::string bytes) {
  DesiredFile file;
  file.sha256 = sha256(bytes);
  file.size_bytes = bytes.size();
  file.bytes = std::move(bytes);
  return file;
}

// The row of a variant in the card's document.
Json card_row(const Json& document, std::string_view variant) {
  for (const Json& row : document.at("variants").as_array())
    if (row.get_string("name") == variant) return row;
  return {};
}

std::string remote_path(const Json& variant, const std::string& artifact_name) {
  if (const Json* file = variant.find("file")) return file->as_string();
  return variant.at("folder").as_string() + "/" + artifact_name;
}

void add_ready(FileSystem& files, const Json& variant, const ResolvedInput& model,
               const Json& document, DesiredTree& tree) {
  PublishedVariant entry;
  entry.name = variant.at("name").as_string();
  entry.record = model.origin.get_string("key");
  entry.card = card_row(document, entry.name);
  for (std::size_t i = 0; i < model.artifact.files.size(); ++i) {
    const cache::FileEntry& file = model.artifact.files[i];
    const std::string path = remote_path(variant, file.name);
    DesiredFile desired{.sha256 = file.sha256,
                        .size_bytes = file.size_bytes,
                        .source = model.paths[i],
                        .bytes = {}};
    if (desired.source.empty()) desired.bytes = engine::input_text(files, model, file.name);
    if (!tree.files.emplace(path, std::move(desired)).second)
      throw Error(ErrorKind::kInvalidInput,
                  fmt::format("two variants would be published as {}", path));
    entry.files.push_back({.path = path, .sha256 = file.sha256, .size_bytes = file.size_bytes});
  }
  tree.published.variants.push_back(std::move(entry));
}

// The earlier form of a held variant, as its gate found it; nothing if none is published.
void keep_earlier(const ResolvedInput& gate, DesiredTree& tree) {
  const auto value = gate.inline_files.find("result.json");
  if (value == gate.inline_files.end()) return;
  const Json json = Json::parse(value->second);
  if (json.is_null()) return;
  PublishedVariant entry = published_variant_from_json(json);
  tree.kept.insert(tree.kept.end(), entry.files.begin(), entry.files.end());
  tree.published.variants.push_back(std::move(entry));
}

void refuse_collisions(const DesiredTree& tree) {
  std::map<std::string, std::string> by_folded;
  const auto take = [&](const std::string& path) {
    const auto [at, fresh] = by_folded.emplace(hub::folded(path), path);
    if (!fresh && at->second != path)
      throw Error(
          ErrorKind::kInvalidInput,
          fmt::format(
              "{} and {} cannot live in one repository: some file systems take them for one name",
              at->second, path));
  };
  for (const auto& [path, file] : tree.files) take(path);
  for (const PublishedFile& file : tree.kept) take(file.path);
}

}  // namespace

DesiredTree desired_tree(const ActionRequest& request, FileSystem& files) {
  DesiredTree tree;
  const ResolvedInput& card = request.input("card");
  const Json document = Json::parse(engine::input_text(files, card, "document.json"));
  for (const Json& variant : request.params.at("variants").as_array()) {
    const std::string& name = variant.at("name").as_string();
    const ResolvedInput& gate = request.input("gate." + name);
    if (gate.status == Status::kHeld)
      keep_earlier(gate, tree);
    else
      add_ready(files, variant, request.input("model." + name), document, tree);
  }
  tree.files.insert_or_assign(std::string(kCardName),
                              inline_file(engine::input_text(files, card, kCardName)));
  tree.published.other_files = {std::string(kCardName), std::string(kPublishedName)};
  tree.files.insert_or_assign(std::string(kPublishedName),
                              inline_file(to_json(tree.published).dump_pretty()));
  refuse_collisions(tree);
  return tree;
}

bool same_content(const hub::TreeEntry& entry, const DesiredFile& file) {
  if (entry.size_bytes != file.size_bytes) return false;
  if (entry.sha256) return *entry.sha256 == file.sha256;
  // A remote hub states SHA-256 for large files only; a small one is compared as git names it.
  return file.bytes && git_blob_sha1(as_bytes(*file.bytes)) == entry.git_sha1;
}

TreeDifference difference(const DesiredTree& desired, const std::vector<hub::TreeEntry>& remote,
                          const std::optional<Published>& earlier) {
  std::map<std::string_view, const hub::TreeEntry*> there;
  for (const hub::TreeEntry& entry : remote) there.emplace(entry.path, &entry);
  std::set<std::string_view> stays;
  for (const PublishedFile& file : desired.kept) {
    stays.insert(file.path);
    const auto found = there.find(file.path);
    if (found == there.end() || found->second->size_bytes != file.size_bytes)
      throw Error(
          ErrorKind::kTransient,
          fmt::format("{} should stay as it was published, but the repository changed; run again",
                      file.path));
  }
  TreeDifference result;
  for (const auto& [path, file] : desired.files) {
    const auto found = there.find(path);
    if (found == there.end() || !same_content(*found->second, file)) result.added.push_back(path);
  }
  if (!earlier) return result;
  const auto take = [&](const std::string& path) {
    if (there.contains(path) && !desired.files.contains(path) && !stays.contains(path))
      result.deleted.push_back(path);
  };
  for (const std::string& path : earlier->other_files) take(path);
  for (const PublishedVariant& variant : earlier->variants)
    for (const PublishedFile& file : variant.files) take(file.path);
  std::sort(result.deleted.begin(), result.deleted.end());
  return result;
}

}  // namespace qbuild::rules
