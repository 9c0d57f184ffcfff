#include "hub/git_attributes.h"

#include <fmt/core.h>

#include <algorithm>
#include <bitset>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>

namespace qbuild::hub {
namespace {

constexpr std::string_view kLfsAttributes = " filter=lfs diff=lfs merge=lfs -text\n";
constexpr std::size_t kBinarySampleBytes = 8000;
// Git passes over longer ones too.
constexpr std::size_t kMaxLineBytes = 2048;

constexpr const char* kDefaultPatterns[] = {"*.7z",          "*.arrow",
                                            "*.bin",         "*.bz2",
                                            "*.ckpt",        "*.ftz",
                                            "*.gz",          "*.h5",
                                            "*.joblib",      "*.lfs.*",
                                            "*.mlmodel",     "*.model",
                                            "*.msgpack",     "*.npy",
                                            "*.npz",         "*.onnx",
                                            "*.ot",          "*.parquet",
                                            "*.pb",          "*.pickle",
                                            "*.pkl",         "*.pt",
                                            "*.pth",         "*.rar",
                                            "*.safetensors", "saved_model/**/*",
                                            "*.tar.*",       "*.tar",
                                            "*.tflite",      "*.tgz",
                                            "*.wasm",        "*.xz",
                                            "*.zip",         "*.zst",
                                            "*tfevents*",    "*.gguf"};

struct Token {
  enum class Kind : std::uint8_t { kOneOf, kPart, kFolders, kAnything };
  Kind kind = Kind::kOneOf;
  std::bitset<256> set;  // of kOneOf
};

std::size_t index_of(char c) {
  return static_cast<unsigned char>(c);
}

Token literal(char c) {
  Token token;
  token.set.set(index_of(c));
  return token;
}

// One character that is no '/'.
Token any_character() {
  Token token;
  token.set.set();
  token.set.reset(index_of('/'));
  return token;
}

// "[...]" that starts at `at`; moves `at` behind it. Nothing, and `at` as it was, if it does not
// end.
std::optional<Token> character_class(std::string_view pattern, std::size_t& at) {
  std::size_t i = at + 1;
  const bool negated = i < pattern.size() && (pattern[i] == '!' || pattern[i] == '^');
  if (negated) ++i;
  Token token;
  for (bool first = true; i < pattern.size(); first = false) {
    if (pattern[i] == ']' && !first) {
      if (negated) token.set.flip();
      token.set.reset(index_of('/'));
      at = i + 1;
      return token;
    }
    if (pattern[i] == '\\' && i + 1 < pattern.size()) ++i;
    const std::size_t low = index_of(pattern[i++]);
    std::size_t high = low;
    if (i + 1 < pattern.size() && pattern[i] == '-' && pattern[i + 1] != ']') {
      high = index_of(pattern[i + 1]);
      i += 2;
    }
    for (std::size_t c = low; c <= high; ++c) token.set.set(c);
  }
  return std::nullopt;
}

// A run of stars that starts at `at`; moves `at` behind what it stands for.
Token stars(std::string_view pattern, std::size_t& at) {
  const std::size_t begin = at;
  while (at < pattern.size() && pattern[at] == '*') ++at;
  Token token;
  token.kind = Token::Kind::kPart;
  const bool at_part_start = begin == 0 || pattern[begin - 1] == '/';
  if (at - begin == 2 && at_part_start) {
    if (at == pattern.size()) token.kind = Token::Kind::kAnything;
    if (at < pattern.size() && pattern[at] == '/') {
      token.kind = Token::Kind::kFolders;
      ++at;
    }
  }
  return token;
}

std::vector<Token> tokens_of(std::string_view pattern) {
  std::vector<Token> tokens;
  for (std::size_t at = 0; at < pattern.size();) {
    const char c = pattern[at];
    if (c == '*') {
      tokens.push_back(stars(pattern, at));
      continue;
    }
    if (c == '[') {
      if (const std::optional<Token> token = character_class(pattern, at)) {
        tokens.push_back(*token);
        continue;
      }
    }
    const bool escaped = c == '\\' && at + 1 < pattern.size();
    tokens.push_back(c == '?' ? any_character() : literal(escaped ? pattern[at + 1] : c));
    at += escaped ? 2 : 1;
  }
  return tokens;
}

// From the last token to the first: rest[j] says whether the tokens so far match text from j on.
bool matches(const std::vector<Token>& tokens, std::string_view text) {
  const std::size_t length = text.size();
  std::vector<std::uint8_t> rest(length + 1, 0);
  rest[length] = 1;
  for (auto token = tokens.rbegin(); token != tokens.rend(); ++token) {
    std::vector<std::uint8_t> now(length + 1, 0);
    bool below = false;  // of kFolders: the rest matches behind some later '/'
    for (std::size_t j = length + 1; j-- > 0;) {
      const bool at_end = j == length;
      switch (token->kind) {
        case Token::Kind::kOneOf:
          now[j] = !at_end && token->set.test(index_of(text[j])) && rest[j + 1] != 0;
          break;
        case Token::Kind::kPart:
          now[j] = rest[j] != 0 || (!at_end && text[j] != '/' && now[j + 1] != 0);
          break;
        case Token::Kind::kAnything:
          now[j] = rest[j] != 0 || (!at_end && now[j + 1] != 0);
          break;
        case Token::Kind::kFolders:
          if (!at_end && text[j] == '/' && rest[j + 1] != 0) below = true;
          now[j] = rest[j] != 0 || below;
          break;
      }
    }
    rest = std::move(now);
    // Most patterns end in letters that most paths do not.
    if (std::find(rest.begin(), rest.end(), 1) == rest.end()) return false;
  }
  return rest[0] != 0;
}

// Takes the pattern off the front of a line, C-style quotes undone.
std::string take_pattern(std::string_view& line) {
  std::string pattern;
  if (line.empty() || line.front() != '"') {
    const std::size_t end = std::min(line.find_first_of(" \t"), line.size());
    pattern = line.substr(0, end);
    line.remove_prefix(end);
    return pattern;
  }
  std::size_t at = 1;
  for (; at < line.size() && line[at] != '"'; ++at) {
    if (line[at] == '\\' && at + 1 < line.size()) ++at;
    pattern.push_back(line[at]);
  }
  line.remove_prefix(std::min(at + 1, line.size()));
  return pattern;
}

// The last word about the filter in a line's attributes, or nothing.
std::optional<bool> filter_of(std::string_view attributes) {
  std::optional<bool> lfs;
  while (!attributes.empty()) {
    const std::size_t begin = attributes.find_first_not_of(" \t\r");
    if (begin == std::string_view::npos) break;
    attributes.remove_prefix(begin);
    const std::size_t end = std::min(attributes.find_first_of(" \t\r"), attributes.size());
    const std::string_view word = attributes.substr(0, end);
    attributes.remove_prefix(end);
    if (word == "filter=lfs") {
      lfs = true;
    } else if (word == "filter" || word == "-filter" || word == "!filter" ||
               word.substr(0, 7) == "filter=") {
      lfs = false;
    }
  }
  return lfs;
}

}  // namespace

std::string default_git_attributes() {
  std::string text;
  for (const char* pattern : kDefaultPatterns) {
    text += pattern;
    text += kLfsAttributes;
  }
  return text;
}

GitAttributes::GitAttributes(std::string_view text) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    const std::size_t begin = line.find_first_not_of(" \t");
    if (begin == std::string_view::npos || line[begin] == '#') continue;
    if (line.size() > kMaxLineBytes) continue;
    line.remove_prefix(begin);
    std::string pattern = take_pattern(line);
    if (const std::optional<bool> lfs = filter_of(line))
      lines_.push_back({.pattern = std::move(pattern), .lfs = *lfs});
  }
}

bool GitAttributes::is_lfs(std::string_view path) const {
  for (auto line = lines_.rbegin(); line != lines_.rend(); ++line) {
    if (attribute_pattern_matches(line->pattern, path)) return line->lfs;
  }
  return false;
}

std::string attributes_line(std::string_view path) {
  std::string pattern;
  const bool quotes = path.find_first_of(" \"#!") != std::string_view::npos;
  for (const char c : path) {
    if (c == '*' || c == '?' || c == '[' || c == '\\') pattern.push_back('\\');
    pattern.push_back(c);
  }
  if (!quotes) return pattern + std::string(kLfsAttributes);
  std::string quoted = "\"";
  for (const char c : pattern) {
    if (c == '"' || c == '\\') quoted.push_back('\\');
    quoted.push_back(c);
  }
  return quoted + "\"" + std::string(kLfsAttributes);
}

bool attribute_pattern_matches(std::string_view pattern, std::string_view path) {
  if (pattern.empty()) return false;
  if (pattern.find('/') == std::string_view::npos)
    return matches(tokens_of(pattern), path.substr(path.rfind('/') + 1));
  if (pattern.front() == '/') pattern.remove_prefix(1);
  return matches(tokens_of(pattern), path);
}

bool looks_binary(std::string_view bytes) {
  return bytes.substr(0, kBinarySampleBytes).find('\0') != std::string_view::npos;
}

std::string lfs_pointer(const Digest& sha256, std::uint64_t size_bytes) {
  return fmt::format("version https://git-lfs.github.com/spec/v1\noid sha256:{}\nsize {}\n",
                     sha256.hex(), size_bytes);
}

}  // namespace qbuild::hub
