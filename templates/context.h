#pragma once
// The contexts that are open while rendering, and what a name means in them.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "templates/syntax.h"

namespace qbuild::templates {

// What a path stands for. `value` points into the document or to a literal, or to `made` for what
// only the loop knows.
class Resolved {
 public:
  Resolved() = default;
  // A literal may be as long as a template: it is not copied, and must outlive this.
  [[nodiscard]] static Resolved literal(const Json& value) {
    Resolved resolved;
    resolved.value_ = &value;
    resolved.is_literal_ = true;
    return resolved;
  }
  Resolved(const Json* value, std::string path) : value_(value), path_(std::move(path)) {}
  explicit Resolved(Json made) : made_(std::move(made)), is_made_(true) {}

  [[nodiscard]] bool found() const { return is_made_ || value_ != nullptr; }
  // Requires found().
  [[nodiscard]] const Json& value() const { return is_made_ ? made_ : *value_; }
  // From the root of the document; empty for what is not in it.
  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] bool in_document() const { return !is_made_ && !is_literal_ && value_ != nullptr; }

 private:
  const Json* value_ = nullptr;
  std::string path_;
  Json made_;
  bool is_made_ = false;
  bool is_literal_ = false;
};

// The stack of contexts: the document at the bottom, what the open blocks put on top. Refers to the
// document, which must outlive it.
class Context {
 public:
  explicit Context(const Json& document);

  // A context without a loop: {{#with}}, a section over a mapping.
  void push(const Json& value, std::string path);
  // One turn of a loop. key: the member's name; empty in a list.
  struct Turn {
    std::size_t index = 0;
    std::size_t count = 0;
    std::string_view key;
  };
  void push_turn(const Json& value, std::string path, const Turn& turn);
  void pop();

  // Not found() if the path names nothing. A name below a null is null: what is absent has no
  // members.
  [[nodiscard]] Resolved resolve(const Path& path);

  // Why resolve() found nothing, for a person: `unknown variable "modle"; did you mean "model"?`.
  [[nodiscard]] std::string explain_missing(const Operand& operand) const;

  // Members compared so far, for the limit of work.
  [[nodiscard]] std::uint64_t compared() const { return compared_; }

 private:
  struct Frame {
    const Json* value = nullptr;
    std::string path;
    bool is_turn = false;
    Turn turn;
  };

  [[nodiscard]] const Frame* innermost_turn() const;
  [[nodiscard]] const Frame* start(const Path& path);
  [[nodiscard]] const Json* member(const Json& value, std::string_view name);
  [[nodiscard]] std::vector<std::string_view> names_in_sight() const;

  std::vector<Frame> frames_;
  std::uint64_t compared_ = 0;
};

// The path of a member or an element: "model" + "name" is "model.name", "variants" + 0 is
// "variants[0]".
[[nodiscard]] std::string member_path(std::string_view parent, std::string_view name);
[[nodiscard]] std::string element_path(std::string_view parent, std::size_t index);

}  // namespace qbuild::templates
