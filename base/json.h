#pragma once
// JSON as a value. One type for everything that reads or writes JSON here; the library that parses
// it stays behind json.cc. Objects keep the order in which members were added, so equal values that
// were built the same way print the same bytes.

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace qbuild {

class Json {
 public:
  using Array = std::vector<Json>;
  using Member = std::pair<std::string, Json>;
  using Object = std::vector<Member>;

  // Deeper input is refused: nobody's file needs it, and the stack is not endless.
  static constexpr std::uint32_t kMaxDepth = 128;
  // As it stands in the text, quotes and escapes included.
  static constexpr std::size_t kMaxStringBytes = std::size_t{16} << 20U;
  static constexpr std::size_t kMaxNumberBytes = std::size_t{1} << 12U;
  // What the values of a document may take in memory, which can be twenty times its text: well over
  // the tokenizer.json of the largest vocabulary.
  static constexpr std::uint64_t kMaxMemoryBytes = std::uint64_t{112} << 20U;

  Json() = default;  // null
  // Implicit on purpose: a Json is written as the value that it holds.
  // NOLINTBEGIN(google-explicit-constructor)
  Json(std::nullptr_t) {}
  Json(bool value) : value_(value) {}
  Json(std::int64_t value) : value_(value) {}
  Json(int value) : value_(std::int64_t{value}) {}
  Json(std::uint32_t value) : value_(std::int64_t{value}) {}
  // Beyond the range of int64 it becomes the nearest double.
  Json(std::uint64_t value);
  Json(double value) : value_(value) {}
  Json(std::string value) : value_(std::move(value)) {}
  Json(std::string_view value) : value_(std::string(value)) {}
  Json(const char* value) : value_(std::string(value)) {}
  Json(Array value) : value_(std::move(value)) {}
  Json(Object value) : value_(std::move(value)) {}
  // NOLINTEND(google-explicit-constructor)

  [[nodiscard]] static Json object() { return Json(Object{}); }
  [[nodiscard]] static Json object(std::initializer_list<Member> members) {
    return Json(Object(members));
  }
  [[nodiscard]] static Json array() { return Json(Array{}); }

  // Throws Error (kInvalidInput) with line and column on the first bad byte, on a duplicate member,
  // on nesting beyond kMaxDepth, on longer strings and numbers and on invalid UTF-8; kExhausted,
  // with its place too, on the value with which they would take more than max_memory_bytes. n log n
  // in the length of the text, whoever chose it.
  [[nodiscard]] static Json parse(std::string_view text,
                                  std::uint64_t max_memory_bytes = kMaxMemoryBytes);

  // One line, no spaces. Doubles in the shortest form that reads back; NaN and infinities as null;
  // bytes that are no UTF-8 as U+FFFD, so that the output is always JSON.
  [[nodiscard]] std::string dump() const;
  // Two spaces per level, ending in a newline.
  [[nodiscard]] std::string dump_pretty() const;

  [[nodiscard]] bool is_null() const { return std::holds_alternative<std::monostate>(value_); }
  [[nodiscard]] bool is_bool() const { return std::holds_alternative<bool>(value_); }
  [[nodiscard]] bool is_int() const { return std::holds_alternative<std::int64_t>(value_); }
  [[nodiscard]] bool is_number() const {
    return is_int() || std::holds_alternative<double>(value_);
  }
  [[nodiscard]] bool is_string() const { return std::holds_alternative<std::string>(value_); }
  [[nodiscard]] bool is_array() const { return std::holds_alternative<Array>(value_); }
  [[nodiscard]] bool is_object() const { return std::holds_alternative<Object>(value_); }

  // Each throws Error (kInvalidInput, "expected a string, found a number") if the value is not
  // that. as_int accepts a double without fraction; as_double accepts integers; as_uint refuses
  // negatives.
  [[nodiscard]] bool as_bool() const;
  [[nodiscard]] std::int64_t as_int() const;
  [[nodiscard]] std::uint64_t as_uint() const;
  [[nodiscard]] double as_double() const;
  [[nodiscard]] const std::string& as_string() const;
  [[nodiscard]] const Array& as_array() const;
  [[nodiscard]] Array& as_array();
  [[nodiscard]] const Object& as_object() const;
  [[nodiscard]] Object& as_object();

  // Of an object: the member, or null pointer. Of anything else: null pointer.
  [[nodiscard]] const Json* find(std::string_view key) const;
  [[nodiscard]] Json* find(std::string_view key);
  // Throws Error (kInvalidInput) that names the key if it is absent; errors inside say the key.
  [[nodiscard]] const Json& at(std::string_view key) const;
  // Of an object (null becomes one): the member, added at the end as null if absent.
  Json& operator[](std::string_view key);
  // Of an array (null becomes one).
  void push_back(Json value);

  // With a default for an absent or null member.
  [[nodiscard]] std::string get_string(std::string_view key, std::string_view fallback = "") const;
  [[nodiscard]] std::int64_t get_int(std::string_view key, std::int64_t fallback) const;
  [[nodiscard]] double get_double(std::string_view key, double fallback) const;
  [[nodiscard]] bool get_bool(std::string_view key, bool fallback) const;

  // Member order counts: {"a":1,"b":2} differs from {"b":2,"a":1}.
  friend bool operator==(const Json&, const Json&) = default;

 private:
  std::variant<std::monostate, bool, std::int64_t, double, std::string, Array, Object> value_;
};

}  // namespace qbuild
