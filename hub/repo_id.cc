#include "hub/repo_id.h"

#include <fmt/core.h>

#include <algorithm>
#include <cstddef>

#include "base/error.h"
#include "base/shown.h"
#include "base/text.h"

namespace qbuild::hub {
namespace {

constexpr std::size_t kMaxRepoPartBytes = 96;
constexpr std::size_t kMaxPathBytes = 1024;
constexpr std::size_t kMaxPathPartBytes = 255;  // of one name in a Linux folder
constexpr std::size_t kCommitIdDigits = 40;

bool is_ascii_letter_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

bool starts_with(std::string_view text, std::string_view start) {
  return text.substr(0, start.size()) == start;
}

bool ends_with(std::string_view text, std::string_view end) {
  return text.size() >= end.size() && text.substr(text.size() - end.size()) == end;
}

// What is wrong with an owner or a name, or nothing.
std::optional<std::string> repo_part_problem(std::string_view part, std::string_view what) {
  if (part.empty()) return fmt::format("the {} is empty", what);
  if (part.size() > kMaxRepoPartBytes)
    return fmt::format("the {} has more than {} characters", what, kMaxRepoPartBytes);
  const bool allowed = std::all_of(part.begin(), part.end(), [](char c) {
    return is_ascii_letter_or_digit(c) || c == '-' || c == '_' || c == '.';
  });
  if (!allowed) return fmt::format("the {} may have only letters, digits, '-', '_' and '.'", what);
  for (const char edge : {part.front(), part.back()}) {
    if (edge == '-' || edge == '.')
      return fmt::format("the {} may not begin or end with '-' or '.'", what);
  }
  if (contains(part, "--") || contains(part, ".."))
    return fmt::format("the {} may not have \"--\" or \"..\"", what);
  if (ends_with(part, ".git")) return fmt::format("the {} may not end in \".git\"", what);
  return std::nullopt;
}

bool has_control_character(std::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
}

std::optional<std::string> part_problem(std::string_view part) {
  if (part.empty()) return "it has an empty part";
  if (part == "." || part == "..") return "it has a part \".\" or \"..\"";
  if (folded(part) == ".git") return "it has a part \".git\"";
  if (part.size() > kMaxPathPartBytes)
    return fmt::format("it has a part of more than {} bytes", kMaxPathPartBytes);
  return std::nullopt;
}

// For messages: what a terminal should not get stays out.
std::string quoted(std::string_view text) {
  return "\"" + shown(text) + "\"";
}

}  // namespace

RepoId parse_repo_id(std::string_view text) {
  const auto fail = [&](const std::string& why) {
    throw Error(ErrorKind::kInvalidInput,
                fmt::format("repository {}: {}; write owner/name", quoted(text), why));
  };
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos) fail("it has no owner");
  const std::string_view owner = text.substr(0, slash);
  const std::string_view name = text.substr(slash + 1);
  if (contains(name, "/")) fail("it has more than one '/'");
  if (const auto problem = repo_part_problem(owner, "owner")) fail(*problem);
  if (const auto problem = repo_part_problem(name, "name")) fail(*problem);
  return {.owner = std::string(owner), .name = std::string(name)};
}

std::optional<std::string> path_problem(std::string_view path) {
  if (path.empty()) return "it is empty";
  if (path.front() == '/') return "it is not relative";
  if (path.size() > kMaxPathBytes) return fmt::format("it has more than {} bytes", kMaxPathBytes);
  if (has_control_character(path)) return "it has a control character";
  if (contains(path, "\\")) return "it has a backslash";
  if (!is_utf8(path)) return "it is not UTF-8";
  for (std::size_t begin = 0; begin != std::string_view::npos;) {
    const std::size_t slash = path.find('/', begin);
    if (auto problem = part_problem(path.substr(begin, slash - begin))) return problem;
    begin = slash == std::string_view::npos ? slash : slash + 1;
  }
  if (path == ".cache/huggingface" || starts_with(path, ".cache/huggingface/"))
    return "\".cache/huggingface\" is the clients' own folder";
  return std::nullopt;
}

void require_path(const RepoId& repo, std::string_view path) {
  if (const auto problem = path_problem(path))
    throw Error(ErrorKind::kInvalidInput,
                fmt::format("path {} in {}: {}", quoted(path), repo.text(), *problem));
}

std::optional<std::string> branch_problem(std::string_view branch) {
  if (auto problem = path_problem(branch)) return problem;
  if (starts_with(branch, "refs/")) return "\"refs/\" is not part of a branch's name";
  if (branch.find_first_of(" ~^:?*[") != std::string_view::npos)
    return "it has a space or one of ~ ^ : ? * [";
  if (branch.size() > kMaxPathPartBytes / 3)
    return fmt::format("it has more than {} bytes", kMaxPathPartBytes / 3);
  if (is_commit_id(branch)) return "it would be taken for a commit";
  return std::nullopt;
}

bool is_commit_id(std::string_view text) {
  return text.size() == kCommitIdDigits &&
         text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

std::string folded(std::string_view text) {
  std::string small(text);
  for (char& c : small) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return small;
}

}  // namespace qbuild::hub
