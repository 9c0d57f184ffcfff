#pragma once
// Why an action is current, runs, may run or is held: a value that is made where the decision is
// made, so that `plan` and `why` cannot disagree with it.

#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace qbuild::engine {

// One labelled field of the key. Empty optionals are shown as "(none)".
struct FieldChange {
  std::string label;
  std::string before;  // empty: the field is new
  std::string after;   // empty: the field is gone
  bool operator==(const FieldChange&) const = default;
};

struct Explanation {
  // The names reach JSON: never rename.
  enum class Kind : std::uint8_t {
    kCurrent,        // its record is there and whole
    kNeverBuilt,     // nothing is known of it, here or in the store
    kKeyChanged,     // changes
    kRecordMissing,  // same key as last time, but its record is gone from the store
    kFileMissing,    // the record is there, a file that it names is not: `detail` says which
    kUpstream,       // something above it runs, so its key is not known yet: upstream
    kOutdated,       // a project record is no longer true: `detail` says why
    kFailedBefore,   // same key as last time, when it failed: `detail` is the cause
    kHeld,           // `detail` is the reason
    kBlocked,        // something it needs failed: upstream
  };
  Kind kind = Kind::kNeverBuilt;
  std::vector<FieldChange> changes{};
  std::vector<std::string> upstream{};  // targets
  std::string detail{};
  bool operator==(const Explanation&) const = default;
};

[[nodiscard]] std::string_view explanation_kind_name(Explanation::Kind kind);

// One line: "key changed: param.type: \"Q4_K_M\" -> \"Q4_K_S\" (and 2 more)".
[[nodiscard]] std::string summarize(const Explanation& explanation);
// All of it, one line each: the summary without "and more", then every change.
[[nodiscard]] std::vector<std::string> describe(const Explanation& explanation);
// {"kind", "summary", "changes": [{"label","before","after"}], "upstream": [...], "detail"}; empty
// parts are left out.
[[nodiscard]] Json to_json(const Explanation& explanation);

// Field by field, in the order of the new text, then what is gone. Both are texts of engine/key.h.
[[nodiscard]] std::vector<FieldChange> compare_key_texts(std::string_view before,
                                                         std::string_view after);

}  // namespace qbuild::engine
