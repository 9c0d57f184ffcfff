#include "engine/explanation.h"

#include <fmt/core.h>

#include <algorithm>
#include <map>

namespace qbuild::engine {
namespace {

constexpr std::string_view kNone = "(none)";

// A value that is longer is shown where it differs from the other one.
constexpr std::size_t kMaxShownBytes = 72;
constexpr std::size_t kContextBytes = 16;
constexpr std::size_t kDigestHexBytes = 64;
constexpr std::size_t kShownDigestBytes = 12;

// Neither end cuts a character in two.
std::string_view piece(std::string_view text, std::size_t begin, std::size_t end) {
  const auto is_inside = [&](std::size_t at) {
    return at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0U) == 0x80U;
  };
  while (begin > 0 && is_inside(begin)) --begin;
  while (is_inside(end)) ++end;
  return text.substr(begin, end - begin);
}

std::string shown_value(std::string_view value, std::string_view other) {
  if (value.empty()) return std::string(kNone);
  if (value.size() == kDigestHexBytes &&
      value.find_first_not_of("0123456789abcdef") == std::string_view::npos)
    return std::string(value.substr(0, kShownDigestBytes));
  if (value.size() <= kMaxShownBytes) return std::string(value);
  const auto differs = std::mismatch(value.begin(), value.end(), other.begin(), other.end()).first;
  const auto at = static_cast<std::size_t>(differs - value.begin());
  const std::size_t begin = at > kContextBytes ? at - kContextBytes : 0;
  const std::size_t end = std::min(value.size(), begin + kMaxShownBytes);
  return fmt::format("{}{}{}", begin > 0 ? "..." : "", piece(value, begin, end),
                     end < value.size() ? "..." : "");
}

std::string shown(const FieldChange& change) {
  return fmt::format("{}: {} -> {}", change.label, shown_value(change.before, change.after),
                     shown_value(change.after, change.before));
}

std::string and_more(std::size_t count) {
  return count > 1 ? fmt::format(" (and {} more)", count - 1) : "";
}

std::vector<std::pair<std::string, std::string>> parse_fields(std::string_view text) {
  std::vector<std::pair<std::string, std::string>> fields;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    const std::size_t split = line.find(": ");
    if (split == std::string_view::npos) {
      fields.emplace_back(line, "");
    } else {
      fields.emplace_back(line.substr(0, split), line.substr(split + 2));
    }
  }
  return fields;
}

}  // namespace

std::string_view explanation_kind_name(Explanation::Kind kind) {
  switch (kind) {
    case Explanation::Kind::kCurrent:
      return "current";
    case Explanation::Kind::kNeverBuilt:
      return "never_built";
    case Explanation::Kind::kKeyChanged:
      return "key_changed";
    case Explanation::Kind::kRecordMissing:
      return "record_missing";
    case Explanation::Kind::kFileMissing:
      return "file_missing";
    case Explanation::Kind::kUpstream:
      return "upstream";
    case Explanation::Kind::kOutdated:
      return "outdated";
    case Explanation::Kind::kFailedBefore:
      return "failed_before";
    case Explanation::Kind::kHeld:
      return "held";
    case Explanation::Kind::kBlocked:
      return "blocked";
  }
  return "never_built";
}

std::string summarize(const Explanation& explanation) {
  const std::string first_upstream =
      explanation.upstream.empty() ? "" : explanation.upstream.front();
  switch (explanation.kind) {
    case Explanation::Kind::kCurrent:
      return "current";
    case Explanation::Kind::kNeverBuilt:
      return "never built";
    case Explanation::Kind::kKeyChanged:
      return explanation.changes.empty()
                 ? "key changed"
                 : fmt::format("key changed: {}{}", shown(explanation.changes.front()),
                               and_more(explanation.changes.size()));
    case Explanation::Kind::kRecordMissing:
      return "its record is gone from the store";
    case Explanation::Kind::kFileMissing:
      return fmt::format("a file is gone from the store: {}", explanation.detail);
    case Explanation::Kind::kUpstream:
      return fmt::format("depends on {}{}, which will run", first_upstream,
                         and_more(explanation.upstream.size()));
    case Explanation::Kind::kOutdated:
      return fmt::format("no longer true: {}", explanation.detail);
    case Explanation::Kind::kFailedBefore:
      return fmt::format("failed last time: {}", explanation.detail);
    case Explanation::Kind::kHeld:
      return fmt::format("held: {}", explanation.detail);
    case Explanation::Kind::kBlocked:
      return fmt::format("needs {}{}, which failed", first_upstream,
                         and_more(explanation.upstream.size()));
  }
  return "";
}

std::vector<std::string> describe(const Explanation& explanation) {
  std::vector<std::string> lines;
  if (explanation.kind == Explanation::Kind::kKeyChanged) {
    lines.emplace_back("key changed:");
    for (const FieldChange& change : explanation.changes) lines.push_back("  " + shown(change));
  } else if (explanation.upstream.size() > 1) {
    const bool failed = explanation.kind == Explanation::Kind::kBlocked;
    lines.emplace_back(failed ? "needs these, which failed:" : "depends on these, which will run:");
    for (const std::string& target : explanation.upstream) lines.push_back("  " + target);
  } else {
    lines.push_back(summarize(explanation));
  }
  return lines;
}

Json to_json(const Explanation& explanation) {
  Json json = Json::object(
      {{"kind", explanation_kind_name(explanation.kind)}, {"summary", summarize(explanation)}});
  if (!explanation.changes.empty()) {
    Json changes = Json::array();
    for (const FieldChange& change : explanation.changes) {
      changes.push_back(Json::object(
          {{"label", change.label}, {"before", change.before}, {"after", change.after}}));
    }
    json["changes"] = std::move(changes);
  }
  if (!explanation.upstream.empty()) {
    Json upstream = Json::array();
    for (const std::string& target : explanation.upstream) upstream.push_back(target);
    json["upstream"] = std::move(upstream);
  }
  if (!explanation.detail.empty()) json["detail"] = explanation.detail;
  return json;
}

std::vector<FieldChange> compare_key_texts(std::string_view before, std::string_view after) {
  const auto old_fields = parse_fields(before);
  const auto new_fields = parse_fields(after);
  std::map<std::string, std::string> old_values(old_fields.begin(), old_fields.end());
  std::map<std::string, std::string> new_values(new_fields.begin(), new_fields.end());
  std::vector<FieldChange> changes;
  for (const auto& [label, value] : new_fields) {
    const auto old = old_values.find(label);
    if (old == old_values.end()) {
      changes.push_back({.label = label, .before = "", .after = value});
    } else if (old->second != value) {
      changes.push_back({.label = label, .before = old->second, .after = value});
    }
  }
  for (const auto& [label, value] : old_fields) {
    if (!new_values.contains(label))
      changes.push_back({.label = label, .before = value, .after = ""});
  }
  // Fields that only changed places still make another key.
  if (changes.empty() && before != after) {
    changes.push_back({.label = "order of fields", .before = "another", .after = "this"});
  }
  return changes;
}

}  // namespace qbuild::engine
