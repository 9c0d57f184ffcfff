#pragma once
// Pieces: byte ranges of an artifact's files, each named by a digest of everything that it was
// computed from. What one artifact holds under a name, the next one that needs the same copies
// instead of computing it. Nothing here knows what a piece means.
//
// A piece as text is one line, "KEY OFFSET SIZE CHECKSUM": in records (docs/store.md) and in the
// journals of unfinished files (engine/partial.h).

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/file_system.h"
#include "base/json.h"
#include "cache/artifact.h"

namespace qbuild::cache {

struct Piece {
  std::string key;               // 32 lower-case hex digits: XXH3-128 of what it was computed from
  std::uint64_t offset = 0;      // in its file
  std::uint64_t size_bytes = 0;  // never 0
  std::string checksum;          // 32 lower-case hex digits: XXH3-128 of its bytes
  bool operator==(const Piece&) const = default;
};

// Name of an artifact's file -> its pieces, sorted by offset.
using PieceTable = std::map<std::string, std::vector<Piece>>;

// Of all files of an artifact together: bounds what a reader allocates. The largest checkpoints
// have some ten thousand tensors.
inline constexpr std::size_t kMaxPieces = 100'000;
inline constexpr std::size_t kMaxPieceLineBytes = 32 + 1 + 20 + 1 + 20 + 1 + 32;

// Within which pieces may be shared: a lower-case hex digest, at most 128 digits.
[[nodiscard]] bool is_piece_scope(std::string_view scope);

// Without a newline.
[[nodiscard]] std::string piece_line(const Piece& piece);
// Nothing for any line that piece_line would not write, and for a range that has no end.
[[nodiscard]] std::optional<Piece> parse_piece_line(std::string_view line);

// Throws Error (kInvalidInput) unless every file is one of the artifact's and has pieces, which lie
// in it, in order and apart, and are kMaxPieces at most.
void check_pieces(const PieceTable& pieces, const Artifact& artifact);

// {file name: [line, ...], ...}.
[[nodiscard]] Json to_json(const PieceTable& pieces);
// Throws Error (kCorrupt) on what is no such table; check_pieces says whether it fits an artifact.
[[nodiscard]] PieceTable pieces_from_json(const Json& json);

// Hands the piece's bytes to `sink` (which may be empty), a window at a time. False: they cannot be
// read, end before, or have another checksum; what the sink got is then worth nothing. Throws what
// the sink throws, nothing else.
using PieceSink = std::function<void(Bytes bytes)>;
[[nodiscard]] bool read_piece(const ReadableFile& file, const Piece& piece, const PieceSink& sink);

}  // namespace qbuild::cache
