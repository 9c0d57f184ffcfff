// Fuzz target: any bytes as an importance matrix, in either format.

#include <cstddef>
#include <cstdint>
#include <string>

#include "base/error.h"
#include "base/fake_file_system.h"
#include "formats/imatrix.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  qbuild::FakeFileSystem files;
  files.put("/x", std::string(data, data + size));
  try {
    const auto imatrix = qbuild::formats::Imatrix::open(files, "/x");
    for (const auto& entry : imatrix.entries()) {
      try {
        if (imatrix.read(entry).size() != entry.values) __builtin_trap();
      } catch (const qbuild::Error& error) {
        // The numbers may be none; the file is as long as it said.
        if (error.kind() != qbuild::ErrorKind::kInvalidInput) __builtin_trap();
      }
      if (imatrix.find(entry.name) != &entry) __builtin_trap();
    }
  } catch (const qbuild::Error&) {
  }
  return 0;
}
