#include "models/added_tokens.h"

#include <algorithm>
#include <string>
#include <utility>

#include "models/unicode.h"

namespace qbuild::models {
namespace {

using formats::AddedToken;

bool stands_alone(std::string_view text, std::size_t at, std::size_t size) {
  return !ends_with_word_character(text.substr(0, at)) &&
         !begins_with_word_character(text.substr(at + size));
}

std::size_t common_bytes(std::string_view a, std::string_view b) {
  const std::size_t most = std::min(a.size(), b.size());
  const auto differ =
      std::mismatch(a.begin(), a.begin() + static_cast<std::ptrdiff_t>(most), b.begin());
  return static_cast<std::size_t>(differ.first - a.begin());
}

}  // namespace

AddedTokens::AddedTokens(std::vector<AddedToken> tokens) : tokens_(std::move(tokens)) {
  std::erase_if(tokens_, [](const AddedToken& token) { return token.content.empty(); });
  std::sort(tokens_.begin(), tokens_.end(), [](const AddedToken& a, const AddedToken& b) {
    const int compared = a.content.compare(b.content);
    return compared != 0 ? compared < 0 : a.id < b.id;
  });
  const auto end =
      std::unique(tokens_.begin(), tokens_.end(),
                  [](const AddedToken& a, const AddedToken& b) { return a.content == b.content; });
  tokens_.erase(end, tokens_.end());

  beginnings_.reserve(tokens_.size());
  std::vector<std::uint32_t> open;  // each begins with those before it
  for (std::uint32_t i = 0; i < tokens_.size(); ++i) {
    const std::string& content = tokens_[i].content;
    first_bytes_[static_cast<unsigned char>(content[0])] = true;
    while (!open.empty() && !content.starts_with(tokens_[open.back()].content)) open.pop_back();
    beginnings_.push_back(open.empty() ? kNone : open.back());
    open.push_back(i);
  }
}

const AddedToken* AddedTokens::find(std::string_view text, std::size_t at) const {
  if (!first_bytes_[static_cast<unsigned char>(text[at])]) return nullptr;
  const std::string_view rest = text.substr(at);
  const auto behind = std::upper_bound(
      tokens_.begin(), tokens_.end(), rest,
      [](std::string_view r, const AddedToken& token) { return r < token.content; });
  if (behind == tokens_.begin()) return nullptr;
  // A token that `rest` begins with is this one, or this one begins with it: it sorts between both.
  auto candidate = static_cast<std::uint32_t>(behind - tokens_.begin() - 1);
  const std::size_t common = common_bytes(tokens_[candidate].content, rest);
  for (; candidate != kNone; candidate = beginnings_[candidate]) {
    const AddedToken& token = tokens_[candidate];
    if (token.content.size() > common) continue;
    if (token.single_word && !stands_alone(text, at, token.content.size())) continue;
    return &token;
  }
  return nullptr;
}

}  // namespace qbuild::models
