// Fuzz target: a repository of a directory hub of which one file is any bytes: the first byte says
// which. Reading it, publishing to it and bringing its plain files up to date end well or with an
// Error.

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/fake_file_system.h"
#include "hub/directory_hub.h"
#include "hub/directory_layout.h"
#include "tests/fuzz/attempt.h"

namespace {

using qbuild::fuzz::attempt;
using qbuild::hub::DirectoryHub;
using qbuild::hub::kMainBranch;

const qbuild::hub::RepoId kRepo{.owner = "acme", .name = "Tiny"};

qbuild::hub::CommitRequest request() {
  qbuild::hub::CommitRequest request;
  request.repo = kRepo;
  request.message = "a message";
  request.author = "acme-bot";
  request.inlined = {{.path = "README.md", .bytes = "text"}, {.path = "a/b.bin", .bytes = "bytes"}};
  return request;
}

void use(DirectoryHub& hub) {
  attempt([&] { static_cast<void>(hub.visibility(kRepo)); });
  attempt([&] { static_cast<void>(hub.head(kRepo, kMainBranch)); });
  attempt([&] {
    for (const auto& entry : hub.tree(kRepo, kMainBranch))
      static_cast<void>(hub.read_file(kRepo, kMainBranch, entry.path, 1U << 16U));
  });
  attempt([&] { hub.create_repo(kRepo, qbuild::hub::Visibility::kPrivate); });
  attempt([&] { hub.commit(request()); });
  attempt([&] { hub.refresh_files(kRepo, kMainBranch); });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  qbuild::FakeFileSystem disk;
  qbuild::FakeClock clock(1'700'000'000'000'000'000);
  {
    DirectoryHub hub(disk, clock, "/hub");
    hub.create_repo(kRepo, qbuild::hub::Visibility::kPublic);
    hub.commit(request());
  }
  const qbuild::hub::DirectoryLayout layout("/hub");
  const qbuild::hub::RepoLayout repo = layout.repo(kRepo);
  const std::array places{layout.format(), repo.settings(), repo.ref(kMainBranch),
                          repo.working_state(kMainBranch)};
  disk.put(places.at(data[0] % places.size()), bytes);
  attempt([&] {
    DirectoryHub hub(disk, clock, "/hub");
    use(hub);
  });
  return 0;
}
