// Fuzz target: any text as JSON. What parses must print as JSON that parses to the same value.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "base/error.h"
#include "base/json.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(data, data + size);
  try {
    const qbuild::Json value = qbuild::Json::parse(text);
    if (qbuild::Json::parse(value.dump()) != value) std::abort();
    if (qbuild::Json::parse(value.dump_pretty()) != value) std::abort();
  } catch (const qbuild::Error&) {
    return 0;
  }
  return 0;
}
