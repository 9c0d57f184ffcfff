#pragma once
// Tables of manifests that are wrong, with everything that is said of them.

#include <gtest/gtest.h>

#include <ostream>
#include <string>

#include "tests/manifests/support.h"

namespace qbuild::manifests {

struct BrokenManifest {
  std::string name;
  std::string text;
  std::string errors;  // all of them, one per line
};

inline void PrintTo(const BrokenManifest& manifest, std::ostream* out) {
  *out << manifest.name;
}

// Every test of a table is named after its row.
struct BrokenManifestName {
  std::string operator()(const testing::TestParamInfo<BrokenManifest>& info) const {
    return info.param.name;
  }
};

class BrokenManifestTest : public testing::TestWithParam<BrokenManifest> {
 protected:
  void expect_errors() {
    Project project;
    EXPECT_EQ(project.errors(GetParam().text), GetParam().errors) << GetParam().text;
  }
};

}  // namespace qbuild::manifests
