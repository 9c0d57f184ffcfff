// Json::parse: the one place that knows the parsing library.

#include <fmt/core.h>

#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>
#include <numeric>
#include <utility>

#include "base/error.h"
#include "base/json.h"
#include "base/shown.h"

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

constexpr std::string_view kNumberSigns = "0123456789+-.eE";

// One past the closing quote of the text whose opening quote is at `quote`.
std::size_t end_of_string(std::string_view text, std::size_t quote) {
  for (std::size_t at = text.find('"', quote + 1); at < text.size(); at = text.find('"', at + 1)) {
    std::size_t escapes = 0;
    while (text[at - 1 - escapes] == '\\') ++escapes;
    if (escapes % 2 == 0) return at + 1;
  }
  return text.size();
}

// The library holds what it reads of a string or a number twice, and copies it into its messages.
void refuse_long_tokens(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    if (text[at] == '"') {
      const std::size_t end = end_of_string(text, at);
      if (end - at > Json::kMaxStringBytes)
        fail_at(text, at, fmt::format("a string of more than {} bytes", Json::kMaxStringBytes));
      at = end;
    } else if (text[at] == '-' || (text[at] >= '0' && text[at] <= '9')) {
      const std::size_t end = std::min(text.find_first_not_of(kNumberSigns, at), text.size());
      if (end - at > Json::kMaxNumberBytes)
        fail_at(text, at, fmt::format("a number of more than {} bytes", Json::kMaxNumberBytes));
      at = end;
    } else {
      ++at;
    }
  }
}

// Among the first members a duplicate is looked for at once, among many when the object ends: a
// table by hash would be at the mercy of whoever chooses the names.
constexpr std::size_t kFewMembers = 16;
// What grew by doubling gives back what it does not need, where copying it costs little.
constexpr std::size_t kSmallContainer = 64;
// What the heap keeps beside each block.
constexpr std::uint64_t kBlockBytes = 16;
constexpr std::size_t kShortStringBytes = 15;  // lie within the string itself
// A longer string is taken over from the parser, a shorter one copied, so that the parser keeps its
// buffer.
constexpr std::size_t kLongStringBytes = 1U << 16U;

// Makes a Json of the parser's callbacks, whose names and signatures are the library's.
class Builder {
 public:
  Builder(std::string_view text, const char* const* farthest, std::uint64_t max_memory_bytes)
      : text_(text), farthest_(farthest), max_memory_bytes_(max_memory_bytes) {}

  [[nodiscard]] Json take() { return std::move(root_); }

  bool null() { return add(Json()); }
  bool boolean(bool value) { return add(Json(value)); }
  bool number_integer(std::int64_t value) { return add(Json(value)); }
  bool number_unsigned(std::uint64_t value) { return add(Json(value)); }
  bool number_float(double value, const std::string& /*text*/) { return add(Json(value)); }
  bool string(std::string& value) { return add(Json(take_text(value))); }
  bool binary(nlohmann::json::binary_t& /*value*/) { return false; }
  bool start_object(std::size_t /*size*/) { return open(Json::object()); }
  bool start_array(std::size_t /*size*/) { return open(Json::array()); }
  bool end_object() {
    refuse_duplicate(stack_.back());
    return close(stack_.back().value.as_object());
  }
  bool end_array() { return close(stack_.back().value.as_array()); }

  bool key(std::string& name) {
    Frame& frame = stack_.back();
    if (std::as_const(frame.value).as_object().size() >= kFewMembers)
      frame.later_names.push_back(consumed());
    else if (frame.value.find(name) != nullptr)
      fail_duplicate(name, consumed());
    frame.key = take_text(name);
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
    fail_at(text_, position == 0 ? 0 : position - 1, "invalid JSON: " + shown(what));
  }

 private:
  struct Frame {
    Json value;
    std::string key;  // of the member that comes next
    // Behind the first kFewMembers: where in the text each member's name ends.
    std::vector<std::size_t> later_names;
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

  [[noreturn]] void fail_duplicate(std::string_view name, std::size_t name_end) const {
    fail_at(text_, start_of_string_before(name_end),
            fmt::format("\"{}\" is given twice", shown(name)));
  }

  // Of several the one that stands first in the text.
  void refuse_duplicate(const Frame& frame) const {
    if (frame.later_names.empty()) return;
    const Json::Object& members = frame.value.as_object();
    // Sorted mostly by numbers that lie side by side, and seldom by names that lie anywhere.
    std::vector<std::pair<std::uint64_t, std::uint32_t>> order;
    order.reserve(members.size());
    for (std::uint32_t i = 0; i < members.size(); ++i)
      order.emplace_back(beginning_of(members[i].first), i);
    const auto compare = [&](const auto& a, const auto& b) {
      if (a.first != b.first) return a.first < b.first ? -1 : 1;
      return members[a.second].first.compare(members[b.second].first);
    };
    std::sort(order.begin(), order.end(), [&](const auto& a, const auto& b) {
      const int compared = compare(a, b);
      return compared != 0 ? compared < 0 : a.second < b.second;
    });
    std::size_t first = members.size();
    for (std::size_t i = 1; i < order.size(); ++i) {
      if (compare(order[i - 1], order[i]) == 0)
        first = std::min<std::size_t>(first, order[i].second);
    }
    if (first < members.size())
      fail_duplicate(members[first].first, frame.later_names.at(first - kFewMembers));
  }

  // The first bytes of a name as a number.
  static std::uint64_t beginning_of(std::string_view name) {
    std::uint64_t beginning = 0;
    for (std::size_t i = 0; i < std::min<std::size_t>(name.size(), 8); ++i)
      beginning = beginning << 8U | static_cast<unsigned char>(name[i]);
    return beginning;
  }

  void charge(std::uint64_t bytes) {
    memory_bytes_ += bytes;
    if (memory_bytes_ <= max_memory_bytes_) return;
    throw Error(ErrorKind::kExhausted,
                fmt::format("{}: its values up to here take more than {} bytes of memory",
                            place_of(text_, consumed() - 1), max_memory_bytes_));
  }

  std::string take_text(std::string& text) {
    if (text.size() > kShortStringBytes) charge(text.size() + 1 + kBlockBytes);
    std::string kept;
    if (text.size() > kLongStringBytes)
      kept.swap(text);
    else
      kept.assign(text);
    return kept;
  }

  bool open(Json container) {
    if (stack_.size() == Json::kMaxDepth) {
      fail_at(text_, consumed() - 1, fmt::format("nested deeper than {} levels", Json::kMaxDepth));
    }
    charge(kBlockBytes);
    stack_.push_back(Frame{std::move(container), "", {}});
    return true;
  }

  template <typename Container>
  bool close(Container& elements) {
    if (elements.size() <= kSmallContainer) {
      memory_bytes_ -= (elements.capacity() - elements.size()) * sizeof(elements[0]);
      elements.shrink_to_fit();
    }
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
      make_room(frame.value.as_array()).push_back(std::move(value));
    } else {
      make_room(frame.value.as_object()).emplace_back(std::move(frame.key), std::move(value));
    }
    return true;
  }

  // For one element more. What it grows to is there at once, beside what it grows from.
  template <typename Container>
  Container& make_room(Container& elements) {
    if (elements.size() < elements.capacity()) return elements;
    const std::size_t grown = elements.empty() ? 1 : 2 * elements.capacity();
    charge((grown - elements.capacity()) * sizeof(elements[0]));
    elements.reserve(grown);
    return elements;
  }

  std::string_view text_;
  const char* const* farthest_;
  std::uint64_t max_memory_bytes_;
  std::uint64_t memory_bytes_ = 0;
  std::vector<Frame> stack_;
  Json root_;
};

}  // namespace

Json Json::parse(std::string_view text, std::uint64_t max_memory_bytes) {
  refuse_long_tokens(text);
  const char* farthest = text.data();
  Builder builder(text, &farthest, max_memory_bytes);
  const TrackedIterator begin(text.data(), &farthest);
  const TrackedIterator end(text.data() + text.size(), &farthest);
  nlohmann::json::sax_parse(begin, end, &builder);
  // The library takes a zero byte for the end and would leave unread what stands behind it.
  if (const std::size_t zero = text.find('\0'); zero != std::string_view::npos)
    fail_at(text, zero, "invalid JSON: a zero byte");
  return builder.take();
}

}  // namespace qbuild
