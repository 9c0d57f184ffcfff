#include "cli/error_events.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <string_view>

#include "engine/progress.h"

namespace qbuild::cli {
namespace {

// Takes "NUMBER:" off the front of the text.
std::optional<std::int64_t> take_number(std::string_view& text) {
  std::int64_t number = 0;
  const char* const end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, number);
  if (parsed.ec != std::errc{} || parsed.ptr == end || *parsed.ptr != ':') return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(parsed.ptr - text.data()) + 1);
  return number;
}

struct Place {
  std::string_view file;
  std::int64_t line = 0;
  std::int64_t column = 0;
  std::string_view message;
};

// "FILE:LINE:COLUMN: MESSAGE"
std::optional<Place> find_place(std::string_view line) {
  for (auto colon = line.find(':'); colon != std::string_view::npos;
       colon = line.find(':', colon + 1)) {
    std::string_view rest = line.substr(colon + 1);
    const auto line_number = take_number(rest);
    const auto column = line_number ? take_number(rest) : std::nullopt;
    if (colon > 0 && column && rest.starts_with(' '))
      return Place{line.substr(0, colon), *line_number, *column, rest.substr(1)};
  }
  return std::nullopt;
}

}  // namespace

std::string error_events(const Error& error, int exit_code) {
  std::string text;
  std::string_view rest = error.message();
  while (!rest.empty()) {
    const auto end = std::min(rest.find('\n'), rest.size());
    const std::string_view line = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    const auto place = find_place(line);
    Json event = Json::object({{"event", "error"},
                               {"kind", error_kind_name(error.kind())},
                               {"message", place ? place->message : line}});
    if (place) {
      event["file"] = place->file;
      event["line"] = place->line;
      event["column"] = place->column;
    }
    text += event.dump() + "\n";
  }
  engine::Counters counters;
  return text + engine::to_json(engine::Event(engine::RunFinished{counters, exit_code})).dump() +
         "\n";
}

}  // namespace qbuild::cli
