// How fast the encoders and decoders are on one core, and how much they lose.
//
//   qbuild_bench_encoders [--runs N] [--backend NAME] [--peer DIR] [--effort default|best]
//                         [--importance none|columns]
//
// Data: 4 Mi Gaussian weights as 4096 rows of 1024 floats, which no core's own cache holds. Per
// type: best and median weights per second of N runs; bytes moved per second at best (floats in,
// blocks out); the decoder's best. With --peer, a folder with llama.cpp's shared libraries, its
// encoder runs in turn with ours on the same data, and both errors (relative, by our decoder) stand
// side by side. With importance, one number per column of log-normal distribution, both encoders
// have it and the errors are weighted by it.

#include <dlfcn.h>
#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <numbers>
#include <random>
#include <string>
#include <vector>

#include "base/error.h"
#include "kernels/codec.h"

namespace qbuild::kernels {
namespace {

constexpr std::size_t kRows = 4096;
constexpr std::size_t kRowValues = 1024;

// ggml_quantize_chunk of ggml.h; type ids are GGUF's.
using PeerEncode = std::size_t (*)(int type, const float* values, void* out, std::int64_t start,
                                   std::int64_t rows, std::int64_t row_values,
                                   const float* importance);

struct Options {
  std::size_t runs = 9;
  Backend backend = best_backend();
  std::string peer;
  Effort effort = Effort::kDefault;
  bool with_importance = false;
};

struct Speed {
  double best = 0;  // weights per second
  double median = 0;
};

struct Bench {
  std::vector<float> values;
  std::vector<float> importance;  // empty, or one per column
  std::vector<float> decoded;
  Options options;
  PeerEncode peer = nullptr;
};

// Normally distributed.
std::vector<float> gaussian(std::size_t count, double size, std::uint64_t seed) {
  std::vector<float> values(count);
  std::mt19937_64 bits(seed);
  const auto uniform = [&] { return (static_cast<double>(bits() >> 11) + 0.5) / 0x1p53; };
  for (float& value : values) {
    const double radius = std::sqrt(-2 * std::log(uniform()));
    value = static_cast<float>(size * radius * std::cos(2 * std::numbers::pi * uniform()));
  }
  return values;
}

template <typename Body>
double seconds_of(const Body& body) {
  const auto start = std::chrono::steady_clock::now();
  body();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

Speed speed_of(std::vector<double> seconds) {
  std::sort(seconds.begin(), seconds.end());
  const double weights = kRows * kRowValues;
  return {weights / seconds.front(), weights / seconds[seconds.size() / 2]};
}

double error_of(Bench& bench, DType dtype, Bytes bytes) {
  decode_rows(bench.options.backend, dtype, bytes, bench.decoded);
  double error = 0;
  double energy = 0;
  for (std::size_t i = 0; i < bench.values.size(); ++i) {
    const double w = bench.importance.empty()
                         ? 1
                         : static_cast<double>(bench.importance[i % bench.importance.size()]);
    const auto x = static_cast<double>(bench.values[i]);
    const double e = static_cast<double>(bench.decoded[i]) - x;
    error += w * e * e;
    energy += w * x * x;
  }
  return std::sqrt(error / energy);
}

void measure(Bench& bench, const Codec& codec) {
  std::vector<std::byte> ours(row_bytes(codec.dtype, bench.values.size()).value());
  std::vector<std::byte> theirs(ours.size());
  const bool with_peer = bench.peer != nullptr && codec.dtype != DType::kF32;
  std::vector<double> encode, decode, peer;
  for (std::size_t run = 0; run < bench.options.runs; ++run) {
    encode.push_back(seconds_of([&] {
      encode_rows(bench.options.backend, codec.dtype, bench.values, kRowValues, ours,
                  {.importance = bench.importance, .effort = bench.options.effort});
    }));
    decode.push_back(
        seconds_of([&] { decode_rows(bench.options.backend, codec.dtype, ours, bench.decoded); }));
    if (!with_peer) continue;
    peer.push_back(seconds_of([&] {
      bench.peer(static_cast<int>(codec.dtype), bench.values.data(), theirs.data(), 0, kRows,
                 kRowValues, bench.importance.empty() ? nullptr : bench.importance.data());
    }));
  }
  const Speed encoded = speed_of(encode);
  const double bytes = static_cast<double>(ours.size() + sizeof(float) * bench.values.size());
  fmt::print("{:<8}{:>10.1f}{:>10.1f}{:>8.2f}{:>10.1f}{:>11.6f}", dtype_name(codec.dtype),
             encoded.best / 1e6, encoded.median / 1e6,
             bytes / static_cast<double>(bench.values.size()) * encoded.best / 1e9,
             speed_of(decode).best / 1e6, error_of(bench, codec.dtype, ours));
  if (with_peer) {
    const Speed reference = speed_of(peer);
    fmt::print("{:>10.1f}{:>10.1f}{:>8.2f}{:>11.6f}", reference.best / 1e6, reference.median / 1e6,
               encoded.best / reference.best, error_of(bench, codec.dtype, theirs));
  }
  fmt::print("\n");
}

PeerEncode load_peer(const std::string& folder) {
  const std::string path = folder + "/libggml-base.so";
  void* library = dlopen(path.c_str(), RTLD_NOW);
  void* symbol = library == nullptr ? nullptr : dlsym(library, "ggml_quantize_chunk");
  if (symbol == nullptr) {
    const char* reason = dlerror();
    throw Error(ErrorKind::kNotFound,
                fmt::format("--peer {}: {}", folder, reason == nullptr ? "no symbol" : reason));
  }
  return reinterpret_cast<PeerEncode>(symbol);
}

Options parse(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; i += 2) {
    const std::string word = argv[i];
    const std::string value = i + 1 < argc ? argv[i + 1] : "";
    if (word == "--runs" && std::atoi(value.c_str()) > 0) {
      options.runs = static_cast<std::size_t>(std::atoi(value.c_str()));
    } else if (word == "--backend") {
      options.backend = backend_from_name(value);
    } else if (word == "--peer" && !value.empty()) {
      options.peer = value;
    } else if (word == "--effort" && (value == "default" || value == "best")) {
      options.effort = value == "best" ? Effort::kBest : Effort::kDefault;
    } else if (word == "--importance" && (value == "none" || value == "columns")) {
      options.with_importance = value == "columns";
    } else {
      throw Error(ErrorKind::kInvalidInput,
                  "usage: qbuild_bench_encoders [--runs N] [--backend NAME] [--peer DIR] "
                  "[--effort default|best] [--importance none|columns]");
    }
  }
  return options;
}

void run(const Options& options) {
  Bench bench{.values = gaussian(kRows * kRowValues, 0.02, 1),
              .importance = {},
              .decoded = {},
              .options = options};
  if (options.with_importance) {
    bench.importance = gaussian(kRowValues, 1, 2);
    for (float& one : bench.importance) one = std::exp(one);
  }
  bench.decoded.resize(bench.values.size());
  if (!options.peer.empty()) bench.peer = load_peer(options.peer);
  fmt::print(
      "backend {}, one thread, {} runs, {} effort, {} importance; million weights per second\n",
      backend_name(options.backend), options.runs,
      options.effort == Effort::kBest ? "best" : "default",
      options.with_importance ? "with" : "no");
  fmt::print("{:<8}{:>10}{:>10}{:>8}{:>10}{:>11}", "type", "best", "median", "GB/s", "decode",
             "error");
  if (bench.peer != nullptr) {
    fmt::print("{:>10}{:>10}{:>8}{:>11}", "peer best", "median", "times", "peer error");
  }
  fmt::print("\n");
  for (const Codec& codec : all_codecs()) {
    if (codec.can_encode()) measure(bench, codec);
  }
}

}  // namespace
}  // namespace qbuild::kernels

int main(int argc, char** argv) {
  try {
    qbuild::kernels::run(qbuild::kernels::parse(argc, argv));
    return 0;
  } catch (const qbuild::Error& error) {
    fmt::print(stderr, "{}\n", error.message());
    return 2;
  }
}
