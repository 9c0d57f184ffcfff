#include "engine/donor.h"

#include <utility>

#include "base/error.h"
#include "cache/record.h"
#include "engine/rule.h"

namespace qbuild::engine {
namespace {

cache::PieceTable pieces_of(FileSystem& files, const fs::path& record) {
  try {
    return cache::parse_record(read_file(files, record, cache::kMaxRecordBytes)).pieces;
  } catch (const Error&) {
    return {};
  }
}

}  // namespace

std::vector<DonorFile> load_donors(FileSystem& files, const ActionRequest& request) {
  std::vector<DonorFile> donors;
  std::size_t count = 0;
  for (const Donor& donor : request.donors) {
    cache::PieceTable pieces = pieces_of(files, donor.record);
    for (const auto& [name, path] : donor.files) {
      const auto found = pieces.find(name);
      if (found == pieces.end()) continue;
      count += found->second.size();
      if (count > kMaxDonorPieces) return donors;
      donors.push_back({.path = path, .pieces = std::move(found->second)});
    }
  }
  return donors;
}

}  // namespace qbuild::engine
