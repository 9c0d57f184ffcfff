#include "base/json.h"

#include <fmt/core.h>

#include <cmath>
#include <limits>
#include <utility>

#include "base/error.h"
#include "base/shown.h"

namespace qbuild {
namespace {

[[noreturn]] void wrong_type(std::string_view expected, const Json& found) {
  std::string_view name = "an object";
  if (found.is_null()) name = "null";
  if (found.is_bool()) name = "a boolean";
  if (found.is_number()) name = "a number";
  if (found.is_string()) name = "a string";
  if (found.is_array()) name = "an array";
  throw Error(ErrorKind::kInvalidInput, fmt::format("expected {}, found {}", expected, name));
}

template <typename Body>
auto with_key(std::string_view key, Body&& body) {
  return with_context(fmt::format("\"{}\"", key), std::forward<Body>(body));
}

constexpr double kTwoTo63 = 9223372036854775808.0;

}  // namespace

Json::Json(std::uint64_t value) {
  if (value <= static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
    value_ = static_cast<std::int64_t>(value);
  } else {
    value_ = static_cast<double>(value);
  }
}

bool Json::as_bool() const {
  if (const bool* value = std::get_if<bool>(&value_)) return *value;
  wrong_type("a boolean", *this);
}

std::int64_t Json::as_int() const {
  if (const std::int64_t* value = std::get_if<std::int64_t>(&value_)) return *value;
  if (const double* value = std::get_if<double>(&value_)) {
    const bool whole = *value >= -kTwoTo63 && *value < kTwoTo63 && std::trunc(*value) == *value;
    if (whole) return static_cast<std::int64_t>(*value);
    throw Error(ErrorKind::kInvalidInput, fmt::format("expected an integer, found {}", *value));
  }
  wrong_type("an integer", *this);
}

std::uint64_t Json::as_uint() const {
  const std::int64_t value = as_int();
  if (value >= 0) return static_cast<std::uint64_t>(value);
  throw Error(ErrorKind::kInvalidInput,
              fmt::format("expected a number that is not negative, found {}", value));
}

double Json::as_double() const {
  if (const double* value = std::get_if<double>(&value_)) return *value;
  if (const std::int64_t* value = std::get_if<std::int64_t>(&value_)) {
    return static_cast<double>(*value);
  }
  wrong_type("a number", *this);
}

const std::string& Json::as_string() const {
  if (const std::string* value = std::get_if<std::string>(&value_)) return *value;
  wrong_type("a string", *this);
}

const Json::Array& Json::as_array() const {
  if (const Array* value = std::get_if<Array>(&value_)) return *value;
  wrong_type("an array", *this);
}

Json::Array& Json::as_array() {
  if (Array* value = std::get_if<Array>(&value_)) return *value;
  wrong_type("an array", *this);
}

const Json::Object& Json::as_object() const {
  if (const Object* value = std::get_if<Object>(&value_)) return *value;
  wrong_type("an object", *this);
}

Json::Object& Json::as_object() {
  if (Object* value = std::get_if<Object>(&value_)) return *value;
  wrong_type("an object", *this);
}

const Json* Json::find(std::string_view key) const {
  const Object* object = std::get_if<Object>(&value_);
  if (object == nullptr) return nullptr;
  for (const auto& [name, value] : *object) {
    if (name == key) return &value;
  }
  return nullptr;
}

Json* Json::find(std::string_view key) {
  return const_cast<Json*>(std::as_const(*this).find(key));  // the object itself is not const
}

const Json& Json::at(std::string_view key) const {
  static_cast<void>(as_object());
  const Json* value = find(key);
  if (value != nullptr) return *value;
  throw Error(ErrorKind::kInvalidInput, fmt::format("\"{}\" is missing", shown(key)));
}

Json& Json::operator[](std::string_view key) {
  if (is_null()) value_ = Object{};
  Object& object = as_object();
  if (Json* value = find(key)) return *value;
  return object.emplace_back(std::string(key), Json()).second;
}

void Json::push_back(Json value) {
  if (is_null()) value_ = Array{};
  as_array().push_back(std::move(value));
}

std::string Json::get_string(std::string_view key, std::string_view fallback) const {
  const Json* value = find(key);
  if (value == nullptr || value->is_null()) return std::string(fallback);
  return with_key(key, [&] { return value->as_string(); });
}

std::int64_t Json::get_int(std::string_view key, std::int64_t fallback) const {
  const Json* value = find(key);
  if (value == nullptr || value->is_null()) return fallback;
  return with_key(key, [&] { return value->as_int(); });
}

double Json::get_double(std::string_view key, double fallback) const {
  const Json* value = find(key);
  if (value == nullptr || value->is_null()) return fallback;
  return with_key(key, [&] { return value->as_double(); });
}

bool Json::get_bool(std::string_view key, bool fallback) const {
  const Json* value = find(key);
  if (value == nullptr || value->is_null()) return fallback;
  return with_key(key, [&] { return value->as_bool(); });
}

}  // namespace qbuild
