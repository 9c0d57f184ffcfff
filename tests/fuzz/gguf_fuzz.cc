// Fuzz target: any bytes as a GGUF file. Whatever the header is accepted with can be read.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/fake_file_system.h"
#include "formats/gguf_reader.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  qbuild::FakeFileSystem files;
  files.put("/x", std::string(data, data + size));
  std::optional<qbuild::formats::GgufReader> reader;
  try {
    reader = qbuild::formats::GgufReader::open(files, "/x");
  } catch (const qbuild::Error&) {
    return 0;
  }
  // Outside the fence: after an accepted header no read may fail.
  for (const auto& tensor : reader->tensors()) {
    std::vector<std::byte> bytes(tensor.size_bytes);
    reader->read(tensor, 0, bytes);
  }
  std::string pairs;
  for (const auto& pair : reader->metadata()) qbuild::formats::append_pair(pairs, pair);
  return 0;
}
