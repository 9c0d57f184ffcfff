// Fuzz target: any text as a manifest, which may include itself and one other file.
// Diagnostics are the right answer to a bad manifest; anything that leaves try_load is a bug.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <vector>

#include "base/fake_file_system.h"
#include "manifests/load.h"

namespace {

// Longer texts only make the search slower; the bounds on size have tests of their own.
constexpr std::size_t kMaxInputBytes = 16384;

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using qbuild::manifests::LoadResult;
  if (size > kMaxInputBytes) return 0;
  qbuild::FakeFileSystem files;
  files.put("/p/tiny/config.json", "{}");
  files.put("/p/common.yaml", "sets: {house: [Q8_0]}\ndefaults: {quants: house}\n");
  files.put("/p/qbuild.yaml", std::string_view(reinterpret_cast<const char*>(data), size));
  const std::vector<qbuild::fs::path> paths{"/p/qbuild.yaml"};
  const LoadResult result = qbuild::manifests::try_load(files, paths);
  // Success without a model, or a failure that says nothing, would surprise whoever called.
  if (result.diagnostics.empty() == result.manifest.models.empty()) std::abort();
  for (const auto& diagnostic : result.diagnostics)
    if (diagnostic.message.find('\n') != std::string::npos) std::abort();
  return 0;
}
