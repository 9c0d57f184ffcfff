// Fuzz target: any bytes as a commit of a directory hub, under the name that fits them. Only what
// the hub itself would write is read.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "base/error.h"
#include "hub/commit_object.h"
#include "tests/fuzz/attempt.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using qbuild::hub::CommitObject;
  const std::string bytes(data, data + size);
  std::optional<CommitObject> commit;
  try {
    commit = qbuild::hub::parse_commit(qbuild::hub::commit_id(bytes), bytes);
  } catch (const qbuild::Error&) {
    return 0;
  }
  qbuild::fuzz::require(qbuild::hub::serialize(*commit) == bytes);
  return 0;
}
