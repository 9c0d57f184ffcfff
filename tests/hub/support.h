#pragma once
// What the tests of the hub share: a hub on a disk in memory, and short ways to commit to it.

#include <gmock/gmock.h>

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "base/fake_file_system.h"
#include "hub/directory_hub.h"

namespace qbuild::hub {

// The Error that `body` throws, or none.
template <typename Body>
std::optional<Error> error_of(Body&& body) {
  try {
    body();
  } catch (const Error& error) {
    return error;
  }
  return std::nullopt;
}

inline BlobNeed need_of(std::string_view bytes) {
  return {.sha256 = sha256(bytes), .size_bytes = bytes.size()};
}

inline CommitRequest request_for(const RepoId& repo, std::vector<AddInline> files) {
  CommitRequest request;
  request.repo = repo;
  request.message = "a message";
  request.author = "acme-bot";
  request.unix_seconds = 1'700'000'100;
  request.inlined = std::move(files);
  return request;
}

inline AddUploaded uploaded(std::string path, std::string_view bytes) {
  return {.path = std::move(path), .sha256 = sha256(bytes), .size_bytes = bytes.size()};
}

inline std::vector<std::string> paths_of(const std::vector<TreeEntry>& tree) {
  std::vector<std::string> paths;
  for (const TreeEntry& entry : tree) paths.push_back(entry.path);
  return paths;
}

// A hub under /hub with the repository acme/Tiny; sources lie under /store.
class HubTest : public testing::Test {
 protected:
  HubTest() : hub_(disk_, clock_, "/hub") { hub_.create_repo(repo_, Visibility::kPublic); }

  void upload(std::string_view bytes) {
    const std::string source = "/store/" + sha256(bytes).hex();
    disk_.put(source, bytes);
    hub_.upload_file(repo_, need_of(bytes), source);
  }
  std::string head() { return hub_.head(repo_, kMainBranch)->id; }
  std::vector<std::string> paths() { return paths_of(hub_.tree(repo_, kMainBranch)); }

  const RepoId repo_{.owner = "acme", .name = "Tiny"};
  FakeFileSystem disk_;
  FakeClock clock_{1'700'000'000'000'000'000};
  DirectoryHub hub_;
};

}  // namespace qbuild::hub
