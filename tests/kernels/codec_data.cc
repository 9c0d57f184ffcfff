#include "tests/kernels/codec_data.h"

#include <algorithm>
#include <iterator>
#include <string_view>
#include <utility>

namespace qbuild::kernels {
namespace {

template <typename Value>
NamedRows rows(std::string name, std::size_t count, const Value& value) {
  NamedRows made{std::move(name), std::vector<float>(count)};
  for (std::size_t i = 0; i < count; ++i) made.values[i] = static_cast<float>(value(i));
  return made;
}

}  // namespace

std::vector<Codec> encoders() {
  std::vector<Codec> able;
  std::copy_if(all_codecs().begin(), all_codecs().end(), std::back_inserter(able),
               [](const Codec& codec) { return codec.can_encode(); });
  return able;
}

bool has_grid(DType dtype) {
  const std::string_view name = dtype_name(dtype);
  return name.starts_with("IQ") && !name.starts_with("IQ4");
}

std::vector<NamedRows> hostile_rows(DType dtype) {
  // The limit itself, but nothing so large that a test's own sums overflow.
  const float limit = std::min(find_codec(dtype)->largest, 1e30F);
  TestNumbers numbers(11);
  const auto noise = [&](double size) { return size * (2 * numbers.uniform() - 1); };
  std::vector<NamedRows> made;
  made.push_back(rows("zeros", 256, [](std::size_t) { return 0.0; }));
  made.push_back(rows("negative zeros", 256, [](std::size_t) { return -0.0F; }));
  made.push_back(rows("denormals", 512, [&](std::size_t) { return noise(1e-40); }));
  for (const double size : {1e-20, 1e-11, 1e-8, 1e-7, 1e-6, 1e-5, 1e-4}) {
    made.push_back(rows("noise of " + std::to_string(std::log10(size)), 512,
                        [&](std::size_t) { return noise(size); }));
  }
  for (const double value : {1.0, -1.0, 0.1, -0.1, 3e-5, -3e-5}) {
    made.push_back(
        rows("constant " + std::to_string(value), 256, [&](std::size_t) { return value; }));
  }
  made.push_back(rows("limit", 256, [&](std::size_t i) { return i % 2 == 0 ? limit : -limit; }));
  made.push_back(rows("constant limit", 256, [&](std::size_t) { return limit; }));
  made.push_back(rows("constant negative limit", 256, [&](std::size_t) { return -limit; }));
  made.push_back(rows("noise up to the limit", 1024, [&](std::size_t) {
    return static_cast<double>(limit) * (2 * numbers.uniform() - 1);
  }));
  made.push_back(rows("one outlier", 256,
                      [&](std::size_t i) { return i == 77 ? 0.01 * limit : noise(0.02); }));
  made.push_back(rows("one value", 256, [](std::size_t i) { return i == 255 ? -0.5 : 0.0; }));
  made.push_back(rows("signs", 256, [](std::size_t i) { return i % 3 == 0 ? 0.25 : -0.25; }));
  made.push_back(rows("ramp", 512, [](std::size_t i) { return static_cast<double>(i) / 256 - 1; }));
  made.push_back(rows("offset", 512, [&](std::size_t) { return -0.75 + noise(0.05); }));
  made.push_back(rows("zero sub-blocks", 512,
                      [&](std::size_t i) { return i / 16 % 3 == 0 ? 0.0 : noise(0.1); }));
  made.push_back(rows("sub-blocks of many sizes", 512, [&](std::size_t i) {
    return noise(std::pow(0.25, static_cast<double>(i / 16 % 16)));
  }));
  return made;
}

std::vector<float> golden_values(DType dtype) {
  TestNumbers numbers(2026);
  std::vector<float> values(std::size_t{96} * 512);
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double size = i % 97 == 0 ? 0.2 : 0.02;
    values[i] = static_cast<float>(size * numbers.bell());
  }
  for (const NamedRows& hostile : hostile_rows(dtype)) {
    values.insert(values.end(), hostile.values.begin(), hostile.values.end());
  }
  return values;
}

std::vector<float> golden_importance() {
  TestNumbers numbers(2027);
  std::vector<float> importance(256);
  for (std::size_t i = 0; i < importance.size(); ++i) {
    const double u = numbers.uniform();
    importance[i] = i / 32 == 3 ? 0 : static_cast<float>(0.05 / u - 0.04);
  }
  importance[0] = importance[200] = 0;
  return importance;
}

std::vector<NamedOptions> all_options(std::span<const float> importance) {
  return {{"default", {}},
          {"importance", {.importance = importance}},
          {"best", {.effort = Effort::kBest}},
          {"best with importance", {.importance = importance, .effort = Effort::kBest}}};
}

std::vector<std::byte> encode(Backend backend, DType dtype, std::span<const float> values,
                              const EncodeOptions& options) {
  std::vector<std::byte> bytes(row_bytes(dtype, values.size()).value());
  const std::size_t columns = options.importance.size();
  encode_rows(backend, dtype, values, columns == 0 ? values.size() : columns, bytes, options);
  return bytes;
}

std::vector<float> decode(Backend backend, DType dtype, std::span<const std::byte> bytes) {
  const DTypeInfo& info = dtype_info(dtype);
  std::vector<float> values(bytes.size() / info.block_bytes * info.block_values);
  decode_rows(backend, dtype, bytes, values);
  return values;
}

}  // namespace qbuild::kernels
