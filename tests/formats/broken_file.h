#pragma once
// Tables of files that are wrong, with everything that is said of each.

#include <gtest/gtest.h>

#include <ostream>
#include <string>

#include "tests/formats/support.h"

namespace qbuild::formats {

struct BrokenFile {
  std::string name;
  std::string bytes;
  ErrorKind kind = ErrorKind::kCorrupt;
  std::string message;
};

inline void PrintTo(const BrokenFile& file, std::ostream* out) {
  *out << file.name;
}

// Every test of a table is named after its row.
struct BrokenFileName {
  std::string operator()(const testing::TestParamInfo<BrokenFile>& info) const {
    return info.param.name;
  }
};

class BrokenFileTest : public testing::TestWithParam<BrokenFile> {
 protected:
  // read: what is called with a file system in which `path` is the row's file
  template <typename Read>
  void expect_refusal(const fs::path& path, Read read) {
    const BrokenFile& file = GetParam();
    files_.put(path, file.bytes);
    const Error error = error_of([&] { static_cast<void>(read(files_)); });
    EXPECT_EQ(error.message(), file.message);
    EXPECT_EQ(error_kind_name(error.kind()), error_kind_name(file.kind));
  }

  FakeFileSystem files_;
};

}  // namespace qbuild::formats
