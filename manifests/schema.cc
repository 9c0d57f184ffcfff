#include "manifests/schema.h"

#include "manifests/keys.h"

namespace qbuild::manifests {
namespace {

Json reference_to(Section section) {
  return Json::object({{"$ref", "#/$defs/" + std::string(section_info(section).name)}});
}

Json text_schema(const KeySpec& key) {
  Json text = Json::object({{"type", "string"}, {"minLength", 1}});
  if (key.choices.empty()) return text;
  Json words = Json::array();
  for (const std::string_view word : key.choices) words.push_back(word);
  if (key.variables == 0) return Json::object({{"enum", std::move(words)}});
  // Known words first, for completion; sets and variables may stand there too.
  Json any = Json::array();
  any.push_back(Json::object({{"enum", std::move(words)}}));
  any.push_back(std::move(text));
  return Json::object({{"anyOf", std::move(any)}});
}

void append_scalars(const KeySpec& key, Shapes shapes, Json& any) {
  if ((shapes & kTextShape) != 0) any.push_back(text_schema(key));
  if ((shapes & kWholeShape) != 0)
    any.push_back(
        Json::object({{"type", "integer"}, {"minimum", key.least}, {"maximum", key.most}}));
  if ((shapes & kNumberShape) != 0) any.push_back(Json::object({{"type", "number"}}));
  if ((shapes & kBoolShape) != 0) any.push_back(Json::object({{"type", "boolean"}}));
  if ((shapes & kFalseShape) != 0) any.push_back(Json::object({{"const", false}}));
  if ((shapes & kScalarShape) != 0) {
    Json types = Json::array();
    for (const char* const type : {"string", "number", "boolean"}) types.push_back(type);
    any.push_back(Json::object({{"type", std::move(types)}}));
  }
}

// One alternative stands for itself.
Json alternatives(Json any) {
  if (any.as_array().size() == 1) return any.as_array().front();
  return Json::object({{"anyOf", std::move(any)}});
}

Json element_schema(const KeySpec& key) {
  Json any = Json::array();
  append_scalars(key, key.elements, any);
  if ((key.elements & kMappingShape) != 0) any.push_back(reference_to(key.inside));
  return alternatives(std::move(any));
}

Json value_schema(const KeySpec& key) {
  Json any = Json::array();
  append_scalars(key, key.accepts, any);
  if ((key.accepts & kListShape) != 0)
    any.push_back(
        Json::object({{"type", "array"}, {"minItems", 1}, {"items", element_schema(key)}}));
  if ((key.accepts & kMappingShape) != 0) any.push_back(reference_to(key.inside));
  Json schema = alternatives(std::move(any));
  schema["description"] = key.meaning;
  return schema;
}

Json section_schema(Section section) {
  Json properties = Json::object();
  Json required = Json::array();
  Json others = false;
  for (const std::string_view name : key_names(section)) {
    const KeySpec& key = *find_key(section, name);
    if (name == "*")
      others = value_schema(key);
    else
      properties[name] = value_schema(key);
    if (key.is_required) required.push_back(name);
  }
  Json schema = Json::object({{"type", "object"}, {"minProperties", 1}});
  if (!properties.as_object().empty()) schema["properties"] = std::move(properties);
  if (!required.as_array().empty()) schema["required"] = std::move(required);
  schema["additionalProperties"] = std::move(others);
  return schema;
}

}  // namespace

Json make_schema() {
  Json definitions = Json::object();
  for (const SectionInfo& info : all_sections())
    definitions[info.name] = section_schema(info.section);
  return Json::object({{"$schema", "https://json-schema.org/draft/2020-12/schema"},
                       {"title", "qbuild manifest"},
                       {"$ref", "#/$defs/manifest"},
                       {"$defs", std::move(definitions)}});
}

}  // namespace qbuild::manifests
