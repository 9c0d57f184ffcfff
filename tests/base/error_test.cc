#include "base/error.h"

#include <gtest/gtest.h>

#include <cerrno>

#include "tests/base/expect_error.h"

namespace qbuild {
namespace {

using test::error_of;

TEST(Error, EveryKindHasANameThatReadsBack) {
  for (int i = 0; i <= static_cast<int>(ErrorKind::kInternal); ++i) {
    const auto kind = static_cast<ErrorKind>(i);
    EXPECT_EQ(error_kind_from_name(error_kind_name(kind)), kind) << i;
  }
  EXPECT_EQ(error_kind_name(ErrorKind::kInvalidInput), "invalid_input");
  EXPECT_EQ(error_kind_from_name("no such kind"), std::nullopt);
}

TEST(Error, SaysEveryContextInFrontFromTheOutermostIn) {
  const Error error = error_of([] {
    with_context("upload model.gguf", [] {
      with_context("part 3", []() { throw Error(ErrorKind::kTransient, "connection reset"); });
    });
  });
  EXPECT_EQ(error.message(), "upload model.gguf: part 3: connection reset");
  EXPECT_STREQ(error.what(), "upload model.gguf: part 3: connection reset");
  EXPECT_EQ(error.kind(), ErrorKind::kTransient);
}

TEST(Error, ContextHandsBackWhatTheBodyReturns) {
  EXPECT_EQ(with_context("adding", [] { return 1 + 1; }), 2);
  int value = 1;
  int& same = with_context("a reference", [&value]() -> int& { return value; });
  EXPECT_EQ(&same, &value);
}

TEST(Error, ContextLeavesForeignExceptionsAlone) {
  EXPECT_THROW(with_context("x", []() { throw 7; }), int);
}

struct ErrnoCase {
  int number;
  ErrorKind kind;
  const char* message;
};

TEST(Error, TurnsSystemErrorsIntoKindsAndPlainWords) {
  const ErrnoCase cases[] = {
      {ENOENT, ErrorKind::kNotFound, "open /x: no such file"},
      {ENOTDIR, ErrorKind::kNotFound, "open /x: a part of the path is not a folder"},
      {EACCES, ErrorKind::kDenied, "open /x: permission denied"},
      {EPERM, ErrorKind::kDenied, "open /x: operation not permitted"},
      {EROFS, ErrorKind::kDenied, "open /x: the file system is read-only"},
      {ENOSPC, ErrorKind::kExhausted, "open /x: no space left on the disk"},
      {EMFILE, ErrorKind::kExhausted, "open /x: too many open files"},
      {EIO, ErrorKind::kTransient, "open /x: input/output error"},
      {EEXIST, ErrorKind::kInvalidInput, "open /x: already exists"},
      {EISDIR, ErrorKind::kInvalidInput, "open /x: is a folder"},
      {EPIPE, ErrorKind::kInternal, "open /x: broken pipe"},
  };
  for (const ErrnoCase& expected : cases) {
    const Error error = error_of([&] { throw_errno(expected.number, "open /x"); });
    EXPECT_EQ(error.kind(), expected.kind) << expected.message;
    EXPECT_EQ(error.message(), expected.message);
  }
}

}  // namespace
}  // namespace qbuild
