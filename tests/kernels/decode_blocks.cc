// decode_blocks TYPE BACKEND: the blocks on its input as floats on its output, so that
// tests/interop can lay our decoders beside other people's. BACKEND is a word of --backend. Ends
// with 3 where this machine lacks the backend, with 2 for any other error.

#include <fmt/core.h>

#include <array>
#include <cstddef>
#include <cstdio>
#include <exception>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "kernels/codec.h"

namespace qbuild::kernels {
namespace {

std::vector<std::byte> read_input() {
  std::vector<std::byte> bytes;
  std::array<std::byte, 65536> piece{};
  while (const std::size_t count = std::fread(piece.data(), 1, piece.size(), stdin))
    bytes.insert(bytes.end(), piece.begin(), piece.begin() + static_cast<std::ptrdiff_t>(count));
  if (std::ferror(stdin) != 0) throw Error(ErrorKind::kTransient, "cannot read the blocks");
  return bytes;
}

void run(std::string_view type, Backend backend) {
  const auto dtype = dtype_from_name(type);
  if (!dtype) throw Error(ErrorKind::kInvalidInput, fmt::format("there is no type {}", type));
  const std::vector<std::byte> bytes = read_input();
  const DTypeInfo& info = dtype_info(*dtype);
  // A rest that is no block makes the sizes differ, which is refused.
  std::vector<float> floats(bytes.size() / info.block_bytes * info.block_values);
  decode_rows(backend, *dtype, bytes, floats);
  if (std::fwrite(floats.data(), sizeof(float), floats.size(), stdout) != floats.size() ||
      std::fflush(stdout) != 0)
    throw Error(ErrorKind::kTransient, "cannot write the floats");
}

}  // namespace
}  // namespace qbuild::kernels

int main(int argc, char** argv) {
  constexpr int kLacksBackend = 3;
  try {
    if (argc != 3)
      throw qbuild::Error(qbuild::ErrorKind::kInvalidInput, "usage: decode_blocks TYPE BACKEND");
    for (const auto backend : qbuild::kernels::all_backends()) {
      const std::string obstacle = qbuild::kernels::backend_obstacle(backend);
      if (qbuild::kernels::backend_name(backend) != argv[2] || obstacle.empty()) continue;
      fmt::print(stderr, "{}\n", obstacle);
      return kLacksBackend;
    }
    qbuild::kernels::run(argv[1], qbuild::kernels::backend_from_name(argv[2]));
    return 0;
  } catch (const qbuild::Error& error) {
    fmt::print(stderr, "{}\n", error.message());
  } catch (const std::exception& error) {
    fmt::print(stderr, "internal error: {}\n", error.what());
  }
  return 2;
}
