#pragma once
// Which instruction set the kernels use. Chosen at run time; encoders and measurements give the
// same bytes on every backend, so the choice is about speed alone and is in no key. Pure; any
// thread.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace qbuild::kernels {

enum class Backend : std::uint8_t {
  kScalar,  // plain C++ for the baseline processor: the definition
  kAvx2,    // AVX2, FMA and F16C
  kAvx512,  // AVX-512 F, BW, DQ and VL, beside all that kAvx2 needs
};

// Every backend there is, slowest first, whether this machine has it or not.
[[nodiscard]] std::span<const Backend> all_backends();

// "scalar", "avx2", "avx512": the words of --backend.
[[nodiscard]] std::string_view backend_name(Backend backend);

// What keeps this process from using `backend`, for a skipped test or a message: "this processor
// lacks avx512f avx512bw", "this program was built for another architecture". Empty if nothing
// does.
[[nodiscard]] std::string backend_obstacle(Backend backend);

// The fastest one without an obstacle.
[[nodiscard]] Backend best_backend();

// What --backend asks for. Throws Error kInvalidInput for a word that names none, kUnsupported for
// one that this machine cannot run.
[[nodiscard]] Backend backend_from_name(std::string_view name);

}  // namespace qbuild::kernels
