#include "formats/model_card.h"

#include <fmt/core.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <charconv>
#include <cmath>
#include <set>
#include <sstream>

#include "base/error.h"
#include "base/shown.h"
#include "base/text.h"

namespace qbuild::formats {
namespace {

[[noreturn]] void fail(int line, int column, const std::string& what) {
  throw Error(ErrorKind::kInvalidInput,
              fmt::format("front matter: {}:{}: {}", line + 2, column + 1, what));
}

// Code points that never are characters, such as U+FFFF: the library writes another one in their
// place.
bool holds_a_noncharacter(std::string_view utf8) {
  const auto at = [&](std::size_t i) -> unsigned {
    return i < utf8.size() ? static_cast<unsigned char>(utf8[i]) : 0u;
  };
  for (std::size_t i = 0; i < utf8.size(); ++i) {
    if (at(i) == 0xEF && at(i + 1) == 0xB7 && at(i + 2) >= 0x90 && at(i + 2) <= 0xAF) return true;
    if (at(i) == 0xEF && at(i + 1) == 0xBF && at(i + 2) >= 0xBE) return true;
    if (at(i) >= 0xF0 && (at(i + 1) & 0x0FU) == 0x0F && at(i + 2) == 0xBF && at(i + 3) >= 0xBE)
      return true;
  }
  return false;
}

// What a plain scalar means in YAML's core schema.
Json plain_value(const std::string& text) {
  if (text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL") return {};
  if (text == "true" || text == "True" || text == "TRUE") return Json(true);
  if (text == "false" || text == "False" || text == "FALSE") return Json(false);
  const char* const end = text.data() + text.size();
  std::int64_t integer = 0;
  if (const auto parsed = std::from_chars(text.data(), end, integer);
      parsed.ec == std::errc{} && parsed.ptr == end)
    return Json(integer);
  double number = 0;
  const bool looks_numeric = text.find_first_not_of("0123456789+-.eE") == std::string::npos;
  if (const auto parsed = std::from_chars(text.data(), end, number);
      looks_numeric && parsed.ec == std::errc{} && parsed.ptr == end && std::isfinite(number))
    return Json(number);
  return Json(text);
}

// Builds a value from the parser's events, so that duplicates and aliases are seen and growth is
// bounded.
class Builder final : public YAML::EventHandler {
 public:
  void OnDocumentStart(const YAML::Mark& /*mark*/) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t /*anchor*/) override { put(mark, Json()); }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t /*anchor*/) override {
    fail(mark.line, mark.column, "aliases are not read here");
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t /*anchor*/,
                const std::string& value) override {
    if (!is_utf8(value)) fail(mark.line, mark.column, "this is not UTF-8");
    if (holds_a_noncharacter(value))
      fail(mark.line, mark.column, "this holds a code point that is no character");
    put(mark, tag == "!" || tag == "!!str" ? Json(value) : plain_value(value), &value);
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& /*tag*/,
                       YAML::anchor_t /*anchor*/, YAML::EmitterStyle::value /*style*/) override {
    open(mark, Json::array());
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& /*tag*/, YAML::anchor_t /*anchor*/,
                  YAML::EmitterStyle::value /*style*/) override {
    open(mark, Json::object());
  }
  void OnMapEnd() override { close(); }

  Json root;

 private:
  struct Level {
    Json value;
    std::string key;
    bool has_key = false;
    std::set<std::string, std::less<>> keys;  // those that were there
  };

  void count(const YAML::Mark& mark) {
    if (++nodes_ > kMaxFrontMatterNodes) fail(mark.line, mark.column, "too many values");
  }

  void put(const YAML::Mark& mark, Json value, const std::string* text = nullptr) {
    count(mark);
    if (levels_.empty()) {
      root = std::move(value);
      return;
    }
    Level& level = levels_.back();
    if (level.value.is_array()) return level.value.push_back(std::move(value));
    if (!level.has_key) {
      if (text == nullptr) fail(mark.line, mark.column, "a key must be a word");
      if (!level.keys.insert(*text).second)
        fail(mark.line, mark.column, fmt::format("the key \"{}\" twice", shown(*text)));
      level.key = *text;
      level.has_key = true;
      return;
    }
    level.value.as_object().emplace_back(std::move(level.key), std::move(value));
    level.has_key = false;
  }

  void open(const YAML::Mark& mark, Json value) {
    if (levels_.size() >= Json::kMaxDepth) fail(mark.line, mark.column, "nested too deeply");
    if (!levels_.empty() && levels_.back().value.is_object() && !levels_.back().has_key)
      fail(mark.line, mark.column, "a key must be a word");
    count(mark);
    levels_.push_back({std::move(value), {}, false, {}});
  }

  void close() {
    Json done = std::move(levels_.back().value);
    levels_.pop_back();
    put(YAML::Mark(), std::move(done));
  }

  std::vector<Level> levels_;
  std::size_t nodes_ = 0;
};

void emit(YAML::Emitter& out, const Json& value);

void emit_string(YAML::Emitter& out, const std::string& text) {
  // Quoted unless it is a word that nothing could take for something else.
  const bool plain = !text.empty() && plain_value(text) == Json(text) &&
                     text.find_first_not_of(
                         "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./ ") ==
                         std::string::npos &&
                     ((text[0] >= 'a' && text[0] <= 'z') || (text[0] >= 'A' && text[0] <= 'Z')) &&
                     text.back() != ' ';
  // YAML 1.1 readers, Python's among them, take these for truth values.
  const bool truth = text == "yes" || text == "Yes" || text == "YES" || text == "no" ||
                     text == "No" || text == "NO" || text == "on" || text == "On" || text == "ON" ||
                     text == "off" || text == "Off" || text == "OFF" || text == "y" ||
                     text == "Y" || text == "n" || text == "N";
  if (plain && !truth)
    out << text;
  else
    out << YAML::DoubleQuoted << text;
}

// YAML takes no more than 1,024 characters before a colon for a key, escapes included.
bool needs_a_question_mark(std::string_view key) {
  constexpr std::size_t kSafe = 1000;
  std::size_t characters = 2;
  for (const char c : key) {
    const auto byte = static_cast<unsigned char>(c);
    const bool is_escaped = byte < ' ' || byte == 0x7F || byte >= 0x80;
    characters += is_escaped ? 4 : c == '"' || c == '\\' ? 2 : 1;
  }
  return characters > kSafe;
}

void emit(YAML::Emitter& out, const Json& value) {
  if (value.is_null()) {
    out << YAML::Null;
  } else if (value.is_string()) {
    emit_string(out, value.as_string());
  } else if (value.is_array()) {
    out << YAML::BeginSeq;
    for (const Json& item : value.as_array()) emit(out, item);
    out << YAML::EndSeq;
  } else if (value.is_object()) {
    out << YAML::BeginMap;
    for (const auto& [key, item] : value.as_object()) {
      if (needs_a_question_mark(key)) out << YAML::LongKey;
      out << YAML::Key;
      emit_string(out, key);
      out << YAML::Value;
      emit(out, item);
    }
    out << YAML::EndMap;
  } else {
    out << value.dump();  // numbers and booleans are spelled alike in JSON and YAML
  }
}

}  // namespace

Json read_front_matter(std::string_view readme) {
  constexpr std::string_view kFence = "---";
  if (readme.starts_with("\xef\xbb\xbf")) readme.remove_prefix(3);
  const auto first_end = readme.find('\n');
  if (first_end == std::string_view::npos) return Json::object();
  std::string_view first = readme.substr(0, first_end);
  if (first.ends_with('\r')) first.remove_suffix(1);
  if (first != kFence) return Json::object();
  const std::string_view rest = readme.substr(first_end + 1);
  std::size_t end = std::string_view::npos;
  for (std::size_t at = 0; at < rest.size();) {
    const auto newline = std::min(rest.find('\n', at), rest.size());
    std::string_view line = rest.substr(at, newline - at);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line == kFence) {
      end = at;
      break;
    }
    at = newline + 1;
  }
  if (end == std::string_view::npos) return Json::object();
  if (end > kMaxFrontMatterBytes)
    throw Error(ErrorKind::kExhausted, fmt::format("front matter: {} bytes; at most {} are read",
                                                   end, kMaxFrontMatterBytes));
  std::istringstream text{std::string(rest.substr(0, end))};
  Builder builder;
  try {
    YAML::Parser parser(text);
    (void)parser.HandleNextDocument(builder);
  } catch (const YAML::Exception& error) {
    fail(error.mark.line, error.mark.column, shown(error.msg));
  }
  if (builder.root.is_null()) return Json::object();
  if (!builder.root.is_object()) fail(0, 0, "it is no mapping");
  return std::move(builder.root);
}

std::string emit_front_matter(const Json& object) {
  YAML::Emitter out;
  emit(out, object);
  return fmt::format("---\n{}\n---\n", out.c_str());
}

}  // namespace qbuild::formats
