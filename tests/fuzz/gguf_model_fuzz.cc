// Fuzz target: any bytes as a GGUF that holds a network and its tokenizer, as far as its metadata
// goes.

#include <cstddef>
#include <cstdint>
#include <string>

#include "base/fake_file_system.h"
#include "formats/gguf_metadata.h"
#include "models/gguf_source.h"
#include "models/tokenizer.h"
#include "tests/fuzz/attempt.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using qbuild::fuzz::attempt;
  using qbuild::models::AddSpecial;
  qbuild::FakeFileSystem files;
  files.put("/x.gguf", std::string(data, data + size));
  attempt([&] { static_cast<void>(qbuild::models::GgufSource(files, "/x.gguf").parameters()); });
  attempt([&] {
    const auto reader = qbuild::formats::GgufReader::open(files, "/x.gguf");
    static_cast<void>(qbuild::formats::digest_metadata(reader.metadata()));
  });
  attempt([&] {
    const auto tokenizer = qbuild::models::load_tokenizer(files, "/x.gguf");
    static_cast<void>(tokenizer.decode(
        tokenizer.encode("a ab\n  <x>\xff 'll 12\xc3\xa9\xf0\x9f\x9a\x80", AddSpecial::kYes)));
  });
  return 0;
}
