// How fast the encoders and decoders are, and how much they lose.
//
//   qbuild_bench_encoders [--runs N] [--threads N] [--backend NAME] [--peer DIR]
//                         [--effort default|best] [--importance none|columns] [--type NAME]
//                         [--values memory|cache]
//
// Data: 4 Mi Gaussian weights as 4096 rows of 1024 floats, which no core's own cache holds; with
// `--values cache` the first 32 of these rows again and again, as a pipeline that converts a piece
// before it encodes it has them. Per type: best and median weights per second of N runs; cycles of
// the time stamp counter per weight and thread at best; bytes moved per second at best (floats in,
// blocks out), and what part that is of a plain copy's bytes; the decoder's best. Above the table:
// how fast a plain copy is, and merely reading the values. With --peer, a folder with llama.cpp's
// shared libraries, its encoder runs in turn with ours on the same data, and both errors (relative,
// by our decoder) stand side by side. With importance, one number per column of log-normal
// distribution, both encoders have it and the errors are weighted by it. With threads, each encodes
// rows of its own, in both.

#include <dlfcn.h>
#include <fmt/core.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <numbers>
#include <random>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/thread_pool.h"
#include "kernels/codec.h"

namespace qbuild::kernels {
namespace {

constexpr std::size_t kRows = 4096;
constexpr std::size_t kRowValues = 1024;
constexpr std::size_t kRowsInCache = 32;  // 128 KiB of values

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
  unsigned threads = 1;
  bool in_cache = false;
  std::string type;  // "": all
};

struct Speed {
  double best = 0;  // weights per second
  double median = 0;
};

// How long something took, in seconds and in cycles of the time stamp counter, where there is one.
struct Duration {
  double seconds = 0;
  double cycles = 0;
  bool operator<(const Duration& other) const { return seconds < other.seconds; }
};

struct Bench {
  std::vector<float> values;
  std::vector<float> importance;  // empty, or one per column
  std::vector<float> decoded;
  Options options;
  PeerEncode peer = nullptr;
  std::unique_ptr<ThreadPool> pool;
  double copied = 0;  // bytes per second that a plain copy reads and writes

  [[nodiscard]] std::size_t distinct_rows() const {
    return options.in_cache ? kRowsInCache : kRows;
  }
};

// A piece of a thread's work.
struct Piece {
  std::size_t from;  // first of the rows read
  std::size_t to;    // and written
  std::size_t rows;
};

template <typename T>
auto rows_of(std::vector<T>& all, std::size_t first, std::size_t count, std::size_t size) {
  return std::span(all).subspan(first * size, count * size);
}

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

std::uint64_t cycles_now() {
#if defined(__x86_64__)
  return __builtin_ia32_rdtsc();
#else
  return 0;
#endif
}

template <typename Body>
Duration duration_of(const Body& body) {
  const auto start = std::chrono::steady_clock::now();
  const std::uint64_t first = cycles_now();
  body();
  const std::uint64_t last = cycles_now();
  return {std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count(),
          static_cast<double>(last - first)};
}

Speed speed_of(std::vector<Duration> runs) {
  std::sort(runs.begin(), runs.end());
  const double weights = kRows * kRowValues;
  return {weights / runs.front().seconds, weights / runs[runs.size() / 2].seconds};
}

// `body` for pieces of each thread's rows: all at once, or, in the cache, the same few again and
// again.
template <typename Body>
Duration duration_of_rows(const Bench& bench, const Body& body) {
  const std::size_t most = bench.distinct_rows();
  return duration_of([&] {
    bench.pool->parallel_for(kRows, 1, [&](std::size_t begin, std::size_t end) {
      for (std::size_t row = begin; row < end; row += most) {
        const std::size_t rows = std::min(most, end - row);
        body(Piece{bench.options.in_cache ? 0 : row, bench.options.in_cache ? begin : row, rows});
      }
    });
  });
}

// Bytes per second that a plain copy of the values reads and writes.
double copy_speed(Bench& bench) {
  std::vector<Duration> runs;
  for (std::size_t run = 0; run < bench.options.runs; ++run)
    runs.push_back(duration_of_rows(bench, [&](const Piece& piece) {
      const auto from = rows_of(bench.values, piece.from, piece.rows, kRowValues);
      std::memcpy(rows_of(bench.decoded, piece.to, piece.rows, kRowValues).data(), from.data(),
                  from.size_bytes());
    }));
  return speed_of(std::move(runs)).best * 2 * sizeof(float);
}

// Bytes per second of the values that can be read, when nothing is made of them.
double reading_speed(Bench& bench) {
  using Four = std::uint32_t __attribute__((vector_size(16)));
  constexpr std::size_t kValues = 4 * sizeof(Four) / sizeof(float);
  std::atomic<std::uint32_t> all = 0;
  std::vector<Duration> runs;
  for (std::size_t run = 0; run < bench.options.runs; ++run)
    runs.push_back(duration_of_rows(bench, [&](const Piece& piece) {
      const auto from = rows_of(bench.values, piece.from, piece.rows, kRowValues);
      Four a{}, b{}, c{}, d{};
      for (std::size_t i = 0; i < from.size(); i += kValues) {
        Four bits[4];
        std::memcpy(&bits, from.data() + i, sizeof bits);
        a ^= bits[0];
        b ^= bits[1];
        c ^= bits[2];
        d ^= bits[3];
      }
      a ^= b ^ c ^ d;
      all ^= a[0] ^ a[1] ^ a[2] ^ a[3];
    }));
  return speed_of(std::move(runs)).best * sizeof(float);
}

double error_of(Bench& bench, DType dtype, Bytes bytes) {
  decode_rows(bench.options.backend, dtype, bytes, bench.decoded);
  double error = 0;
  double energy = 0;
  for (std::size_t i = 0; i < bench.distinct_rows() * kRowValues; ++i) {
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

// The reference refuses these without importance, with an assertion.
bool peer_encodes(const Bench& bench, DType dtype) {
  if (bench.peer == nullptr || dtype == DType::kF32) return false;
  const bool needs_importance =
      dtype == DType::kIQ2_XXS || dtype == DType::kIQ2_XS || dtype == DType::kIQ1_S;
  return !needs_importance || !bench.importance.empty();
}

void measure(Bench& bench, const Codec& codec) {
  const std::size_t row = row_bytes(codec.dtype, kRowValues).value();
  std::vector<std::byte> ours(row * kRows);
  std::vector<std::byte> theirs(ours.size());
  const bool with_peer = peer_encodes(bench, codec.dtype);
  std::vector<Duration> encode, decode, peer;
  for (std::size_t run = 0; run < bench.options.runs; ++run) {
    encode.push_back(duration_of_rows(bench, [&](const Piece& piece) {
      encode_rows(bench.options.backend, codec.dtype,
                  rows_of(bench.values, piece.from, piece.rows, kRowValues), kRowValues,
                  rows_of(ours, piece.to, piece.rows, row),
                  {.importance = bench.importance, .effort = bench.options.effort});
    }));
    decode.push_back(duration_of_rows(bench, [&](const Piece& piece) {
      decode_rows(bench.options.backend, codec.dtype, rows_of(ours, piece.from, piece.rows, row),
                  rows_of(bench.decoded, piece.to, piece.rows, kRowValues));
    }));
    if (!with_peer) continue;
    peer.push_back(duration_of_rows(bench, [&](const Piece& piece) {
      bench.peer(static_cast<int>(codec.dtype),
                 rows_of(bench.values, piece.from, piece.rows, kRowValues).data(),
                 rows_of(theirs, piece.to, piece.rows, row).data(), 0,
                 static_cast<std::int64_t>(piece.rows), kRowValues,
                 bench.importance.empty() ? nullptr : bench.importance.data());
    }));
  }
  const Speed encoded = speed_of(encode);
  const double bytes_per_weight =
      static_cast<double>(row) / static_cast<double>(kRowValues) + sizeof(float);
  const double cycles = std::min_element(encode.begin(), encode.end())->cycles;
  fmt::print("{:<8}{:>10.1f}{:>10.1f}{:>8.2f}{:>8.2f}{:>7.0f}%{:>10.1f}{:>11.6f}",
             dtype_name(codec.dtype), encoded.best / 1e6, encoded.median / 1e6,
             cycles * bench.options.threads / (kRows * kRowValues),
             bytes_per_weight * encoded.best / 1e9,
             100 * bytes_per_weight * encoded.best / bench.copied, speed_of(decode).best / 1e6,
             error_of(bench, codec.dtype, ours));
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
    } else if (word == "--threads" && std::atoi(value.c_str()) > 0) {
      options.threads = static_cast<unsigned>(std::atoi(value.c_str()));
    } else if (word == "--type" && dtype_from_name(value)) {
      options.type = value;
    } else if (word == "--values" && (value == "memory" || value == "cache")) {
      options.in_cache = value == "cache";
    } else {
      throw Error(ErrorKind::kInvalidInput,
                  "usage: qbuild_bench_encoders [--runs N] [--threads N] [--backend NAME] "
                  "[--peer DIR] [--effort default|best] [--importance none|columns] "
                  "[--type NAME] [--values memory|cache]");
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
  bench.pool = std::make_unique<ThreadPool>(options.threads);
  bench.copied = copy_speed(bench);
  fmt::print(
      "backend {}, {} {}, {} runs, {} effort, {} importance, values in {}; million weights per "
      "second; a plain copy {:.2f} GB/s, reading alone {:.2f} GB/s\n",
      backend_name(options.backend), options.threads, options.threads == 1 ? "thread" : "threads",
      options.runs, options.effort == Effort::kBest ? "best" : "default",
      options.with_importance ? "with" : "no", options.in_cache ? "the cache" : "memory",
      bench.copied / 1e9, reading_speed(bench) / 1e9);
  fmt::print("{:<8}{:>10}{:>10}{:>8}{:>8}{:>8}{:>10}{:>11}", "type", "best", "median", "cycles",
             "GB/s", "of copy", "decode", "error");
  if (bench.peer != nullptr) {
    fmt::print("{:>10}{:>10}{:>8}{:>11}", "peer best", "median", "times", "peer error");
  }
  fmt::print("\n");
  for (const Codec& codec : all_codecs()) {
    if (!codec.can_encode()) continue;
    if (options.type.empty() || options.type == dtype_name(codec.dtype)) measure(bench, codec);
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
