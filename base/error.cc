#include "base/error.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <system_error>

namespace qbuild {
namespace {

struct KindName {
  ErrorKind kind;
  std::string_view name;
};

constexpr std::array kKindNames{
    KindName{ErrorKind::kInvalidInput, "invalid_input"},
    KindName{ErrorKind::kNotFound, "not_found"},
    KindName{ErrorKind::kDenied, "denied"},
    KindName{ErrorKind::kTransient, "transient"},
    KindName{ErrorKind::kCorrupt, "corrupt"},
    KindName{ErrorKind::kExhausted, "exhausted"},
    KindName{ErrorKind::kUnsupported, "unsupported"},
    KindName{ErrorKind::kCancelled, "cancelled"},
    KindName{ErrorKind::kInternal, "internal"},
};

ErrorKind kind_of_errno(int error_number) {
  switch (error_number) {
    case ENOENT:
    case ENOTDIR:
      return ErrorKind::kNotFound;
    case EACCES:
    case EPERM:
    case EROFS:
      return ErrorKind::kDenied;
    case ENOSPC:
    case EDQUOT:
    case EMFILE:
    case ENFILE:
    case ENOMEM:
    case EFBIG:
      return ErrorKind::kExhausted;
    case EINTR:
    case EAGAIN:
    case EIO:
    case EBUSY:
    case ESTALE:
    case ETIMEDOUT:
      return ErrorKind::kTransient;
    case EEXIST:
    case EISDIR:
    case ENOTEMPTY:
    case ENAMETOOLONG:
    case ELOOP:
      return ErrorKind::kInvalidInput;
    default:
      return ErrorKind::kInternal;
  }
}

// The system's wording for these leaves a person guessing; the rest is taken from the system.
std::string text_of_errno(int error_number) {
  switch (error_number) {
    case ENOENT:
      return "no such file";
    case ENOTDIR:
      return "a part of the path is not a folder";
    case EISDIR:
      return "is a folder";
    case EEXIST:
      return "already exists";
    case ENOSPC:
      return "no space left on the disk";
    case EROFS:
      return "the file system is read-only";
    default:
      break;
  }
  std::string text = std::generic_category().message(error_number);
  // "Permission denied" stands after a colon here; an abbreviation keeps its capitals.
  const auto is_upper = [](char c) { return std::isupper(static_cast<unsigned char>(c)) != 0; };
  if (text.size() > 1 && !is_upper(text[1])) {
    text[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(text[0])));
  }
  return text;
}

}  // namespace

std::string_view error_kind_name(ErrorKind kind) {
  for (const KindName& entry : kKindNames) {
    if (entry.kind == kind) return entry.name;
  }
  return "internal";
}

std::optional<ErrorKind> error_kind_from_name(std::string_view name) {
  const auto* found = std::find_if(kKindNames.begin(), kKindNames.end(),
                                   [name](const KindName& entry) { return entry.name == name; });
  if (found == kKindNames.end()) return std::nullopt;
  return found->kind;
}

void throw_errno(int error_number, std::string_view what) {
  throw Error(kind_of_errno(error_number), std::string(what) + ": " + text_of_errno(error_number));
}

}  // namespace qbuild
