#include "engine/partial.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "base/check.h"
#include "base/error.h"
#include "base/text.h"

namespace qbuild::engine {
namespace {

constexpr std::string_view kJournalSuffix = ".pieces";
constexpr std::size_t kUniqueDigits = 32;
// Journals that are read at all. More are garbage, and go.
constexpr std::size_t kMaxJournals = 64;

// Whether `entry` is "NAME.UNIQUE" and what may follow.
bool belongs_to(std::string_view entry, std::string_view name) {
  if (entry.size() < name.size() + 1 + kUniqueDigits || !entry.starts_with(name)) return false;
  entry.remove_prefix(name.size());
  return entry.front() == '.' && is_lower_hex(entry.substr(1, kUniqueDigits));
}

// The pieces that a journal lists and that lie in a file of that size. Of two with one key the
// later; a last line without an end is torn.
std::vector<cache::Piece> parse_journal(std::string_view text, std::uint64_t file_bytes) {
  std::map<std::string, cache::Piece, std::less<>> pieces;
  for (std::size_t lines = 0; lines < cache::kMaxPieces; ++lines) {
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos) break;
    const std::optional<cache::Piece> piece = cache::parse_piece_line(text.substr(0, end));
    if (piece && piece->offset + piece->size_bytes <= file_bytes)
      pieces.insert_or_assign(piece->key, *piece);
    text.remove_prefix(end + 1);
  }
  std::vector<cache::Piece> sorted;
  sorted.reserve(pieces.size());
  for (auto& [key, piece] : pieces) sorted.push_back(std::move(piece));
  std::sort(sorted.begin(), sorted.end(),
            [](const auto& a, const auto& b) { return a.offset < b.offset; });
  return sorted;
}

// What an attempt left; without pieces if that is nothing.
DonorFile read_attempt(FileSystem& files, const fs::path& path) {
  DonorFile attempt{.path = path, .pieces = {}};
  try {
    const std::optional<FileStat> there = files.stat(path);
    if (!there || there->kind != FileStat::Kind::kRegular) return attempt;
    const std::string journal =
        read_file(files, path.string() + std::string(kJournalSuffix), kMaxJournalBytes);
    attempt.pieces = parse_journal(journal, there->size_bytes);
  } catch (const Error&) {
    attempt.pieces.clear();
  }
  return attempt;
}

void remove_if_possible(FileSystem& files, const fs::path& path) {
  try {
    files.remove(path);
  } catch (const Error&) {
    // It goes with the folder.
  }
}

// Those with the most pieces first, without those that add nothing to the ones before them.
std::vector<DonorFile> worth_keeping(std::vector<DonorFile> attempts) {
  std::sort(attempts.begin(), attempts.end(), [](const DonorFile& a, const DonorFile& b) {
    return a.pieces.size() != b.pieces.size() ? a.pieces.size() > b.pieces.size() : a.path < b.path;
  });
  std::vector<DonorFile> kept;
  std::set<std::string, std::less<>> keys;
  for (DonorFile& attempt : attempts) {
    if (kept.size() == kMaxEarlierAttempts) break;
    const std::size_t before = keys.size();
    for (const cache::Piece& piece : attempt.pieces) keys.insert(piece.key);
    if (keys.size() > before) kept.push_back(std::move(attempt));
  }
  return kept;
}

std::vector<DonorFile> take_over(FileSystem& files, const fs::path& folder, std::string_view name) {
  std::set<std::string> names;  // of attempts' files, whether journal, data or both are there
  std::vector<DonorFile> attempts;
  std::size_t pieces = 0;
  for (const std::string& entry : files.list(folder)) {
    if (!belongs_to(entry, name)) continue;
    const std::string attempt = entry.substr(0, name.size() + 1 + kUniqueDigits);
    if (entry != attempt && entry != attempt + std::string(kJournalSuffix)) continue;
    if (!names.insert(attempt).second) continue;
    if (names.size() > kMaxJournals || pieces > kMaxDonorPieces) continue;
    attempts.push_back(read_attempt(files, folder / attempt));
    pieces += attempts.back().pieces.size();
  }
  std::vector<DonorFile> kept = worth_keeping(std::move(attempts));
  for (const DonorFile& attempt : kept) names.erase(attempt.path.filename().string());
  for (const std::string& useless : names) {
    remove_if_possible(files, folder / useless);
    remove_if_possible(files, folder / (useless + std::string(kJournalSuffix)));
  }
  return kept;
}

}  // namespace

PartialPieces::PartialPieces(FileSystem& files, const fs::path& folder, std::string_view name)
    : files_(files) {
  check(!name.empty() && name.size() <= kMaxPartialNameBytes &&
            name.find('/') == std::string_view::npos,
        "a partial file has a name of one part that is not too long");
  path_ = folder / (std::string(name) + "." + unique_name());
  try {
    earlier_ = take_over(files_, folder, name);
  } catch (const Error&) {
    earlier_.clear();
  }
  try {
    journal_ = files_.create(path_.string() + std::string(kJournalSuffix), CreateMode::kExclusive);
  } catch (const Error&) {
    journal_ = nullptr;
  }
}

void PartialPieces::note(const cache::Piece& piece) {
  if (journal_ == nullptr) return;
  try {
    journal_->append(as_bytes(cache::piece_line(piece) + "\n"));
  } catch (const Error&) {
    journal_ = nullptr;
  }
}

}  // namespace qbuild::engine
