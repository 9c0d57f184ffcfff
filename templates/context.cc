#include "templates/context.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <unordered_set>
#include <utility>

#include "base/check.h"
#include "base/nearest_word.h"

namespace qbuild::templates {
namespace {

constexpr std::size_t kMostNamesShown = 8;
// A near name is looked for among so many.
constexpr std::size_t kMostNamesCompared = 500;

const Json& null_value() {
  static const Json kNull;
  return kNull;
}

std::optional<std::size_t> index_of(std::string_view part) {
  std::size_t index = 0;
  const auto read = std::from_chars(part.data(), part.data() + part.size(), index);
  if (read.ec != std::errc{} || read.ptr != part.data() + part.size()) return std::nullopt;
  return index;
}

// Names of members, each once.
class Names {
 public:
  void add(const Json& value) {
    if (!value.is_object()) return;
    for (const Json::Member& member : value.as_object()) {
      if (names_.size() == kMostNamesCompared) return;
      if (seen_.insert(member.first).second) names_.emplace_back(member.first);
    }
  }
  [[nodiscard]] std::vector<std::string_view> take() { return std::move(names_); }

 private:
  std::vector<std::string_view> names_;
  std::unordered_set<std::string_view> seen_;
};

// In place: a long path is not copied for each of its parts.
void append_part(std::string& path, const Json& parent, std::string_view part) {
  if (parent.is_array()) {
    path += '[';
    path += part;
    path += ']';
  } else {
    if (!path.empty()) path += '.';
    path += part;
  }
}

std::string suggestion(std::string_view name, const std::vector<std::string_view>& known) {
  std::string meant = did_you_mean(name, known);
  if (!meant.empty()) return meant;
  if (known.empty()) return "; nothing is known here";
  std::string list;
  for (std::size_t i = 0; i < std::min(known.size(), kMostNamesShown); ++i) {
    if (i > 0) list += ", ";
    list += known[i];
  }
  if (known.size() > kMostNamesShown) list += ", ...";
  return "; known here: " + list;
}

}  // namespace

std::string member_path(std::string_view parent, std::string_view name) {
  return parent.empty() ? std::string(name) : fmt::format("{}.{}", parent, name);
}

std::string element_path(std::string_view parent, std::size_t index) {
  return fmt::format("{}[{}]", parent, index);
}

Context::Context(const Json& document) {
  push(document, "");
}

void Context::push(const Json& value, std::string path) {
  frames_.push_back(Frame{.value = &value, .path = std::move(path), .is_turn = false, .turn = {}});
}

void Context::push_turn(const Json& value, std::string path, const Turn& turn) {
  frames_.push_back(Frame{.value = &value, .path = std::move(path), .is_turn = true, .turn = turn});
}

void Context::pop() {
  check(frames_.size() > 1, "the document stays at the bottom of the contexts");
  frames_.pop_back();
}

const Context::Frame* Context::innermost_turn() const {
  for (auto frame = frames_.rbegin(); frame != frames_.rend(); ++frame)
    if (frame->is_turn) return &*frame;
  return nullptr;
}

const Json* Context::member(const Json& value, std::string_view name) {
  if (value.is_array()) {
    ++compared_;
    const auto index = index_of(name);
    if (!index || *index >= value.as_array().size()) return nullptr;
    return &value.as_array()[*index];
  }
  compared_ += value.is_object() ? value.as_object().size() : 1;
  return value.find(name);
}

// The frame in which the path begins; nothing if no frame has its first name.
const Context::Frame* Context::start(const Path& path) {
  if (path.root == PathRoot::kDocument) return &frames_.front();
  if (path.root == PathRoot::kContext)
    return path.parents < frames_.size() ? &frames_[frames_.size() - 1 - path.parents] : nullptr;
  for (auto frame = frames_.rbegin(); frame != frames_.rend(); ++frame)
    if (member(*frame->value, path.parts.front()) != nullptr) return &*frame;
  return nullptr;
}

Resolved Context::resolve(const Path& path) {
  const bool of_turn = path.root == PathRoot::kIndex || path.root == PathRoot::kFirst ||
                       path.root == PathRoot::kLast || path.root == PathRoot::kKey;
  if (of_turn) {
    const Frame* const frame = innermost_turn();
    if (frame == nullptr) return {};
    const Turn& turn = frame->turn;
    if (path.root == PathRoot::kFirst) return Resolved(Json(turn.index == 0));
    if (path.root == PathRoot::kLast) return Resolved(Json(turn.index + 1 == turn.count));
    if (path.root == PathRoot::kKey && !turn.key.empty()) return Resolved(Json(turn.key));
    return Resolved(Json(std::uint64_t{turn.index}));
  }
  const Frame* const frame = start(path);
  if (frame == nullptr) return {};
  const Json* value = frame->value;
  std::string where = frame->path;
  for (const std::string& part : path.parts) {
    if (value->is_null()) return Resolved(&null_value(), std::move(where));
    const Json* const next = member(*value, part);
    if (next == nullptr) return {};
    append_part(where, *value, part);
    value = next;
  }
  return {value, std::move(where)};
}

std::vector<std::string_view> Context::names_in_sight() const {
  Names names;
  for (auto frame = frames_.rbegin(); frame != frames_.rend(); ++frame) names.add(*frame->value);
  return names.take();
}

std::string Context::explain_missing(const Operand& operand) const {
  const Path& path = operand.path;
  if (path.parts.empty() && path.root != PathRoot::kContext)
    return fmt::format("\"{}\" stands outside a loop", operand.text);
  if (path.root == PathRoot::kContext && path.parents >= frames_.size())
    return fmt::format("\"{}\" leads out of the document", operand.text);

  Context probe = *this;
  const Frame* const frame = probe.start(path);
  if (frame == nullptr)
    return fmt::format("unknown variable \"{}\"{}", operand.text,
                       suggestion(path.parts.front(), names_in_sight()));
  const Json* value = frame->value;
  std::string so_far = frame->path;
  for (const std::string& part : path.parts) {
    const Json* const next = probe.member(*value, part);
    if (next == nullptr) {
      Names names;
      names.add(*value);
      const std::string where = so_far.empty() ? "the document" : fmt::format("\"{}\"", so_far);
      return fmt::format("unknown variable \"{}\": {} has no \"{}\"{}", operand.text, where, part,
                         suggestion(part, names.take()));
    }
    append_part(so_far, *value, part);
    value = next;
  }
  return fmt::format("unknown variable \"{}\"", operand.text);
}

}  // namespace qbuild::templates
