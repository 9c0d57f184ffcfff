#include "cache/piece.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "base/digest.h"
#include "base/error.h"
#include "base/shown.h"
#include "base/text.h"

namespace qbuild::cache {
namespace {

constexpr std::size_t kDigits = 32;
constexpr std::size_t kMaxScopeDigits = 128;
constexpr std::uint64_t kWindowBytes = 1u << 20;

[[noreturn]] void refuse(std::string message) {
  throw Error(ErrorKind::kInvalidInput, "pieces: " + std::move(message));
}
[[noreturn]] void corrupt(std::string message) {
  throw Error(ErrorKind::kCorrupt, "pieces: " + std::move(message));
}

bool is_xxh3(std::string_view text) {
  return text.size() == kDigits && is_lower_hex(text);
}

// As fmt prints it: digits alone, none too many.
std::optional<std::uint64_t> number_of(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  if (text.size() > 1 && text.front() == '0') return std::nullopt;
  return value;
}

bool is_sound(const Piece& piece) {
  return is_xxh3(piece.key) && is_xxh3(piece.checksum) && piece.size_bytes > 0 &&
         checked_add(piece.offset, piece.size_bytes).has_value();
}

void check_file(const std::vector<Piece>& pieces, const FileEntry& file) {
  std::uint64_t end = 0;  // of what came before
  for (const Piece& piece : pieces) {
    if (!is_sound(piece)) refuse(fmt::format("\"{}\" has one that is none", shown(file.name)));
    if (piece.offset < end)
      refuse(fmt::format("those of \"{}\" overlap or are out of order at byte {}", shown(file.name),
                         piece.offset));
    end = piece.offset + piece.size_bytes;
    if (end > file.size_bytes)
      refuse(fmt::format("one of \"{}\" ends at byte {}, the file has {}", shown(file.name), end,
                         file.size_bytes));
  }
}

void require_count(std::size_t count) {
  if (count > kMaxPieces)
    refuse(fmt::format("{} are more than the {} that an artifact may have", count, kMaxPieces));
}

}  // namespace

bool is_piece_scope(std::string_view scope) {
  return is_lower_hex(scope) && scope.size() <= kMaxScopeDigits;
}

std::string piece_line(const Piece& piece) {
  return fmt::format("{} {} {} {}", piece.key, piece.offset, piece.size_bytes, piece.checksum);
}

std::optional<Piece> parse_piece_line(std::string_view line) {
  if (line.size() > kMaxPieceLineBytes) return std::nullopt;
  std::array<std::string_view, 4> fields;
  for (std::size_t i = 0; i < fields.size(); ++i) {
    const std::size_t space = line.find(' ');
    const bool is_last = i + 1 == fields.size();
    if (is_last != (space == std::string_view::npos)) return std::nullopt;
    fields[i] = line.substr(0, space);
    if (!is_last) line.remove_prefix(space + 1);
  }
  const std::optional<std::uint64_t> offset = number_of(fields[1]);
  const std::optional<std::uint64_t> size = number_of(fields[2]);
  if (!offset || !size) return std::nullopt;
  Piece piece{.key = std::string(fields[0]),
              .offset = *offset,
              .size_bytes = *size,
              .checksum = std::string(fields[3])};
  if (!is_sound(piece)) return std::nullopt;
  return piece;
}

void check_pieces(const PieceTable& pieces, const Artifact& artifact) {
  std::size_t count = 0;
  for (const auto& [name, of_file] : pieces) count += of_file.size();
  require_count(count);
  for (const auto& [name, of_file] : pieces) {
    const FileEntry* const file = artifact.find(name);
    if (file == nullptr) refuse(fmt::format("it has no file \"{}\"", shown(name)));
    if (of_file.empty()) refuse(fmt::format("\"{}\" is named and has none", shown(name)));
    check_file(of_file, *file);
  }
}

Json to_json(const PieceTable& pieces) {
  Json json = Json::object();
  for (const auto& [name, of_file] : pieces) {
    Json::Array lines;
    lines.reserve(of_file.size());
    for (const Piece& piece : of_file) lines.emplace_back(piece_line(piece));
    json[name] = Json(std::move(lines));
  }
  return json;
}

PieceTable pieces_from_json(const Json& json) {
  try {
    std::size_t count = 0;
    for (const auto& [name, lines] : json.as_object()) count += lines.as_array().size();
    require_count(count);
    PieceTable pieces;
    for (const auto& [name, lines] : json.as_object()) {
      std::vector<Piece>& of_file = pieces[name];
      of_file.reserve(lines.as_array().size());
      for (const Json& line : lines.as_array()) {
        std::optional<Piece> piece = parse_piece_line(line.as_string());
        if (!piece) corrupt(fmt::format("\"{}\" is none", shown(line.as_string())));
        of_file.push_back(*std::move(piece));
      }
    }
    return pieces;
  } catch (const Error& error) {
    throw Error(ErrorKind::kCorrupt, error.message());
  }
}

bool read_piece(const ReadableFile& file, const Piece& piece, const PieceSink& sink) {
  Xxh3 hash;
  std::vector<std::byte> window(std::min(piece.size_bytes, kWindowBytes));
  for (std::uint64_t done = 0; done < piece.size_bytes;) {
    const std::uint64_t wanted = std::min<std::uint64_t>(window.size(), piece.size_bytes - done);
    const MutableBytes bytes(window.data(), wanted);
    try {
      if (file.read_at(piece.offset + done, bytes) != bytes.size()) return false;
    } catch (const Error&) {
      return false;  // the disk's trouble is none of who can compute it
    }
    hash.update(bytes);
    if (sink) sink(bytes);
    done += bytes.size();
  }
  return hash.hex() == piece.checksum;
}

}  // namespace qbuild::cache
