#pragma once
// A file that is made piece by piece (cache/piece.h), so that an attempt which is killed leaves
// what it finished to the next one. For rules that resume (RuleTraits::resumes), whose scratch
// folder may hold what earlier attempts left.
//
// Each attempt writes to a file of its own, NAME.UNIQUE, and lists in NAME.UNIQUE.pieces, a line
// each, the pieces whose bytes it has written. Nothing is renamed and nothing of an earlier attempt
// is written to, so an attempt that turns out to be still alive disturbs nobody. Nothing is
// flushed, and the folder may hold anything: whoever copies an earlier piece compares its checksum
// (cache::read_piece).

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/file_system.h"
#include "cache/piece.h"
#include "engine/donor.h"

namespace qbuild::engine {

// A longer journal is nobody's. Lines beyond cache::kMaxPieces are not looked at.
inline constexpr std::uint64_t kMaxJournalBytes =
    cache::kMaxPieces * (cache::kMaxPieceLineBytes + 1);
// So many attempts' files are kept: those with the most pieces. Two are enough where attempts
// finish their pieces in one order.
inline constexpr std::size_t kMaxEarlierAttempts = 4;
// Of a file's name, so that what is appended to it fits a folder's.
inline constexpr std::size_t kMaxPartialNameBytes = 200;

// Not for several threads at once.
class PartialPieces {
 public:
  // Reads what earlier attempts at `folder`/`name` left, removes what of it is of no use (files of
  // which others have every piece), and begins a new attempt. Never throws Error: a folder that
  // cannot be read is as good as an empty one, and where no journal can be written this attempt
  // leaves nothing to the next. The file system must outlive this.
  //   folder  the request's scratch
  //   name    of the file: one part, at most kMaxPartialNameBytes
  PartialPieces(FileSystem& files, const fs::path& folder, std::string_view name);

  // Where this attempt's file is to be written: nothing is there yet. It is what the rule returns
  // as ProducedFile::path.
  [[nodiscard]] const fs::path& path() const { return path_; }
  // What earlier attempts finished, those with the most pieces first. Each range lies in its file.
  [[nodiscard]] const std::vector<DonorFile>& earlier() const { return earlier_; }
  // The piece's bytes have been written to path(). Never throws Error.
  void note(const cache::Piece& piece);

 private:
  FileSystem& files_;
  fs::path path_;
  std::vector<DonorFile> earlier_;
  std::unique_ptr<WritableFile> journal_;  // null: none, or it could not be written to
};

}  // namespace qbuild::engine
