#pragma once
// What a command prints. Whoever reads it may stop reading: that is no error, or
// `qbuild graph | head -1` would end as one. A write that fails for another reason, such as a full
// disk, does not stop the command, but makes a failure of its end.

#include <fmt/core.h>

#include <string_view>
#include <utility>

namespace qbuild::cli {

void print_text(std::string_view text);   // stdout, flushed
void print_error(std::string_view text);  // stderr

// To be called last: the exit code, which is not that of a success if stdout could not be written.
[[nodiscard]] int finish_output(int exit_code);

template <typename... Values>
void print(fmt::format_string<Values...> format, Values&&... values) {
  print_text(fmt::format(format, std::forward<Values>(values)...));
}

}  // namespace qbuild::cli
