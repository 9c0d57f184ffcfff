// Fuzz target: any text as each of the small JSON files of a checkpoint folder. What the network
// may be computed with stands in a GGUF that says the same.

#include <cstddef>
#include <cstdint>
#include <string>

#include "base/fake_file_system.h"
#include "formats/config.h"
#include "formats/gguf_metadata.h"
#include "formats/tokenizer_json.h"
#include "models/checkpoint_source.h"
#include "tests/fuzz/attempt.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using qbuild::fuzz::attempt;
  const std::string text(data, data + size);
  qbuild::FakeFileSystem files;
  for (const char* const name :
       {"config.json", "generation_config.json", "tokenizer_config.json", "chat_template.jinja"})
    files.put(qbuild::fs::path("/m") / name, text);
  attempt([&] { static_cast<void>(qbuild::formats::read_generation_config(files, "/m")); });
  attempt([&] { static_cast<void>(qbuild::formats::read_tokenizer_config(files, "/m")); });
  attempt([&] {
    const qbuild::formats::ModelConfig config = qbuild::formats::read_config(files, "/m");
    static_cast<void>(qbuild::models::parameters_from_config(config));
    static_cast<void>(qbuild::formats::llama3_rope_factors(config));
    static_cast<void>(qbuild::formats::llama_metadata({.name = "m"}, config, {}, {}));
  });
  return 0;
}
