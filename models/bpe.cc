#include "models/bpe.h"

#include <fmt/core.h>

#include <array>
#include <queue>

#include "base/error.h"
#include "base/shown.h"

namespace qbuild::models {
namespace {

constexpr bool spells_itself(unsigned byte) {
  return (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
}

// The code point of each byte.
constexpr std::array<std::uint16_t, 256> make_spelling() {
  std::array<std::uint16_t, 256> spelling{};
  std::uint16_t next = 0x100;
  for (unsigned byte = 0; byte < 256; ++byte)
    spelling[byte] = spells_itself(byte) ? static_cast<std::uint16_t>(byte) : next++;
  return spelling;
}
constexpr auto kSpelling = make_spelling();
constexpr unsigned kLastSpelled = 0x100 + 68;

// All spellings are below U+0800.
void append_code_point(std::string& out, unsigned code_point) {
  if (code_point < 0x80) {
    out += static_cast<char>(code_point);
  } else {
    out += static_cast<char>(0xc0 | code_point >> 6);
    out += static_cast<char>(0x80 | (code_point & 0x3f));
  }
}

std::array<int, kLastSpelled> make_reverse() {
  std::array<int, kLastSpelled> reverse{};
  reverse.fill(-1);
  for (unsigned byte = 0; byte < 256; ++byte) reverse[kSpelling[byte]] = static_cast<int>(byte);
  return reverse;
}

std::size_t character_bytes(unsigned char lead) {
  if (lead < 0x80) return 1;
  if (lead < 0xe0) return 2;
  return lead < 0xf0 ? 3 : 4;
}

std::uint64_t pair_key(std::int32_t left, std::int32_t right) {
  return static_cast<std::uint64_t>(static_cast<std::uint32_t>(left)) << 32 |
         static_cast<std::uint32_t>(right);
}

// One piece of a word under way; pieces form a linked list.
struct Piece {
  std::int32_t id = -1;
  int previous = -1;
  int next = -1;
};

// A merge that was possible when it was queued. It is stale if its pieces changed since.
struct Candidate {
  std::uint32_t rank;
  int left;
  std::int32_t left_id;
  std::int32_t right_id;
  std::int32_t result;
  bool operator>(const Candidate& other) const {
    return rank != other.rank ? rank > other.rank : left > other.left;
  }
};

}  // namespace

std::string spell_bytes(std::string_view bytes) {
  std::string spelled;
  spelled.reserve(bytes.size() * 2);
  for (const char c : bytes) append_code_point(spelled, kSpelling[static_cast<unsigned char>(c)]);
  return spelled;
}

std::string unspell_bytes(std::string_view spelled) {
  static const auto kReverse = make_reverse();
  std::string bytes;
  for (std::size_t i = 0; i < spelled.size();) {
    const auto lead = static_cast<unsigned char>(spelled[i]);
    unsigned code_point = lead;
    std::size_t length = 1;
    if (lead >= 0xc0 && lead < 0xe0 && i + 1 < spelled.size()) {
      code_point = (lead & 0x1fu) << 6 | (static_cast<unsigned char>(spelled[i + 1]) & 0x3fu);
      length = 2;
    } else if (lead >= 0x80) {
      code_point = kLastSpelled;
    }
    if (code_point < kLastSpelled && kReverse[code_point] >= 0)
      bytes += static_cast<char>(kReverse[code_point]);
    else
      bytes += spelled.substr(i, length);
    i += length;
  }
  return bytes;
}

Bpe::Bpe(const std::vector<std::string>& tokens,
         const std::vector<std::pair<std::string, std::string>>& merges, bool ignore_merges)
    : ignore_merges_(ignore_merges) {
  ids_.reserve(tokens.size());
  for (std::size_t id = 0; id < tokens.size(); ++id)
    if (!tokens[id].empty()) ids_.emplace(tokens[id], static_cast<std::int32_t>(id));
  merges_.reserve(merges.size());
  for (std::size_t rank = 0; rank < merges.size(); ++rank) {
    const auto& [left, right] = merges[rank];
    const std::int32_t left_id = find(left);
    const std::int32_t right_id = find(right);
    const std::int32_t result = find(left + right);
    if (left_id < 0 || right_id < 0 || result < 0)
      throw Error(
          ErrorKind::kInvalidInput,
          fmt::format("merge {} (\"{}\" and \"{}\") names a token that is not in the vocabulary",
                      rank, shown(left), shown(right)));
    merges_.emplace(pair_key(left_id, right_id), Merge{static_cast<std::uint32_t>(rank), result});
  }
}

std::int32_t Bpe::find(std::string_view token) const {
  const auto found = ids_.find(token);
  return found == ids_.end() ? -1 : found->second;
}

void Bpe::encode_word(std::string_view word, std::vector<std::int32_t>& ids) const {
  if (ignore_merges_)
    if (const std::int32_t whole = find(word); whole >= 0) return ids.push_back(whole);
  std::vector<Piece> pieces;
  for (std::size_t i = 0; i < word.size();) {
    const std::size_t length =
        std::min(character_bytes(static_cast<unsigned char>(word[i])), word.size() - i);
    if (const std::int32_t id = find(word.substr(i, length)); id >= 0) {
      const int index = static_cast<int>(pieces.size());
      pieces.push_back({id, index - 1, -1});
      if (index > 0) pieces[static_cast<std::size_t>(index - 1)].next = index;
    }
    i += length;
  }
  if (pieces.empty()) return;
  std::priority_queue<Candidate, std::vector<Candidate>, std::greater<>> queue;
  const auto at = [&](int index) -> Piece& { return pieces[static_cast<std::size_t>(index)]; };
  const auto consider = [&](int left) {
    if (left < 0 || at(left).next < 0) return;
    const std::int32_t left_id = at(left).id;
    const std::int32_t right_id = at(at(left).next).id;
    const auto merge = merges_.find(pair_key(left_id, right_id));
    if (merge != merges_.end())
      queue.push({merge->second.rank, left, left_id, right_id, merge->second.result});
  };
  for (int i = 0; i + 1 < static_cast<int>(pieces.size()); ++i) consider(i);
  while (!queue.empty()) {
    const Candidate best = queue.top();
    queue.pop();
    Piece& left = at(best.left);
    if (left.id != best.left_id || left.next < 0 || at(left.next).id != best.right_id) continue;
    Piece& right = at(left.next);
    left.id = best.result;
    right.id = -1;
    left.next = right.next;
    if (left.next >= 0) at(left.next).previous = best.left;
    consider(left.previous);
    consider(best.left);
  }
  for (int i = 0; i >= 0; i = at(i).next) ids.push_back(at(i).id);
}

}  // namespace qbuild::models
