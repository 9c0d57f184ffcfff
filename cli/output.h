#pragma once
// What a command prints. Whoever reads it may stop reading: a write that fails is no error, or
// `qbuild graph | head -1` would end as one.

#include <fmt/core.h>

#include <string_view>
#include <utility>

namespace qbuild::cli {

void print_text(std::string_view text);   // stdout, flushed
void print_error(std::string_view text);  // stderr

template <typename... Values>
void print(fmt::format_string<Values...> format, Values&&... values) {
  print_text(fmt::format(format, std::forward<Values>(values)...));
}

}  // namespace qbuild::cli
