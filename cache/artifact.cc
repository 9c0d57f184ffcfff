#include "cache/artifact.h"

#include <fmt/core.h>

#include <algorithm>
#include <cstddef>
#include <utility>

#include "base/error.h"
#include "base/shown.h"
#include "base/text.h"

namespace qbuild::cache {
namespace {

constexpr std::size_t kMaxNameBytes = 1024;
constexpr std::size_t kMaxPartBytes = 255;    // of one name in a Linux folder
constexpr std::size_t kMaxFacetDigits = 128;  // a SHA-512; nothing longer is a digest here
constexpr std::size_t kMaxFacets = 1000;

[[noreturn]] void refuse(std::string message) {
  throw Error(ErrorKind::kInvalidInput, "artifact: " + std::move(message));
}

bool is_canonical_part(std::string_view part) {
  if (part.empty() || part == "." || part == ".." || part.size() > kMaxPartBytes) return false;
  return std::none_of(part.begin(), part.end(), [](char c) {
    return static_cast<unsigned char>(c) < 0x20 || c == 0x7F || c == '\\';
  });
}

// "a" is a folder of "a/b"; a tree cannot hold both as files.
bool is_folder_of(std::string_view folder, std::string_view name) {
  return name.size() > folder.size() && name[folder.size()] == '/' &&
         name.substr(0, folder.size()) == folder;
}

// Whether a proper leading part of `name` is itself a file. `files` is sorted.
bool has_file_as_folder(const std::vector<FileEntry>& files, std::string_view name) {
  for (std::size_t slash = name.find('/'); slash != std::string_view::npos;
       slash = name.find('/', slash + 1)) {
    const std::string_view folder = name.substr(0, slash);
    const auto at = std::lower_bound(
        files.begin(), files.end(), folder,
        [](const FileEntry& entry, std::string_view wanted) { return entry.name < wanted; });
    if (at != files.end() && at->name == folder && is_folder_of(folder, name)) return true;
  }
  return false;
}

void require_counts(std::size_t files, std::size_t facets) {
  if (files > kMaxArtifactFiles)
    refuse(
        fmt::format("{} files are more than the {} that one may have", files, kMaxArtifactFiles));
  if (facets > kMaxFacets)
    refuse(fmt::format("{} facets are more than the {} that one may have", facets, kMaxFacets));
}

void validate(const Artifact& artifact) {
  require_counts(artifact.files.size(), artifact.facets.size());
  const FileEntry* previous = nullptr;
  for (const FileEntry& file : artifact.files) {
    if (!is_canonical_name(file.name))
      refuse(fmt::format("\"{}\" is no canonical file name", shown(file.name)) +
             " (relative, UTF-8, without \".\", \"..\", backslash or control characters)");
    if (previous != nullptr && !(previous->name < file.name))
      refuse(fmt::format("file \"{}\" is there twice or out of order", shown(file.name)));
    if (has_file_as_folder(artifact.files, file.name))
      refuse(fmt::format("a folder of \"{}\" is a file too", shown(file.name)));
    previous = &file;
  }
  for (const auto& [name, hex] : artifact.facets) {
    if (name.empty() || !is_utf8(name)) refuse("a facet has no name");
    if (!is_lower_hex(hex) || hex.size() > kMaxFacetDigits)
      refuse(fmt::format("facet \"{}\" is no lower-case hex digest", shown(name)));
  }
  if (!artifact.facts.is_null() && !artifact.facts.is_object())
    refuse("facts are neither an object nor null");
}

void expect_members(const Json& json, std::size_t count, std::string_view what) {
  if (json.as_object().size() != count)
    refuse(
        fmt::format("{} has {} members, {} were expected", what, json.as_object().size(), count));
}

FileEntry file_from_json(const Json& json) {
  expect_members(json, 3, "a file");
  const std::optional<Digest> sha256 = Digest::from_hex(json.at("sha256").as_string());
  if (!sha256) refuse("a file's sha256 is not 64 lower-case hex digits");
  return {.name = json.at("name").as_string(),
          .sha256 = *sha256,
          .size_bytes = with_context("size", [&] { return json.at("size").as_uint(); })};
}

Artifact parse(const Json& json) {
  expect_members(json, 3, "it");
  Artifact artifact;
  const Json::Array& files = json.at("files").as_array();
  require_counts(files.size(), json.at("facets").as_object().size());
  artifact.files.reserve(files.size());
  for (const Json& file : files) artifact.files.push_back(file_from_json(file));
  for (const auto& [name, hex] : json.at("facets").as_object())
    artifact.facets.emplace(name, hex.as_string());
  artifact.facts = json.at("facts");
  validate(artifact);
  return artifact;
}

}  // namespace

const FileEntry* Artifact::find(std::string_view name) const {
  const auto at =
      std::lower_bound(files.begin(), files.end(), name,
                       [](const FileEntry& f, std::string_view wanted) { return f.name < wanted; });
  return at == files.end() || at->name != name ? nullptr : &*at;
}

std::uint64_t Artifact::total_bytes() const {
  std::uint64_t total = 0;
  for (const FileEntry& file : files) total += file.size_bytes;
  return total;
}

Digest Artifact::digest() const {
  Sha256 hash;
  hash.update("qbuild-artifact 1\n");
  for (const FileEntry& file : files)
    hash.update(fmt::format("{} {} {}\n", file.sha256.hex(), file.size_bytes, file.name));
  return hash.finish();
}

bool is_canonical_name(std::string_view name) {
  if (name.size() > kMaxNameBytes || !is_utf8(name)) return false;
  std::size_t begin = 0;
  while (true) {
    const std::size_t slash = name.find('/', begin);
    if (!is_canonical_part(name.substr(begin, slash - begin))) return false;
    if (slash == std::string_view::npos) return true;
    begin = slash + 1;
  }
}

Json to_json(const Artifact& artifact) {
  validate(artifact);
  Json files = Json::array();
  for (const FileEntry& file : artifact.files)
    files.push_back(Json::object({{"name", Json(file.name)},
                                  {"sha256", Json(file.sha256.hex())},
                                  {"size", Json(file.size_bytes)}}));
  Json facets = Json::object();
  for (const auto& [name, hex] : artifact.facets) facets[name] = Json(hex);
  return Json::object(
      {{"files", std::move(files)}, {"facets", std::move(facets)}, {"facts", artifact.facts}});
}

Artifact artifact_from_json(const Json& json) {
  try {
    return parse(json);
  } catch (const Error& error) {
    // Whatever is wrong with it, to_json did not write it.
    throw Error(ErrorKind::kCorrupt, error.message());
  }
}

}  // namespace qbuild::cache
