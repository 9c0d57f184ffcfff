// Json::parse: the one place that knows the parsing library.

#include <fmt/core.h>

#include <iterator>
#include <nlohmann/json.hpp>
#include <unordered_set>

#include "base/error.h"
#include "base/json.h"

namespace qbuild {
namespace {

// "line:column" of a byte, both from 1; a column is a character, not a byte.
std::string place_of(std::string_view text, std::size_t offset) {
  std::size_t line = 1;
  std::size_t column = 1;
  for (const char c : text.substr(0, std::min(offset, text.size()))) {
    const bool continues_character = (static_cast<unsigned char>(c) & 0xC0U) == 0x80U;
    if (c == '\n') {
      ++line;
      column = 1;
    } else if (!continues_character) {
      ++column;
    }
  }
  return fmt::format("{}:{}", line, column);
}

[[noreturn]] void fail_at(std::string_view text, std::size_t offset, std::string_view what) {
  throw Error(ErrorKind::kInvalidInput, fmt::format("{}: {}", place_of(text, offset), what));
}

// Walks over the text and tells how far the parser has come: its callbacks do not.
class TrackedIterator {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  TrackedIterator(const char* at, const char** farthest) : at_(at), farthest_(farthest) {}
  const char& operator*() const { return *at_; }
  TrackedIterator& operator++() {
    *farthest_ = ++at_;
    return *this;
  }
  bool operator==(const TrackedIterator& other) const { return at_ == other.at_; }
  bool operator!=(const TrackedIterator& other) const { return at_ != other.at_; }

 private:
  const char* at_;
  const char** farthest_;
};

// Below this many members a walk over them is faster than a table.
constexpr std::size_t kFewMembers = 16;

// Makes a Json of the parser's callbacks, whose names and signatures are the library's.
class Builder {
 public:
  Builder(std::string_view text, const char* const* farthest) : text_(text), farthest_(farthest) {}

  [[nodiscard]] Json take() { return std::move(root_); }

  bool null() { return add(Json()); }
  bool boolean(bool value) { return add(Json(value)); }
  bool number_integer(std::int64_t value) { return add(Json(value)); }
  bool number_unsigned(std::uint64_t value) { return add(Json(value)); }
  bool number_float(double value, const std::string& /*text*/) { return add(Json(value)); }
  bool string(std::string& value) { return add(Json(std::move(value))); }
  bool binary(nlohmann::json::binary_t& /*value*/) { return false; }
  bool start_object(std::size_t /*size*/) { return open(Json::object()); }
  bool start_array(std::size_t /*size*/) { return open(Json::array()); }
  bool end_object() { return close(); }
  bool end_array() { return close(); }

  bool key(std::string& name) {
    Frame& frame = stack_.back();
    if (is_duplicate(frame, name)) {
      fail_at(text_, start_of_string_before(consumed()),
              fmt::format("\"{}\" is given twice", name));
    }
    frame.key = std::move(name);
    return true;
  }

  [[noreturn]] bool parse_error(std::size_t position, const std::string& /*last_token*/,
                                const nlohmann::json::exception& error) {
    // "[json.exception...] parse error at line 1, column 5: syntax error while parsing value -
    // WHAT; last read: '...'". What was read may be long or no UTF-8, and the place says the same.
    std::string what = error.what();
    for (const std::string_view before : {"] ", " - "}) {
      const std::size_t found = what.find(before);
      if (found != std::string::npos) what.erase(0, found + before.size());
    }
    what.erase(std::min(what.size(), what.find("; last read: '")));
    fail_at(text_, position == 0 ? 0 : position - 1, "invalid JSON: " + what);
  }

 private:
  struct Frame {
    Json value;
    std::string key;  // of the member that comes next
    std::unordered_set<std::string> seen;
  };

  [[nodiscard]] std::size_t consumed() const {
    return static_cast<std::size_t>(*farthest_ - text_.data());
  }

  // `end` is one past a closing quote.
  [[nodiscard]] std::size_t start_of_string_before(std::size_t end) const {
    std::size_t at = end - 1;
    while (at > 0) {
      --at;
      if (text_[at] != '"') continue;
      std::size_t escapes = 0;
      while (escapes < at && text_[at - 1 - escapes] == '\\') ++escapes;
      if (escapes % 2 == 0) return at;
    }
    return at;
  }

  static bool is_duplicate(Frame& frame, const std::string& name) {
    const Json::Object& members = std::as_const(frame.value).as_object();
    if (members.size() < kFewMembers) return frame.value.find(name) != nullptr;
    if (frame.seen.empty()) {
      for (const Json::Member& member : members) frame.seen.insert(member.first);
    }
    return !frame.seen.insert(name).second;
  }

  bool open(Json container) {
    if (stack_.size() == Json::kMaxDepth) {
      fail_at(text_, consumed() - 1, fmt::format("nested deeper than {} levels", Json::kMaxDepth));
    }
    stack_.push_back(Frame{std::move(container), "", {}});
    return true;
  }

  bool close() {
    Json done = std::move(stack_.back().value);
    stack_.pop_back();
    return add(std::move(done));
  }

  bool add(Json value) {
    if (stack_.empty()) {
      root_ = std::move(value);
      return true;
    }
    Frame& frame = stack_.back();
    if (frame.value.is_array()) {
      frame.value.as_array().push_back(std::move(value));
    } else {
      frame.value.as_object().emplace_back(std::move(frame.key), std::move(value));
    }
    return true;
  }

  std::string_view text_;
  const char* const* farthest_;
  std::vector<Frame> stack_;
  Json root_;
};

}  // namespace

Json Json::parse(std::string_view text) {
  const char* farthest = text.data();
  Builder builder(text, &farthest);
  const TrackedIterator begin(text.data(), &farthest);
  const TrackedIterator end(text.data() + text.size(), &farthest);
  nlohmann::json::sax_parse(begin, end, &builder);
  return builder.take();
}

}  // namespace qbuild
