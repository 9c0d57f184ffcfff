// Fuzz target: any bytes as a record, and as the body of one under a header that fits
// them. What is read must be written as it was read.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "base/bytes.h"
#include "base/digest.h"
#include "cache/record.h"
#include "tests/fuzz/attempt.h"

namespace {

void use(const std::string& bytes) {
  std::optional<qbuild::cache::Record> record;
  qbuild::fuzz::attempt([&] { record = qbuild::cache::parse_record(bytes); });
  if (!record) return;
  // Outside the fence: what was read must be fit to be written.
  const std::string written = qbuild::cache::serialize(*record);
  qbuild::fuzz::require(qbuild::cache::serialize(qbuild::cache::parse_record(written)) == written);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string bytes(data, data + size);
  use(bytes);
  use("qbuild-record 1 " + qbuild::xxh3_hex(qbuild::as_bytes(bytes)) + "\n" + bytes);
  return 0;
}
