#pragma once
// Numbers as people read them, for cards and tables: one spelling everywhere.

#include <cstdint>
#include <string>

namespace qbuild::rules {

// Powers of 1000, three digits: "512 B", "4.36 MB", "1.08 GB"; as the Hub shows sizes.
[[nodiscard]] std::string display_bytes(std::uint64_t bytes);
// Fixed number of digits behind the point; "n/a" for not-a-number.
[[nodiscard]] std::string display_fixed(double value, int digits);
// "0.4 s", "12 s", "3 min 20 s", "2 h 5 min".
[[nodiscard]] std::string display_seconds(double seconds);
// "4.07 M", "8.03 B": a count of parameters.
[[nodiscard]] std::string display_count(std::uint64_t count);

}  // namespace qbuild::rules
