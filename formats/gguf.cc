#include "formats/gguf.h"

#include <fmt/core.h>

#include <array>

#include "base/bytes.h"
#include "base/check.h"
#include "base/error.h"

namespace qbuild::formats {
namespace {

template <typename T>
void append(std::string& out, T value) {
  std::array<std::byte, sizeof(T)> bytes{};
  store_le(bytes.data(), value);
  out += as_text(bytes);
}

void append_string(std::string& out, std::string_view text) {
  append(out, std::uint64_t{text.size()});
  out += text;
}

void append_unsigned(std::string& out, GgufType type, std::uint64_t value) {
  switch (type) {
    case GgufType::kU8:
    case GgufType::kBool:
      return append(out, static_cast<std::uint8_t>(value));
    case GgufType::kU16:
      return append(out, static_cast<std::uint16_t>(value));
    case GgufType::kU32:
      return append(out, static_cast<std::uint32_t>(value));
    default:
      return append(out, value);
  }
}

void append_signed(std::string& out, GgufType type, std::int64_t value) {
  switch (type) {
    case GgufType::kI8:
      return append(out, static_cast<std::int8_t>(value));
    case GgufType::kI16:
      return append(out, static_cast<std::int16_t>(value));
    case GgufType::kI32:
      return append(out, static_cast<std::int32_t>(value));
    default:
      return append(out, value);
  }
}

void append_float(std::string& out, GgufType type, double value) {
  if (type == GgufType::kF32) return append(out, static_cast<float>(value));
  append(out, value);
}

template <typename... Bodies>
struct Overloaded : Bodies... {
  using Bodies::operator()...;
};
template <typename... Bodies>
Overloaded(Bodies...) -> Overloaded<Bodies...>;

const GgufValue& require(const GgufMetadata& metadata, std::string_view key) {
  const GgufValue* const value = find_value(metadata, key);
  if (value == nullptr)
    throw Error(ErrorKind::kInvalidInput, fmt::format("the key {} is missing", key));
  return *value;
}

[[noreturn]] void wrong_kind(std::string_view key, std::string_view wanted,
                             const GgufValue& found) {
  throw Error(ErrorKind::kInvalidInput, fmt::format("the key {} should be {}, but is {}", key,
                                                    wanted, gguf_type_name(found.type)));
}

}  // namespace

std::string_view gguf_type_name(GgufType type) {
  constexpr std::array<std::string_view, 13> kNames{"u8",  "i8",  "u16",  "i16",    "u32",
                                                    "i32", "f32", "bool", "string", "array",
                                                    "u64", "i64", "f64"};
  const auto index = static_cast<std::size_t>(type);
  return index < kNames.size() ? kNames[index] : "unknown";
}

const GgufValue* find_value(const GgufMetadata& metadata, std::string_view key) {
  for (const GgufPair& pair : metadata)
    if (pair.key == key) return &pair.value;
  return nullptr;
}

const std::string* find_text(const GgufMetadata& metadata, std::string_view key) {
  const GgufValue* const value = find_value(metadata, key);
  return value == nullptr ? nullptr : std::get_if<std::string>(&value->value);
}

void set_value(GgufMetadata& metadata, std::string_view key, GgufValue value) {
  for (GgufPair& pair : metadata)
    if (pair.key == key) {
      pair.value = std::move(value);
      return;
    }
  metadata.push_back({std::string(key), std::move(value)});
}

std::uint64_t require_uint(const GgufMetadata& metadata, std::string_view key) {
  const GgufValue& value = require(metadata, key);
  if (const auto* number = std::get_if<std::uint64_t>(&value.value)) return *number;
  if (const auto* number = std::get_if<std::int64_t>(&value.value);
      number != nullptr && *number >= 0)
    return static_cast<std::uint64_t>(*number);
  wrong_kind(key, "a number from 0", value);
}

double require_float(const GgufMetadata& metadata, std::string_view key) {
  const GgufValue& value = require(metadata, key);
  if (const auto* number = std::get_if<double>(&value.value)) return *number;
  wrong_kind(key, "a floating-point number", value);
}

const std::string& require_text(const GgufMetadata& metadata, std::string_view key) {
  const GgufValue& value = require(metadata, key);
  if (const auto* text = std::get_if<std::string>(&value.value)) return *text;
  wrong_kind(key, "a string", value);
}

const std::vector<std::string>& require_texts(const GgufMetadata& metadata, std::string_view key) {
  const GgufValue& value = require(metadata, key);
  if (const auto* texts = std::get_if<std::vector<std::string>>(&value.value)) return *texts;
  wrong_kind(key, "an array of strings", value);
}

std::uint64_t GgufTensor::values() const {
  std::uint64_t count = 1;
  for (const std::uint64_t extent : shape) count *= extent;
  return count;
}

void append_pair(std::string& out, const GgufPair& pair) {
  append_string(out, pair.key);
  const GgufValue& value = pair.value;
  append(out, static_cast<std::uint32_t>(value.type));
  const auto array_head = [&](std::size_t count) {
    append(out, static_cast<std::uint32_t>(value.element));
    append(out, std::uint64_t{count});
  };
  std::visit(Overloaded{[&](std::uint64_t v) { append_unsigned(out, value.type, v); },
                        [&](std::int64_t v) { append_signed(out, value.type, v); },
                        [&](double v) { append_float(out, value.type, v); },
                        [&](const std::string& v) { append_string(out, v); },
                        [&](const std::vector<std::uint64_t>& v) {
                          array_head(v.size());
                          for (const auto element : v) append_unsigned(out, value.element, element);
                        },
                        [&](const std::vector<std::int64_t>& v) {
                          array_head(v.size());
                          for (const auto element : v) append_signed(out, value.element, element);
                        },
                        [&](const std::vector<double>& v) {
                          array_head(v.size());
                          for (const auto element : v) append_float(out, value.element, element);
                        },
                        [&](const std::vector<std::string>& v) {
                          array_head(v.size());
                          for (const auto& element : v) append_string(out, element);
                        }},
             value.value);
}

}  // namespace qbuild::formats
