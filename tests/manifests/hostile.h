#pragma once
// Manifests made to break the loader, and the promise that each is answered within 2 seconds and
// 200 MB.

#include <gtest/gtest.h>

#include <ostream>
#include <span>
#include <string>

#include "tests/base/bounded.h"
#include "tests/manifests/support.h"

namespace qbuild::manifests {

// Of the project's file qbuild.yaml; "" if it loads.
inline std::string errors_in_bounds(Project& project, const std::string& text) {
  project.put("qbuild.yaml", text);
  const test::Cost cost = test::bounded([&] {
    const LoadResult result = project.try_load_files({"qbuild.yaml"});
    return format(std::span<const Diagnostic>(result.diagnostics));
  });
  EXPECT_EQ(cost.failure, "");
  EXPECT_LT(cost.cpu_seconds, 2.0);
  EXPECT_LT(cost.grown_mib, 190);  // 200 MB
  return cost.said;
}

// A text is made when its test runs: some are a hundred megabytes.
struct HostileManifest {
  std::string name;
  std::string (*text)();
  std::string errors;  // all of them, one per line
};

inline void PrintTo(const HostileManifest& manifest, std::ostream* out) {
  *out << manifest.name;
}

struct HostileManifestName {
  std::string operator()(const testing::TestParamInfo<HostileManifest>& info) const {
    return info.param.name;
  }
};

class HostileManifestTest : public testing::TestWithParam<HostileManifest> {
 protected:
  void expect_errors() {
    Project project;
    EXPECT_EQ(errors_in_bounds(project, GetParam().text()), GetParam().errors);
  }
};

[[nodiscard]] inline std::string repeated(std::string_view text, std::size_t times) {
  std::string all(text.size() * times, ' ');
  for (std::size_t at = 0; at < all.size(); at += text.size())
    text.copy(all.data() + at, text.size());
  return all;
}

// "a0, a1, a2, " for numbered("a", 3, ", ").
[[nodiscard]] inline std::string numbered(std::string_view before, std::size_t times,
                                          std::string_view behind) {
  std::string all;
  for (std::size_t i = 0; i < times; ++i) {
    all += before;
    all += std::to_string(i);
    all += behind;
  }
  return all;
}

// What the first of several errors is, and how many lines there are.
[[nodiscard]] inline std::string first_line(const std::string& errors) {
  return errors.substr(0, errors.find('\n'));
}

}  // namespace qbuild::manifests
