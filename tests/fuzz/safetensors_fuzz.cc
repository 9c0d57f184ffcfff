// Fuzz target: any bytes as a safetensors file. Whatever the header is accepted with can be read.

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/fake_file_system.h"
#include "formats/safetensors.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  qbuild::FakeFileSystem files;
  files.put("/x", std::string(data, data + size));
  const auto file = files.open("/x");
  qbuild::formats::SafetensorsHeader header;
  try {
    header = qbuild::formats::read_safetensors_header(*file, "/x");
  } catch (const qbuild::Error&) {
    return 0;
  }
  // Outside the fence: after an accepted header no read may fail.
  for (const auto& entry : header.entries) {
    std::vector<std::byte> bytes(entry.size_bytes);
    qbuild::read_exactly(*file, entry.offset, bytes);
  }
  return 0;
}
