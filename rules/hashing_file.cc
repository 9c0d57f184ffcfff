#include "rules/hashing_file.h"

#include "base/check.h"

namespace qbuild::rules {

void HashingFile::write_at(std::uint64_t /*offset*/, Bytes /*bytes*/) {
  check(false, "a hashed file is only appended to");
}

}  // namespace qbuild::rules
