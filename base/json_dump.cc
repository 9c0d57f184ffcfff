// Json::dump and Json::dump_pretty.

#include <fmt/core.h>

#include <array>
#include <charconv>
#include <cmath>

#include "base/json.h"

namespace qbuild {
namespace {

// The length of the well-formed UTF-8 character at `at` (Unicode 15, table 3-7); 0 if it is none.
std::size_t character_bytes(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t i) -> unsigned {
    return at + i < text.size() ? static_cast<unsigned char>(text[at + i]) : 0U;
  };
  const auto continues = [&](std::size_t i) { return (byte(i) & 0xC0U) == 0x80U; };
  const unsigned first = byte(0);
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first <= 0xDF) return continues(1) ? 2 : 0;
  if (first >= 0xE0 && first <= 0xEF) {
    const bool overlong = first == 0xE0 && byte(1) < 0xA0;
    const bool surrogate = first == 0xED && byte(1) > 0x9F;
    return continues(1) && continues(2) && !overlong && !surrogate ? 3 : 0;
  }
  if (first >= 0xF0 && first <= 0xF4) {
    const bool overlong = first == 0xF0 && byte(1) < 0x90;
    const bool beyond = first == 0xF4 && byte(1) > 0x8F;
    return continues(1) && continues(2) && continues(3) && !overlong && !beyond ? 4 : 0;
  }
  return 0;
}

std::string_view short_escape(char c) {
  switch (c) {
    case '"':
      return "\\\"";
    case '\\':
      return "\\\\";
    case '\n':
      return "\\n";
    case '\r':
      return "\\r";
    case '\t':
      return "\\t";
    case '\b':
      return "\\b";
    case '\f':
      return "\\f";
    default:
      return "";
  }
}

void append_string(std::string& out, std::string_view text) {
  out.push_back('"');
  for (std::size_t at = 0; at < text.size();) {
    const char c = text[at];
    const std::string_view escape = short_escape(c);
    if (!escape.empty()) {
      out.append(escape);
      ++at;
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) {
      out += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
      ++at;
    } else if (const std::size_t length = character_bytes(text, at); length != 0) {
      out.append(text.substr(at, length));
      at += length;
    } else {
      // A file name or a tool's output may be any bytes; what is printed must be JSON all the same.
      out.append("\xEF\xBF\xBD");
      ++at;
    }
  }
  out.push_back('"');
}

void append_double(std::string& out, double value) {
  if (!std::isfinite(value)) {
    out.append("null");
    return;
  }
  std::array<char, 32> buffer{};
  const auto result = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value);
  const std::string_view digits(buffer.data(),
                                static_cast<std::size_t>(result.ptr - buffer.data()));
  out.append(digits);
  // Without a point it would be read back as an integer.
  if (digits.find_first_of(".e") == std::string_view::npos) out.append(".0");
}

// indent < 0: everything on one line.
class Writer {
 public:
  explicit Writer(int indent) : indent_(indent) {}

  void write(const Json& value, int level) {
    if (value.is_null()) {
      out_.append("null");
    } else if (value.is_bool()) {
      out_.append(value.as_bool() ? "true" : "false");
    } else if (value.is_int()) {
      out_.append(std::to_string(value.as_int()));
    } else if (value.is_number()) {
      append_double(out_, value.as_double());
    } else if (value.is_string()) {
      append_string(out_, value.as_string());
    } else if (value.is_array()) {
      write_array(value.as_array(), level);
    } else {
      write_object(value.as_object(), level);
    }
  }

  [[nodiscard]] std::string take() { return std::move(out_); }

 private:
  void write_array(const Json::Array& array, int level) {
    out_.push_back('[');
    bool first = true;
    for (const Json& element : array) {
      if (!first) out_.push_back(',');
      first = false;
      new_line(level + 1);
      write(element, level + 1);
    }
    if (!array.empty()) new_line(level);
    out_.push_back(']');
  }

  void write_object(const Json::Object& object, int level) {
    out_.push_back('{');
    bool first = true;
    for (const auto& [key, value] : object) {
      if (!first) out_.push_back(',');
      first = false;
      new_line(level + 1);
      append_string(out_, key);
      out_.append(indent_ < 0 ? ":" : ": ");
      write(value, level + 1);
    }
    if (!object.empty()) new_line(level);
    out_.push_back('}');
  }

  void new_line(int level) {
    if (indent_ < 0) return;
    out_.push_back('\n');
    out_.append(static_cast<std::size_t>(indent_) * static_cast<std::size_t>(level), ' ');
  }

  int indent_;
  std::string out_;
};

}  // namespace

std::string Json::dump() const {
  Writer writer(-1);
  writer.write(*this, 0);
  return writer.take();
}

std::string Json::dump_pretty() const {
  Writer writer(2);
  writer.write(*this, 0);
  return writer.take() + "\n";
}

}  // namespace qbuild
