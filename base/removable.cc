#include "base/removable.h"

#include <system_error>
#include <utility>
#include <vector>

#include "base/temporary_name.h"

namespace qbuild {
namespace {

namespace fs = std::filesystem;

// So many of the longest names fit into a path, and so many folders may be open anywhere.
constexpr int kMaxDepth = 8;

}  // namespace

void make_removable(const fs::path& folder) {
  struct Place {
    fs::path path;
    int depth;
  };
  std::error_code ignored;
  fs::permissions(folder, fs::perms::owner_all, fs::perm_options::add, ignored);
  std::vector<Place> open{{folder, 0}};
  while (!open.empty()) {
    const Place next = std::move(open.back());
    open.pop_back();
    std::error_code error;
    fs::directory_iterator entry(next.path, error);
    for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
      if (entry->symlink_status(ignored).type() != fs::file_type::directory) continue;
      Place below{entry->path(), next.depth + 1};
      fs::permissions(below.path, fs::perms::owner_all, fs::perm_options::add, ignored);
      if (below.depth > kMaxDepth) {
        const fs::path up = folder / temporary_name();
        std::error_code failed;
        fs::rename(below.path, up, failed);
        if (!failed) below = {up, 1};
      }
      open.push_back(std::move(below));
    }
  }
}

}  // namespace qbuild
