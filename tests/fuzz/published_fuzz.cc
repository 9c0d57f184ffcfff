// Fuzz target: any text as the qbuild.json of a repository. What is read must be written as it was
// read.

#include <cstddef>
#include <cstdint>
#include <string>

#include "base/error.h"
#include "rules/published.h"
#include "tests/fuzz/attempt.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using qbuild::Json;
  Json written;
  try {
    written = qbuild::rules::to_json(
        qbuild::rules::published_from_json(Json::parse(std::string(data, data + size))));
  } catch (const qbuild::Error&) {
    return 0;
  }
  qbuild::fuzz::require(qbuild::rules::to_json(qbuild::rules::published_from_json(written)) ==
                        written);
  return 0;
}
