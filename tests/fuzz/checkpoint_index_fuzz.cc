// Fuzz target: any text as the index of a checkpoint of two shards. Whatever it is accepted with
// can be read.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/fake_file_system.h"
#include "formats/checkpoint.h"

namespace {

// A safetensors file of one tensor of one F32.
std::string shard(std::string_view tensor) {
  const std::string header =
      "{\"" + std::string(tensor) + "\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}";
  std::string bytes(8, '\0');
  bytes[0] = static_cast<char>(header.size());
  return bytes + header + "\x01\x02\x03\x04";
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using qbuild::formats::Checkpoint;
  qbuild::FakeFileSystem files;
  files.put("/m/model.safetensors.index.json",
            std::string_view(reinterpret_cast<const char*>(data), size));
  files.put("/m/a", shard("x"));
  files.put("/m/b", shard("y"));
  std::optional<Checkpoint> checkpoint;
  try {
    checkpoint = Checkpoint::open(files, "/m");
  } catch (const qbuild::Error&) {
    return 0;
  }
  // Outside the fence: after an accepted index no read may fail.
  for (const auto& tensor : checkpoint->tensors()) {
    std::vector<std::byte> bytes(tensor.size_bytes);
    checkpoint->read(tensor, 0, bytes);
  }
  return 0;
}
