#include "manifests/include.h"

#include <fmt/core.h>

#include <unordered_map>

#include "base/error.h"
#include "manifests/limits.h"
#include "manifests/shape.h"
#include "manifests/variables.h"

namespace qbuild::manifests {
namespace {

constexpr std::string_view kInclude = "include";

void remove_member(YamlNode& mapping, std::string_view key) {
  std::erase_if(mapping.members, [&](const YamlMember& member) { return member.key == key; });
}

}  // namespace

YamlNode overlay(YamlNode under, YamlNode over) {
  if (!under.is_mapping() || !over.is_mapping()) return over;
  std::unordered_map<std::string, std::size_t> places;
  for (std::size_t i = 0; i < under.members.size(); ++i) places.emplace(under.members[i].key, i);
  under.at = over.at;
  for (YamlMember& member : over.members) {
    const auto found = places.find(member.key);
    if (found == places.end()) {
      under.members.push_back(std::move(member));
      continue;
    }
    YamlMember& below = under.members[found->second];
    below.at = member.at;
    below.value = overlay(std::move(below.value), std::move(member.value));
  }
  return under;
}

const YamlNode* IncludeReader::read(const fs::path& path) {
  return read_file_at(path, path.string(), nullptr);
}

const YamlNode* IncludeReader::read_file_at(const fs::path& path, const std::string& name,
                                            const Place* asked_by) {
  const fs::path absolute = fs::absolute(path).lexically_normal();
  if (const auto known = read_.find(absolute); known != read_.end()) {
    if (!known->second.is_open) return known->second.tree();
    const Place at = asked_by != nullptr ? *asked_by : Place{known->second.file, 0, 0};
    diagnostics_.add(at, fmt::format("include cycle: {}", cycle_text(known->second.file)));
    return nullptr;
  }
  if (read_.size() >= kMaxFiles) {
    stop(asked_by != nullptr ? *asked_by : Place{}, fmt::format("more than {} files", kMaxFiles));
    return nullptr;
  }
  const std::uint32_t file = diagnostics_.add_file({absolute, name});
  Read& reading = read_[absolute];
  reading.file = file;
  open_.push_back(file);
  if (const auto text = read_text(absolute, asked_by != nullptr ? *asked_by : Place{file, 0, 0})) {
    if (auto root = parse_yaml(*text, file, size_, diagnostics_)) {
      check_secrets(*root, diagnostics_);
      check_shape(*root, diagnostics_);
      if (root->is_mapping()) reading.merged = with_includes(std::move(*root), name);
    }
  }
  // What comes next would be told the same once more.
  is_over_ = is_over_ || size_.nodes > kMaxNodes || size_.bytes > kMaxTreeBytes;
  open_.pop_back();
  reading.is_open = false;
  return reading.tree();
}

std::optional<std::string> IncludeReader::read_text(const fs::path& absolute,
                                                    const Place& complain_at) {
  const bool is_included = complain_at.line != 0;
  const auto refuse = [&](std::string_view problem) {
    const std::string what = is_included ? "the included file " + absolute.string() : "the file";
    diagnostics_.add(complain_at, fmt::format("{} {}", what, problem));
    return std::nullopt;
  };
  try {
    if (before_read_) before_read_(absolute);
    const auto stat = files_.stat(absolute);
    if (!stat) return refuse("does not exist");
    if (stat->kind == FileStat::Kind::kDirectory) return refuse("is a folder");
    if (stat->kind == FileStat::Kind::kOther) return refuse("is a device or a pipe, not a file");
    is_over_ = is_over_ || stat->size_bytes > kMaxFileBytes - bytes_;
    if (is_over_)
      return refuse(fmt::format("{} larger than {} MiB, too large for a manifest",
                                stat->size_bytes > kMaxFileBytes ? "is" : "and those before it are",
                                kMaxFileBytes >> 20U));
    std::string text = read_file(files_, absolute, kMaxFileBytes - bytes_);
    bytes_ += text.size();
    return text;
  } catch (const Error& error) {
    if (!is_about_the_path(error)) throw;
    if (error.kind() == ErrorKind::kNotFound) return refuse("does not exist");
    if (error.kind() == ErrorKind::kDenied) return refuse("cannot be read: permission denied");
    return refuse(fmt::format("cannot be read: {}", error.message()));
  }
}

YamlNode IncludeReader::with_includes(YamlNode root, const std::string& name) {
  const YamlNode* const includes = root.find(kInclude);
  if (includes == nullptr) return root;
  std::vector<YamlNode> wanted;
  if (includes->is_text()) wanted.push_back(*includes);
  for (const YamlNode& item : includes->items)
    if (item.is_text()) wanted.push_back(item);
  remove_member(root, kInclude);
  YamlNode under;
  under.kind = YamlNode::Kind::kMapping;
  const fs::path folder = fs::path(name).parent_path();
  for (const YamlNode& one : wanted) {
    if (++includes_ > kMaxFiles) stop(one.at, fmt::format("more than {} includes", kMaxFiles));
    if (is_over_) break;
    const YamlNode* const below = read_below(folder, one);
    if (below == nullptr) continue;
    // The file stays as it is, because others may include it too.
    if (size_.bytes += weight(*below); size_.bytes > kMaxTreeBytes) {
      stop(one.at, fmt::format("the included files are more than {} MiB of values where they are "
                               "laid over each other",
                               kMaxTreeBytes >> 20U));
      break;
    }
    under = overlay(std::move(under), *below);
  }
  return overlay(std::move(under), std::move(root));
}

void IncludeReader::stop(const Place& at, std::string_view message) {
  if (!is_over_) diagnostics_.add(at, message);
  is_over_ = true;
}

const YamlNode* IncludeReader::read_below(const fs::path& folder, const YamlNode& include) {
  const std::string path = (folder / include.text).lexically_normal().string();
  auto problem = path_problem(include.text);
  if (!problem) problem = path_problem(path);
  if (!problem) return read_file_at(path, path, &include.at);
  diagnostics_.add(include.at, fmt::format("{}: {}", quote(include.text), *problem));
  return nullptr;
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
