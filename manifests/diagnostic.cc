#include "manifests/diagnostic.h"

#include <fmt/core.h>

#include "base/check.h"
#include "base/shown.h"

namespace qbuild::manifests {
namespace {

constexpr std::string_view kTokenPrefix = "hf_";
constexpr std::size_t kMinTokenBytes = 20;

bool is_token_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

// The end of the token whose prefix stands at `at`, or `at` if there is none.
std::size_t token_end(std::string_view text, std::size_t at) {
  std::size_t end = at + kTokenPrefix.size();
  while (end < text.size() && is_token_character(text[end])) ++end;
  return end - at - kTokenPrefix.size() >= kMinTokenBytes ? end : at;
}

std::string without_tokens(std::string message) {
  std::size_t at = 0;
  while ((at = message.find(kTokenPrefix, at)) != std::string::npos) {
    const std::size_t end = token_end(message, at);
    at += kTokenPrefix.size();
    if (end > at) message.replace(at, end - at, "...");
  }
  return message;
}

// Cut between characters.
std::string shortened(std::string message) {
  if (message.size() <= Diagnostics::kMaxMessageBytes) return message;
  std::size_t end = Diagnostics::kMaxMessageBytes;
  while (end > 0 && (static_cast<unsigned char>(message[end]) & 0xc0U) == 0x80U) --end;
  message.resize(end);
  return message + "...";
}

}  // namespace

std::string format(const Diagnostic& diagnostic) {
  if (diagnostic.line == 0) return fmt::format("{}: {}", diagnostic.file, diagnostic.message);
  return fmt::format("{}:{}:{}: {}", diagnostic.file, diagnostic.line, diagnostic.column,
                     diagnostic.message);
}

std::string format(std::span<const Diagnostic> diagnostics) {
  std::string text;
  for (const Diagnostic& diagnostic : diagnostics) {
    if (!text.empty()) text += '\n';
    text += format(diagnostic);
  }
  return text;
}

std::uint32_t Diagnostics::add_file(ManifestFile file) {
  file.name = spelled_out(file.name);
  files_.push_back(std::move(file));
  return static_cast<std::uint32_t>(files_.size() - 1);
}

void Diagnostics::add(const Place& at, std::string_view message) {
  check(at.file < files_.size(), "a diagnostic stands in a known file");
  if (is_full()) return;
  ++added_;
  found_.emplace(at, spelled_out(shortened(without_tokens(std::string(message)))));
}

std::string Diagnostics::place_text(const Place& at) const {
  check(at.file < files_.size(), "a place stands in a known file");
  return fmt::format("{}:{}:{}", files_[at.file].name, at.line, at.column);
}

std::vector<Diagnostic> Diagnostics::sorted() const {
  std::vector<Diagnostic> told;
  for (const auto& [at, message] : found_) {
    if (told.size() == kMaxTold) break;
    told.push_back({files_[at.file].name, at.line, at.column, message});
  }
  if (found_.size() > kMaxTold)
    told.push_back({told.back().file, 0, 0,
                    fmt::format("and {}{} more errors", is_full() ? "at least " : "",
                                found_.size() - kMaxTold)});
  return told;
}

bool is_about_the_path(const Error& error) {
  return error.kind() != ErrorKind::kTransient && error.kind() != ErrorKind::kCancelled &&
         error.kind() != ErrorKind::kInternal;
}

bool looks_like_token(std::string_view text) {
  for (std::size_t at = text.find(kTokenPrefix); at != std::string_view::npos;
       at = text.find(kTokenPrefix, at + 1))
    if (token_end(text, at) > at) return true;
  return false;
}

}  // namespace qbuild::manifests
