#pragma once
// Finds the donors (engine/donor.h) of an action: the newest records of its scope that the index
// knows, as far as this store has them and their files.

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/digest.h"
#include "engine/donor.h"
#include "engine/environment.h"

namespace qbuild::engine {

// Of one run: each record is read once, its files are looked at each time. Not for several threads
// at once.
class DonorSearch {
 public:
  // Must outlive it.
  explicit DonorSearch(const Environment& environment) : environment_(environment) {}

  // The newest first; kMaxDonors at most, kMaxDonorFiles of them in all. None without an index.
  // Never throws Error.
  [[nodiscard]] std::vector<Donor> find(std::string_view scope);

 private:
  struct File {
    std::string name;
    Digest sha256;
    std::uint64_t size_bytes = 0;
  };
  // What is known of a record: its files that have pieces, none if it is no donor.
  using Files = std::vector<File>;

  [[nodiscard]] const Files& files_of(const Digest& key, std::string_view scope);
  [[nodiscard]] bool is_unchanged(const File& file) const;

  const Environment& environment_;
  std::map<Digest, Files> known_;
};

}  // namespace qbuild::engine
