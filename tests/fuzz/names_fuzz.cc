// Fuzz target: any text as a name from outside: of a repository, a branch, a file, a pattern. What
// is accepted stays in its folder.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/file_system.h"
#include "base/glob.h"
#include "base/shown.h"
#include "cache/artifact.h"
#include "hub/directory_layout.h"
#include "hub/repo_id.h"
#include "tests/fuzz/attempt.h"

namespace {

using qbuild::fuzz::attempt;
using qbuild::fuzz::require;

bool stays_below(const qbuild::fs::path& folder, const qbuild::fs::path& path) {
  const qbuild::fs::path relative = path.lexically_normal().lexically_relative(folder);
  return !relative.empty() && *relative.begin() != ".." && relative != ".";
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t kMaxInputBytes = 4096;
  if (size > kMaxInputBytes) return 0;
  const std::string text(data, data + size);
  const qbuild::hub::DirectoryLayout layout("/hub");
  const qbuild::hub::RepoId repo{.owner = "acme", .name = "Tiny"};
  attempt([&] {
    const qbuild::hub::RepoId id = qbuild::hub::parse_repo_id(text);
    require(id.text() == text);
    require(stays_below("/hub/repos", layout.repo(id).folder));
  });
  if (!qbuild::hub::branch_problem(text)) {
    require(stays_below(layout.repo(repo).refs(), layout.repo(repo).ref(text)));
    require(stays_below("/hub/files", layout.working_folder(repo, text)));
  }
  if (!qbuild::hub::path_problem(text)) require(stays_below("/a", qbuild::fs::path("/a") / text));
  if (qbuild::cache::is_canonical_name(text))
    require(stays_below("/a", qbuild::fs::path("/a") / text));
  require(qbuild::shows_all(qbuild::spelled_out(text)));
  const std::size_t middle = text.find('\n');
  const std::string pattern = text.substr(0, middle);
  if (middle != std::string::npos)
    static_cast<void>(qbuild::glob_match(pattern, std::string_view(text).substr(middle + 1)));
  if (pattern.find_first_of("*?") == std::string::npos)
    require(qbuild::glob_match(pattern, pattern));
  return 0;
}
