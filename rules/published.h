#pragma once
// qbuild.json: in every repository that qbuild publishes to, what it put there. It is how a later
// run, on any machine, knows which files are its own to replace or delete, and how a variant that a
// gate holds back keeps being listed as it was published. People and tools may read it too.
// Format version 1:
//
//   {"format": "qbuild-published", "version": 1, "tool": "qbuild 0.1.0",
//    "files": [{"path": "README.md"}],                      what belongs to no variant
//    "variants": [{"name": "Q4_K_M", "record": "<key>",     the action that made it
//                  "files": [{"path", "sha256", "size"}],
//                  "card": {...}}]}                         its row of the card, as published

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/digest.h"
#include "base/json.h"
#include "hub/hub.h"

namespace qbuild::rules {

inline constexpr std::string_view kPublishedName = "qbuild.json";
inline constexpr std::string_view kCardName = "README.md";
// A larger one was not written by qbuild: bounds what is read.
inline constexpr std::uint64_t kMaxPublishedBytes = 16u << 20;

struct PublishedFile {
  std::string path;
  Digest sha256;
  std::uint64_t size_bytes = 0;
};

struct PublishedVariant {
  std::string name;
  std::string record;  // key of the action that made its files, hex
  std::vector<PublishedFile> files;
  Json card;
};

struct Published {
  std::vector<std::string> other_files;
  std::vector<PublishedVariant> variants;

  [[nodiscard]] const PublishedVariant* find(std::string_view variant) const;
};

[[nodiscard]] Json to_json(const PublishedVariant& variant);
[[nodiscard]] PublishedVariant published_variant_from_json(const Json& json);
[[nodiscard]] Json to_json(const Published& published);
// Throws Error (kCorrupt) that says to delete the file from the repository if it is not meant to be
// ours.
[[nodiscard]] Published published_from_json(const Json& json);

// Of the head of main. Nothing if there is no repository, or nothing of ours in it. A variant of
// which a file is gone or has another size is no longer published: it is left out, and what remains
// of its files counts among other_files, so that they are deleted or replaced.
[[nodiscard]] std::optional<Published> read_published(hub::Hub& hub, const hub::RepoId& repo);

}  // namespace qbuild::rules
