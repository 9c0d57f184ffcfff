#include "engine/fence.h"

#include <fmt/core.h>

#include <exception>
#include <new>

namespace qbuild::engine {
namespace {

std::optional<Error> run_and_catch(const std::function<void()>& body) {
  try {
    body();
    return std::nullopt;
  } catch (const Error& error) {
    return error;
  } catch (const std::bad_alloc&) {
    return Error(ErrorKind::kExhausted, "out of memory");
  } catch (const std::exception& exception) {
    return Error(ErrorKind::kInternal, fmt::format("unexpected: {}", exception.what()));
  } catch (...) {
    return Error(ErrorKind::kInternal, "unexpected: an exception that says nothing of itself");
  }
}

}  // namespace

std::optional<Error> run_fenced(const std::function<void()>& body,
                                const std::function<bool()>& stop_requested) {
  std::optional<Error> error = run_and_catch(body);
  if (error && error->kind() != ErrorKind::kCancelled && stop_requested()) {
    return Error(ErrorKind::kCancelled, error->message());
  }
  return error;
}

}  // namespace qbuild::engine
