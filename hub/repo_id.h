#pragma once
// Names of repositories and of files in them, judged as the Hub judges them.
// Source: the Hub's protocol: repository ids are owner/name; each part has 1 to 96 characters of
// A-Z a-z 0-9 - _ . , neither begins nor ends with - or . , has no -- or .. , and the name no .git
// at the end. Old ids without an owner are not for publishing and are refused.

#include <optional>
#include <string>
#include <string_view>

namespace qbuild::hub {

struct RepoId {
  std::string owner;
  std::string name;

  // "owner/name"
  [[nodiscard]] std::string text() const { return owner + "/" + name; }
  bool operator==(const RepoId&) const = default;
};

// Throws Error (kInvalidInput) that quotes the text and says what is wrong with it.
[[nodiscard]] RepoId parse_repo_id(std::string_view text);

// What is wrong with a path in a repository, or nothing: relative, '/'-separated, UTF-8, no empty
// part, no
// "." or "..", no part ".git" (in any case), not below .cache/huggingface, no control character, no
// backslash, at most 255 bytes a part and 1024 in all.
[[nodiscard]] std::optional<std::string> path_problem(std::string_view path);
// Throws Error (kInvalidInput) "path "../x" in acme/tiny: ..." if there is a problem.
void require_path(const RepoId& repo, std::string_view path);

// What is wrong with a branch name, or nothing. As paths, and not "refs/...", no space ~ ^ : ? * [
// and not 40 hex digits, which would be taken for a commit.
[[nodiscard]] std::optional<std::string> branch_problem(std::string_view branch);

// 40 lower-case hex digits.
[[nodiscard]] bool is_commit_id(std::string_view text);

// ASCII letters made small: what two names that a case-insensitive file system cannot tell apart
// share.
[[nodiscard]] std::string folded(std::string_view text);

}  // namespace qbuild::hub
