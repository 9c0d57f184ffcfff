#include <fmt/core.h>

#include "rules/card_document.h"

namespace qbuild::rules {
namespace {

using engine::ActionRequest;

// Keys of the source's card that hold for every quantized form of it.
constexpr std::string_view kCarried[] = {"license", "license_name", "language", "pipeline_tag"};

Json number(const Json& text) {
  return Json(std::stod(text.as_string()));
}

// One entry per variant, as the Hub's evaluation results want it.
Json model_index(const Json& document) {
  Json index = Json::array();
  const Json& benchmark = document.at("benchmark");
  if (benchmark.is_null() || benchmark.at("texts").as_array().empty()) return index;
  const Json& text = benchmark.at("texts").as_array().front();
  for (const Json& row : document.at("variants").as_array()) {
    const Json& perplexity = row.at("perplexity");
    if (perplexity.is_null()) continue;
    Json metrics = Json::array();
    metrics.push_back(Json::object({{"type", "perplexity"},
                                    {"value", number(perplexity.at("value"))},
                                    {"name", "Perplexity"}}));
    Json results = Json::array();
    results.push_back(Json::object(
        {{"task", Json::object({{"type", "text-generation"}, {"name", "Text Generation"}})},
         {"dataset",
          Json::object(
              {{"type", text.at("name")},
               {"name", fmt::format("{} (context {}, {} chunks)", text.at("name").as_string(),
                                    text.at("context").as_int(), text.at("chunks").as_int())}})},
         {"metrics", std::move(metrics)}}));
    index.push_back(
        Json::object({{"name", fmt::format("{} {}", document.at("repo").at("name").as_string(),
                                           row.at("name").as_string())},
                      {"results", std::move(results)}}));
  }
  return index;
}

void add_tag(Json& tags, std::string_view tag) {
  for (const Json& known : tags.as_array())
    if (known.is_string() && known.as_string() == tag) return;
  tags.push_back(tag);
}

bool is_address(std::string_view link) {
  return link.starts_with("https://") || link.starts_with("http://");
}

}  // namespace

std::string public_license_link(const ActionRequest& request, const Json& front_matter) {
  const Json* const value = front_matter.find("license_link");
  if (value == nullptr || !value->is_string()) return "";
  const std::string& link = value->as_string();
  if (is_address(link)) return link;
  // A path in the source's repository; where that is, only the manifest can say.
  const std::string source = request.params.get_string("base_model");
  if (source.empty() || link.empty() || link.starts_with('/')) return "";
  return fmt::format("https://huggingface.co/{}/blob/main/{}", source, percent_encoded(link));
}

Json card_front_matter(const ActionRequest& request, const Json& document,
                       const Json& front_matter) {
  Json card = Json::object();
  for (const std::string_view key : kCarried)
    if (const Json* const value = front_matter.find(key); value != nullptr && !value->is_null())
      card[key] = *value;
  if (const std::string link = public_license_link(request, front_matter); !link.empty())
    card["license_link"] = link;
  // Not the base_model of the source's card: that is what the source was made from, and these files
  // are made from the source.
  if (std::string source = request.params.get_string("base_model"); !source.empty()) {
    card["base_model"] = std::move(source);
    card["base_model_relation"] = "quantized";
  }
  const bool all_gguf = [&] {
    for (const Json& variant : request.params.at("variants").as_array())
      if (variant.find("file") == nullptr) return false;
    return true;
  }();
  if (all_gguf) card["library_name"] = "gguf";
  card["quantized_by"] = document.at("repo").at("owner");
  Json tags = Json::array();
  if (all_gguf) add_tag(tags, "gguf");
  add_tag(tags, "quantized");
  if (const Json* const own = front_matter.find("tags"); own != nullptr && own->is_array())
    for (const Json& tag : own->as_array())
      if (tag.is_string()) add_tag(tags, tag.as_string());
  card["tags"] = std::move(tags);
  Json index = model_index(document);
  if (!index.as_array().empty()) card["model-index"] = std::move(index);
  return card;
}

}  // namespace qbuild::rules
