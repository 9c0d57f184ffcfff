#pragma once
// A record: what the store keeps of an action that ran. One immutable, checksummed file per action
// key.
//
// File: one header line "qbuild-record 1 <xxh3-128 of the rest>\n", then one JSON document on one
// line and a newline. docs/store.md lists its members.

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "base/digest.h"
#include "base/json.h"
#include "cache/artifact.h"
#include "cache/piece.h"

namespace qbuild::cache {

// Version history: 1 first. Pieces came later and left it at 1: a record without them is the same
// bytes as before, and a reader that does not know them refuses one with them as it would refuse
// another version, so that it makes it again.
inline constexpr std::uint32_t kRecordVersion = 1;

struct Record {
  Digest key;
  std::string key_text;  // what was hashed; `why` compares it
  std::string rule;
  Artifact artifact;
  // Small outputs kept inside the record, so that they need no blob: name -> bytes (cards,
  // results).
  std::map<std::string, std::string> inline_files;
  std::int64_t started_unix_ns = 0;
  double seconds = 0;
  std::uint64_t peak_memory_bytes = 0;
  Json machine;              // {"cpu":..., "vector_units":..., "cores":..., "memory_bytes":...}
  std::string tool_version;  // "qbuild 0.1.0"
  // Both or neither: what other actions of the same scope may copy from its files.
  std::string piece_scope = {};  // is_piece_scope
  PieceTable pieces = {};        // check_pieces
};

// Inline files up to this size; larger outputs are blobs.
inline constexpr std::uint64_t kMaxInlineBytes = 1u << 20;
// A record file larger than this is damaged by definition: bounds what a reader allocates.
inline constexpr std::uint64_t kMaxRecordBytes = 64u << 20;

// Equal records give equal bytes. Throws Error (kInvalidInput) on what to_json(Artifact) refuses,
// on an inline file that is too large or not the size its artifact says, on pieces that do not fit
// it.
[[nodiscard]] std::string serialize(const Record& record);
// Throws Error (kCorrupt): wrong header, version, checksum, structure.
[[nodiscard]] Record parse_record(std::string_view bytes);

}  // namespace qbuild::cache
