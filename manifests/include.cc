#include "manifests/include.h"

#include <fmt/core.h>

#include <unordered_map>

#include "base/error.h"
#include "manifests/limits.h"
#include "manifests/shape.h"

namespace qbuild::manifests {
namespace {

constexpr std::string_view kInclude = "include";

void remove_member(YamlNode& mapping, std::string_view key) {
  std::erase_if(mapping.members, [&](const YamlMember& member) { return member.key == key; });
}

}  // namespace

YamlNode overlay(YamlNode under, const YamlNode& over) {
  if (!under.is_mapping() || !over.is_mapping()) return over;
  std::unordered_map<std::string, std::size_t> places;
  for (std::size_t i = 0; i < under.members.size(); ++i) places.emplace(under.members[i].key, i);
  under.at = over.at;
  for (const YamlMember& member : over.members) {
    const auto found = places.find(member.key);
    if (found == places.end()) {
      under.members.push_back(member);
      continue;
    }
    YamlMember& below = under.members[found->second];
    below.at = member.at;
    below.value = overlay(std::move(below.value), member.value);
  }
  return under;
}

std::optional<YamlNode> IncludeReader::read(const fs::path& path) {
  return read_file_at(path, path.string(), nullptr);
}

std::optional<YamlNode> IncludeReader::read_file_at(const fs::path& path, const std::string& name,
                                                    const Place* asked_by) {
  const fs::path absolute = fs::absolute(path).lexically_normal();
  if (const auto known = read_.find(absolute); known != read_.end()) {
    if (!known->second.is_open) return known->second.merged;
    const Place at = asked_by != nullptr ? *asked_by : Place{known->second.file, 0, 0};
    diagnostics_.add(at, fmt::format("include cycle: {}", cycle_text(known->second.file)));
    return std::nullopt;
  }
  if (read_.size() >= kMaxFiles) {
    diagnostics_.add(asked_by != nullptr ? *asked_by : Place{},
                     fmt::format("more than {} files", kMaxFiles));
    return std::nullopt;
  }
  const std::uint32_t file = diagnostics_.add_file({absolute, name});
  read_[absolute].file = file;
  open_.push_back(file);
  std::optional<YamlNode> merged;
  if (const auto text = read_text(absolute, asked_by != nullptr ? *asked_by : Place{file, 0, 0})) {
    if (const auto root = parse_yaml(*text, file, diagnostics_)) {
      check_secrets(*root, diagnostics_);
      check_shape(*root, diagnostics_);
      if (root->is_mapping()) merged = with_includes(*root, name);
    }
  }
  open_.pop_back();
  Read& done = read_[absolute];
  done.is_open = false;
  done.merged = merged;
  return merged;
}

std::optional<std::string> IncludeReader::read_text(const fs::path& absolute,
                                                    const Place& complain_at) {
  const bool is_included = complain_at.line != 0;
  const std::string what = is_included ? "the included file " + absolute.string() : "the file";
  try {
    if (before_read_) before_read_(absolute);
    const auto stat = files_.stat(absolute);
    if (stat && stat->kind == FileStat::Kind::kDirectory) {
      diagnostics_.add(complain_at, what + " is a folder");
      return std::nullopt;
    }
    return read_file(files_, absolute, kMaxFileBytes);
  } catch (const Error& error) {
    switch (error.kind()) {
      case ErrorKind::kNotFound:
        diagnostics_.add(complain_at, what + " does not exist");
        return std::nullopt;
      case ErrorKind::kExhausted:
        diagnostics_.add(complain_at,
                         fmt::format("{} is larger than {} MiB, too large for a manifest", what,
                                     kMaxFileBytes >> 20U));
        return std::nullopt;
      case ErrorKind::kDenied:
        diagnostics_.add(complain_at, fmt::format("{} cannot be read: permission denied", what));
        return std::nullopt;
      default:
        throw;
    }
  }
}

YamlNode IncludeReader::with_includes(const YamlNode& root, const std::string& name) {
  YamlNode own = root;
  remove_member(own, kInclude);
  const YamlNode* const includes = root.find(kInclude);
  if (includes == nullptr) return own;
  std::vector<const YamlNode*> wanted;
  if (includes->is_text()) wanted.push_back(includes);
  for (const YamlNode& item : includes->items)
    if (item.is_text()) wanted.push_back(&item);
  YamlNode under;
  under.kind = YamlNode::Kind::kMapping;
  const fs::path folder = fs::path(name).parent_path();
  for (const YamlNode* const one : wanted) {
    if (++includes_ > kMaxFiles) {
      diagnostics_.add(one->at, fmt::format("more than {} includes", kMaxFiles));
      break;
    }
    const fs::path path = (folder / one->text).lexically_normal();
    if (const auto below = read_file_at(path, path.string(), &one->at))
      under = overlay(std::move(under), *below);
  }
  return overlay(std::move(under), own);
}

std::string IncludeReader::cycle_text(std::uint32_t repeated) const {
  std::string text;
  bool is_inside = false;
  for (const std::uint32_t file : open_) {
    is_inside = is_inside || file == repeated;
    if (is_inside) text += diagnostics_.files()[file].name + " -> ";
  }
  return text + diagnostics_.files()[repeated].name;
}

}  // namespace qbuild::manifests
