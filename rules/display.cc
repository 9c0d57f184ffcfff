#include "rules/display.h"

#include <fmt/core.h>

#include <array>
#include <cmath>
#include <string_view>

namespace qbuild::rules {
namespace {

// Three significant digits of a value below 1000.
std::string three_digits(double value) {
  const int digits = value < 9.995 ? 2 : value < 99.95 ? 1 : 0;
  return fmt::format("{:.{}f}", value, digits);
}

template <std::size_t kCount>
std::string scaled(std::uint64_t value, const std::array<std::string_view, kCount>& units) {
  double number = static_cast<double>(value);
  std::size_t unit = 0;
  while (number >= 999.5 && unit + 1 < units.size()) {
    number /= 1000;
    ++unit;
  }
  return (unit == 0 ? std::to_string(value) : three_digits(number)) + std::string(units[unit]);
}

}  // namespace

std::string display_bytes(std::uint64_t bytes) {
  return scaled<5>(bytes, {" B", " kB", " MB", " GB", " TB"});
}

std::string display_count(std::uint64_t count) {
  return scaled<5>(count, {"", " K", " M", " B", " T"});
}

std::string display_fixed(double value, int digits) {
  return std::isfinite(value) ? fmt::format("{:.{}f}", value, digits) : "n/a";
}

std::string display_seconds(double seconds) {
  if (seconds < 9.95) return fmt::format("{:.1f} s", seconds);
  const auto whole = static_cast<std::int64_t>(std::llround(seconds));
  if (whole < 60) return fmt::format("{} s", whole);
  if (whole < 3600) return fmt::format("{} min {} s", whole / 60, whole % 60);
  return fmt::format("{} h {} min", whole / 3600, whole % 3600 / 60);
}

}  // namespace qbuild::rules
