#pragma once
// Donors: artifacts in the store that may hold pieces (cache/piece.h) which an action needs. The
// engine names them with the action; the rule, wherever it runs, reads which pieces they have.
//
// A donor only ever saves work. One that has gone, changed or is damaged is passed over, and
// whoever copies a piece compares its checksum (cache::read_piece).

#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "base/file_system.h"
#include "cache/piece.h"

namespace qbuild::engine {

struct ActionRequest;

struct Donor {
  fs::path record;                        // its file: cache/record.h
  std::map<std::string, fs::path> files;  // name in the artifact -> where it is
  bool operator==(const Donor&) const = default;
};

// Of one action. Both bound what crosses the pipe to a worker.
inline constexpr std::size_t kMaxDonors = 64;
inline constexpr std::size_t kMaxDonorFiles = 1024;

// A file that has pieces.
struct DonorFile {
  fs::path path;
  std::vector<cache::Piece> pieces;
};

// Of all donors of an action together: bounds the memory that they take. Models have some hundred.
inline constexpr std::size_t kMaxDonorPieces = 500'000;

// The donors' files in the request's order, read from their records. Never throws Error: what
// cannot be read, or is no record, is left out, and so is all that comes after kMaxDonorPieces.
[[nodiscard]] std::vector<DonorFile> load_donors(FileSystem& files, const ActionRequest& request);

}  // namespace qbuild::engine
