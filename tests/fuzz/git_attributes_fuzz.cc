// Fuzz target: any text as .gitattributes, and its first line as a path that it judges and that a
// line is made for.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "hub/git_attributes.h"
#include "hub/repo_id.h"
#include "tests/fuzz/attempt.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // Time is pattern times path, and the Hub's own paths are no longer.
  constexpr std::size_t kMaxInputBytes = 8192;
  if (size > kMaxInputBytes) return 0;
  using qbuild::hub::GitAttributes;
  const std::string text(data, data + size);
  const std::string path = text.substr(0, text.find('\n'));
  const GitAttributes attributes(text);
  static_cast<void>(attributes.is_lfs("model.gguf"));
  if (qbuild::hub::path_problem(path)) return 0;
  static_cast<void>(attributes.is_lfs(path));
  qbuild::fuzz::require(
      GitAttributes(text + "\n" + qbuild::hub::attributes_line(path)).is_lfs(path));
  return 0;
}
