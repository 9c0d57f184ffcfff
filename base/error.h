#pragma once
// The one exception type: every failure whose cause lies outside the program.
//
// Throw where the cause is known; add context where a name is known that the thrower did not have
// (`with_context`); nothing else catches. Two fences end it: the outermost frame of an action,
// which makes an outcome of it, and `main`. An absence that is normal is std::optional, never an
// Error. A broken invariant of our own is not an Error either: see base/check.h.

#include <cstdint>
#include <exception>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace qbuild {

// What the scheduler and the exit code branch on. The names reach journals and JSON: never rename.
enum class ErrorKind : std::uint8_t {
  kInvalidInput,  // the user's input is wrong; the message says where
  kNotFound,      // a file, a key, a repository that should be there is not
  kDenied,        // permission, authentication
  kTransient,     // may go away when tried again
  kCorrupt,       // bytes that are not what they claim to be
  kExhausted,     // disk, memory, a named limit
  kUnsupported,   // well-formed, but nothing here can do it
  kCancelled,     // somebody asked to stop
  kInternal,      // a foreign exception that reached a fence
};

// "invalid_input", "not_found", ...
[[nodiscard]] std::string_view error_kind_name(ErrorKind kind);
[[nodiscard]] std::optional<ErrorKind> error_kind_from_name(std::string_view name);

class Error : public std::exception {
 public:
  // message: for a person; one line; names the place and, where there is one, the way out.
  Error(ErrorKind kind, std::string message) : kind_(kind), message_(std::move(message)) {}

  [[nodiscard]] ErrorKind kind() const { return kind_; }
  // The message with every context in front of it: "upload model.gguf: part 3: connection reset".
  [[nodiscard]] const std::string& message() const { return message_; }
  [[nodiscard]] const char* what() const noexcept override { return message_.c_str(); }

  void add_context(std::string_view context) { message_ = std::string(context) + ": " + message_; }

 private:
  ErrorKind kind_;
  std::string message_;
};

// Runs `body` and returns what it returns; an Error that leaves it says `context` first.
template <typename Body>
decltype(auto) with_context(std::string_view context, Body&& body) {
  try {
    return std::forward<Body>(body)();
  } catch (Error& error) {
    error.add_context(context);
    throw;
  }
}

// Turns errno of a system call into an Error: ENOENT/ENOTDIR kNotFound, EACCES/EPERM/EROFS kDenied,
// ENOSPC/EDQUOT/EMFILE/ENFILE/ENOMEM/EFBIG kExhausted, EINTR/EAGAIN/EIO/EBUSY/ESTALE/ETIMEDOUT
// kTransient, EEXIST/EISDIR/ENOTEMPTY/ENAMETOOLONG/ELOOP kInvalidInput, else kInternal.
//   what   the operation with its place: "open /x/y"
[[noreturn]] void throw_errno(int error_number, std::string_view what);

}  // namespace qbuild
