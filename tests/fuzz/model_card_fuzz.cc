// Fuzz target: any text as a model card. What its front matter says must survive being written
// again.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "base/error.h"
#include "formats/model_card.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text = "---\n" + std::string(data, data + size) + "\n---\n";
  qbuild::Json value;
  try {
    value = qbuild::formats::read_front_matter(text);
    static_cast<void>(qbuild::Json::parse(value.dump()));
  } catch (const qbuild::Error&) {
    return 0;  // also for text that is no UTF-8, which a value may hold but JSON may not
  }
  if (qbuild::formats::read_front_matter(qbuild::formats::emit_front_matter(value)) != value)
    std::abort();
  return 0;
}
