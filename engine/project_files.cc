#include "engine/project_files.h"

#include <fmt/core.h>

#include "base/digest.h"

namespace qbuild::engine {
namespace {

// Of a readable name; the digest behind it makes it unique.
constexpr std::size_t kMaxReadable = 100;
constexpr std::size_t kShortDigits = 10;

}  // namespace

fs::path ProjectFiles::log(std::string_view target) const {
  std::string name;
  for (const char c : target.substr(0, kMaxReadable)) {
    const bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                          (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
    name += is_plain ? c : '_';
  }
  return root / "logs" /
         fmt::format("{}-{}.log", name, sha256(target).hex().substr(0, kShortDigits));
}

fs::path ProjectFiles::worker_log(unsigned number) const {
  return root / "logs" / fmt::format("worker-{}.log", number);
}

fs::path ProjectFiles::last(std::string_view target) const {
  return root / "last" / (sha256(target).hex() + ".json");
}

fs::path ProjectFiles::record(std::string_view target) const {
  return root / "records" / sha256(target).hex();
}

}  // namespace qbuild::engine
