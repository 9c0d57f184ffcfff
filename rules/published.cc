#include "rules/published.h"

#include <fmt/core.h>

#include <algorithm>
#include <map>

#include "base/error.h"
#include "rules/rule_table.h"

namespace qbuild::rules {
namespace {

constexpr std::string_view kFormat = "qbuild-published";
constexpr std::int64_t kVersion = 1;

void drop_what_is_gone(Published& published, const std::vector<hub::TreeEntry>& tree) {
  std::map<std::string_view, std::uint64_t> there;
  for (const hub::TreeEntry& entry : tree) there.emplace(entry.path, entry.size_bytes);
  const auto is_there = [&](const PublishedFile& file) {
    const auto found = there.find(file.path);
    return found != there.end() && found->second == file.size_bytes;
  };
  std::erase_if(published.variants, [&](const PublishedVariant& variant) {
    if (std::all_of(variant.files.begin(), variant.files.end(), is_there)) return false;
    for (const PublishedFile& file : variant.files) published.other_files.push_back(file.path);
    return true;
  });
}

}  // namespace

const PublishedVariant* Published::find(std::string_view variant) const {
  const auto found = std::find_if(variants.begin(), variants.end(),
                                  [&](const auto& v) { return v.name == variant; });
  return found == variants.end() ? nullptr : &*found;
}

Json to_json(const PublishedVariant& variant) {
  Json files = Json::array();
  for (const PublishedFile& file : variant.files)
    files.push_back(Json::object(
        {{"path", file.path}, {"sha256", file.sha256.hex()}, {"size", file.size_bytes}}));
  return Json::object({{"name", variant.name},
                       {"record", variant.record},
                       {"files", std::move(files)},
                       {"card", variant.card}});
}

PublishedVariant published_variant_from_json(const Json& json) {
  PublishedVariant variant;
  variant.name = json.at("name").as_string();
  variant.record = json.get_string("record");
  for (const Json& file : json.at("files").as_array()) {
    const auto digest = Digest::from_hex(file.at("sha256").as_string());
    if (!digest) throw Error(ErrorKind::kCorrupt, "a file's sha256 is no digest");
    variant.files.push_back({.path = file.at("path").as_string(),
                             .sha256 = *digest,
                             .size_bytes = file.at("size").as_uint()});
  }
  variant.card = json.at("card");
  return variant;
}

Json to_json(const Published& published) {
  Json files = Json::array();
  for (const std::string& path : published.other_files)
    files.push_back(Json::object({{"path", path}}));
  Json variants = Json::array();
  for (const PublishedVariant& variant : published.variants) variants.push_back(to_json(variant));
  return Json::object({{"format", kFormat},
                       {"version", kVersion},
                       {"tool", kToolVersion},
                       {"files", std::move(files)},
                       {"variants", std::move(variants)}});
}

Published published_from_json(const Json& json) {
  try {
    if (json.at("format").as_string() != kFormat || json.at("version").as_int() != kVersion)
      throw Error(ErrorKind::kCorrupt, "it has another format or version");
    Published published;
    for (const Json& file : json.at("files").as_array())
      published.other_files.push_back(file.at("path").as_string());
    for (const Json& variant : json.at("variants").as_array())
      published.variants.push_back(published_variant_from_json(variant));
    return published;
  } catch (const Error& error) {
    throw Error(ErrorKind::kCorrupt,
                fmt::format("{} was not written by this version of qbuild ({}); delete it from "
                            "the repository to publish over what is there",
                            kPublishedName, error.message()));
  }
}

std::optional<Published> read_published(hub::Hub& hub, const hub::RepoId& repo) {
  const auto head = hub.head(repo, hub::kMainBranch);
  if (!head) return std::nullopt;
  const auto tree = hub.tree(repo, head->id);
  if (std::none_of(tree.begin(), tree.end(),
                   [](const auto& entry) { return entry.path == kPublishedName; }))
    return std::nullopt;
  return with_context(fmt::format("{}/{}", repo.text(), kPublishedName), [&] {
    Published published = published_from_json(
        Json::parse(hub.read_file(repo, head->id, kPublishedName, kMaxPublishedBytes)));
    drop_what_is_gone(published, tree);
    return published;
  });
}

}  // namespace qbuild::rules
