#include "manifests/shape.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cctype>

#include "manifests/limits.h"
#include "manifests/quant_names.h"

namespace qbuild::manifests {
namespace {

std::string_view kind_text(const YamlNode& value) {
  switch (value.kind) {
    case YamlNode::Kind::kNull:
      return "nothing";
    case YamlNode::Kind::kList:
      return "a list";
    case YamlNode::Kind::kMapping:
      return "a mapping";
    case YamlNode::Kind::kScalar:
      break;
  }
  if (const auto truth = value.as_bool()) return *truth ? "true" : "false";
  if (value.is_text()) return "text";
  if (value.as_whole()) return "a number";
  if (!value.as_number()) return "a number beyond all bounds";
  const bool has_fraction = value.text.find_first_of(".eE") != std::string::npos;
  return has_fraction ? "a number with a fraction" : "a number beyond all bounds";
}

// {model} without quotes is a mapping with one key and no value.
bool is_bare_variable(const YamlNode& value) {
  return value.is_mapping() && !value.is_plain && value.members.size() == 1 &&
         value.members[0].value.kind == YamlNode::Kind::kNull;
}

class ShapeCheck {
 public:
  explicit ShapeCheck(Diagnostics& diagnostics) : diagnostics_(diagnostics) {}

  void mapping(const YamlNode& node, Section section) {
    for (const YamlMember& member : node.members) {
      if (diagnostics_.is_full()) return;
      const KeySpec* const spec = find_key(section, member.key);
      if (spec == nullptr)
        unknown_key(member, section);
      else
        value(member.value, *spec, member.key, member.at);
    }
    for (const KeySpec& spec : all_keys())
      if (spec.is_required && spec.sections.front() == section && node.find(spec.name) == nullptr)
        diagnostics_.add(node.at, fmt::format("{} needs the key \"{}\"",
                                              section_info(section).title, spec.name));
  }

 private:
  void unknown_key(const YamlMember& member, Section section) {
    const std::vector<std::string_view> known = key_names(section);
    if (is_later_key(member.key)) {
      diagnostics_.add(member.at, not_yet(member.key, known));
      return;
    }
    const std::string what = section == Section::kGates
                                 ? "metric"
                                 : fmt::format("key in {}:", section_info(section).title);
    diagnostics_.add(member.at, unknown_word(what, member.key, known));
  }

  void value(const YamlNode& node, const KeySpec& spec, std::string_view key, const Place& key_at) {
    if (!accepts(spec.accepts, node)) {
      wrong_kind(node, spec.accepts, key, key_at, spec.example);
      return;
    }
    if (node.is_list()) {
      if (node.items.empty()) empty(node, key);
      for (const YamlNode& item : node.items) {
        if (diagnostics_.is_full()) return;
        if (!accepts(spec.elements, item))
          wrong_kind(item, spec.elements, fmt::format("{}[]", key), key_at, {});
        else if (item.is_mapping())
          inside(item, spec, key);
        else
          scalar(item, spec, key);
      }
    } else if (node.is_mapping()) {
      inside(node, spec, key);
    } else {
      scalar(node, spec, key);
    }
  }

  void inside(const YamlNode& node, const KeySpec& spec, std::string_view key) {
    if (node.members.empty())
      empty(node, key);
    else
      mapping(node, spec.inside);
  }

  void empty(const YamlNode& node, std::string_view key) {
    diagnostics_.add(node.at, fmt::format("{} for {} is empty; leave the key out or fill it",
                                          node.is_list() ? "the list" : "the mapping", quote(key)));
  }

  //   example  of a good value; "": none fits
  void wrong_kind(const YamlNode& node, Shapes expected, std::string_view key, const Place& key_at,
                  std::string_view example) {
    // An absent value has no place of its own that a reader would find.
    const Place& at = node.kind == YamlNode::Kind::kNull ? key_at : node.at;
    if (is_bare_variable(node) && (expected & (kTextShape | kScalarShape)) != 0) {
      const std::string name = one_line(node);
      const std::string variable = name.substr(0, name.find(':')) + "}";
      diagnostics_.add(
          at, fmt::format("{} without quotes is a mapping; write \"{}\"", variable, variable));
      return;
    }
    if (key == "source" && node.is_mapping()) {
      diagnostics_.add(at,
                       "a source made by a command is not possible yet; give the folder of a "
                       "checkpoint");
      return;
    }
    if (key == "imatrix" && node.is_mapping()) {
      diagnostics_.add(at,
                       "an importance matrix made from a text is not possible yet; give the file "
                       "of one that llama-imatrix wrote");
      return;
    }
    std::string message = fmt::format("expected {} for {}, found {}", shapes_text(expected),
                                      quote(key), kind_text(node));
    const bool only_quotes_lack = node.is_scalar() && (expected & kTextShape) != 0;
    if (only_quotes_lack)
      message += "; put it in quotes";
    else if (!example.empty())
      message += fmt::format("; for example {}", example);
    diagnostics_.add(at, message);
  }

  void scalar(const YamlNode& node, const KeySpec& spec, std::string_view key) {
    if (node.text.size() > kMaxTextBytes) {
      diagnostics_.add(node.at, fmt::format("the text for {} is longer than {} bytes", quote(key),
                                            kMaxTextBytes));
      return;
    }
    if (const auto whole = node.as_whole();
        whole && (spec.accepts & kWholeShape) != 0 && (*whole < spec.least || *whole > spec.most)) {
      out_of_range(node, spec, key);
      return;
    }
    if (node.is_text() && node.text.find_first_not_of(" \t\n") == std::string::npos &&
        spec.accepts != kScalarShape && spec.elements != kScalarShape) {
      diagnostics_.add(node.at, fmt::format("the text for {} is empty", quote(key)));
      return;
    }
    // Words with variables are judged once those are replaced.
    const bool is_closed = !spec.choices.empty() && spec.variables == 0;
    if (is_closed &&
        std::find(spec.choices.begin(), spec.choices.end(), node.text) == spec.choices.end())
      diagnostics_.add(node.at, unknown_word(key, node.text, spec.choices));
  }

  void out_of_range(const YamlNode& node, const KeySpec& spec, std::string_view key) {
    if (spec.sections.front() == Section::kManifest)
      diagnostics_.add(node.at, fmt::format("version {} is not known; this program reads version 1",
                                            quote(node.text)));
    else
      diagnostics_.add(
          node.at, fmt::format("{} must be from {} to {}, not {}", quote(key), spec.least,
                               spec.most, node.text.size() <= 40 ? node.text : quote(node.text)));
  }

  Diagnostics& diagnostics_;
};

}  // namespace

bool accepts(Shapes shapes, const YamlNode& value) {
  switch (value.kind) {
    case YamlNode::Kind::kNull:
      return false;
    case YamlNode::Kind::kList:
      return (shapes & kListShape) != 0;
    case YamlNode::Kind::kMapping:
      return (shapes & kMappingShape) != 0;
    case YamlNode::Kind::kScalar:
      break;
  }
  if ((shapes & kScalarShape) != 0) return true;
  if ((shapes & kTextShape) != 0 && value.is_text()) return true;
  if ((shapes & kWholeShape) != 0 && value.as_whole()) return true;
  if ((shapes & kNumberShape) != 0 && value.as_number()) return true;
  const std::optional<bool> truth = value.as_bool();
  if ((shapes & kBoolShape) != 0 && truth) return true;
  return (shapes & kFalseShape) != 0 && truth == false;
}

void check_shape(const YamlNode& root, Diagnostics& diagnostics) {
  if (root.kind == YamlNode::Kind::kNull)
    diagnostics.add(root.at, "the manifest is empty; it needs \"version: 1\" and models");
  else if (!root.is_mapping())
    diagnostics.add(root.at,
                    fmt::format("expected a mapping for the manifest, found {}", kind_text(root)));
  else
    ShapeCheck(diagnostics).mapping(root, Section::kManifest);
}

bool names_a_secret(std::string_view key) {
  std::string lower;
  for (const char c : key) lower += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  constexpr std::array<std::string_view, 5> kEndings{"token", "password", "secret", "api_key",
                                                     "apikey"};
  return std::any_of(kEndings.begin(), kEndings.end(),
                     [&](std::string_view ending) { return lower.ends_with(ending); });
}

void check_secrets(const YamlNode& root, Diagnostics& diagnostics) {
  constexpr std::string_view kWayOut =
      "; a token is read from the environment (HF_TOKEN) or the token file, never from a manifest";
  if (root.is_scalar() && looks_like_token(root.text))
    diagnostics.add(root.at, fmt::format("this looks like a token{}", kWayOut));
  // https://user:password@host
  const std::size_t scheme = root.text.find("://");
  if (root.is_scalar() && scheme != std::string::npos) {
    const std::string_view host = std::string_view(root.text).substr(scheme + 3);
    if (const std::size_t end = host.substr(0, host.find('/')).find('@');
        end != std::string_view::npos && host.substr(0, end).find(':') != std::string_view::npos)
      diagnostics.add(root.at, fmt::format("this address holds a password{}", kWayOut));
  }
  for (const YamlNode& item : root.items) check_secrets(item, diagnostics);
  for (const YamlMember& member : root.members) {
    // A model or a set may be called so.
    if (names_a_secret(member.key) && member.value.is_scalar())
      diagnostics.add(
          member.at, fmt::format("{} does not belong in a manifest{}", quote(member.key), kWayOut));
    if (looks_like_token(member.key))
      diagnostics.add(member.at, fmt::format("this looks like a token{}", kWayOut));
    check_secrets(member.value, diagnostics);
  }
}

}  // namespace qbuild::manifests
