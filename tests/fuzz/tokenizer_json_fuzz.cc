// Fuzz target: any text as tokenizer.json, then a hostile text through the tokenizer that it
// describes.

#include <cstddef>
#include <cstdint>
#include <string>

#include "base/error.h"
#include "formats/tokenizer_json.h"
#include "models/tokenizer.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using qbuild::models::AddSpecial;
  using qbuild::models::Tokenizer;
  const std::string text(data, data + size);
  try {
    const auto json = qbuild::formats::parse_tokenizer_json(qbuild::Json::parse(text));
    const Tokenizer tokenizer = Tokenizer::from_json(json, {});
    for (const char* sample : {"", "a ab\n  <x>\xff 'll 12\xc3\xa9\xf0\x9f\x9a\x80"}) {
      static_cast<void>(tokenizer.decode(tokenizer.encode(sample, AddSpecial::kYes)));
    }
  } catch (const qbuild::Error&) {
    return 0;
  }
  return 0;
}
