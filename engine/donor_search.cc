#include "engine/donor_search.h"

#include <utility>

#include "base/error.h"
#include "cache/index.h"

namespace qbuild::engine {

std::vector<Donor> DonorSearch::find(std::string_view scope) {
  std::vector<Donor> donors;
  if (scope.empty() || environment_.index == nullptr) return donors;
  std::size_t files = 0;
  for (const Digest& key : environment_.index->piece_records(scope)) {
    try {
      Donor donor{.record = environment_.store.record_path(key), .files = {}};
      for (const File& file : files_of(key, scope)) {
        if (files == kMaxDonorFiles) break;
        if (!is_unchanged(file)) continue;
        donor.files.emplace(file.name, environment_.store.blob_path(file.sha256));
        ++files;
      }
      if (!donor.files.empty()) donors.push_back(std::move(donor));
    } catch (const Error&) {
      continue;  // a disk that does not answer here: the action does without
    }
    if (donors.size() == kMaxDonors || files == kMaxDonorFiles) break;
  }
  return donors;
}

const DonorSearch::Files& DonorSearch::files_of(const Digest& key, std::string_view scope) {
  const auto there = known_.find(key);
  if (there != known_.end()) return there->second;
  const std::optional<cache::Record> record = environment_.store.find_record(key);
  static const Files kNone;
  if (!record) return kNone;  // it may come back
  Files files;
  if (record->piece_scope == scope) {
    for (const auto& [name, pieces] : record->pieces) {
      const cache::FileEntry* const file = record->artifact.find(name);
      if (file == nullptr || record->inline_files.contains(name)) continue;
      files.push_back({.name = name, .sha256 = file->sha256, .size_bytes = file->size_bytes});
    }
  }
  return known_.emplace(key, std::move(files)).first->second;
}

// One whose stamp is not known is taken: its pieces have checksums. One that was touched since it
// was stored is not worth the reading.
bool DonorSearch::is_unchanged(const File& file) const {
  if (!environment_.store.has_blob(file.sha256, file.size_bytes)) return false;
  const std::optional<cache::BlobStamp> known = environment_.index->find_blob(file.sha256);
  if (!known) return true;
  const std::optional<FileStat> now =
      environment_.files.stat(environment_.store.blob_path(file.sha256));
  return now && *known == cache::blob_stamp(*now);
}

}  // namespace qbuild::engine
