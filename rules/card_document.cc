#include "rules/card_document.h"

#include <fmt/core.h>

#include <algorithm>

#include "rules/display.h"
#include "rules/published.h"
#include "rules/rule_table.h"

namespace qbuild::rules {
namespace {

using engine::ActionRequest;
using engine::ResolvedInput;
using engine::Status;

const ResolvedInput* find_input(const ActionRequest& request, const std::string& label) {
  const auto found = std::find_if(request.inputs.begin(), request.inputs.end(),
                                  [&](const ResolvedInput& input) { return input.label == label; });
  return found == request.inputs.end() ? nullptr : &*found;
}

Json result_of(const ActionRequest& request, const std::string& label) {
  const ResolvedInput* const input = find_input(request, label);
  if (input == nullptr) return {};
  const auto result = input->inline_files.find("result.json");
  return result == input->inline_files.end() ? Json() : Json::parse(result->second);
}

// The first text of a quality result: the one whose numbers the table shows.
const Json* first_text(const Json& quality) {
  const Json* const texts = quality.find("texts");
  if (texts == nullptr || texts->as_array().empty()) return nullptr;
  return &texts->as_array().front();
}

Json perplexity_json(const Json& quality, const Json& source_quality) {
  const Json* const text = first_text(quality);
  if (text == nullptr) return {};
  const double value = text->at("perplexity").as_double();
  Json shown = Json::object({{"value", display_fixed(value, 3)},
                             {"error", display_fixed(text->at("standard_error").as_double(), 3)}});
  const Json* const source = first_text(source_quality);
  shown["ratio"] = source == nullptr
                       ? Json()
                       : Json(display_fixed(value / source->at("perplexity").as_double(), 4));
  return shown;
}

std::string rate_text(const Json& rate) {
  const double mean = rate.at("tokens_per_second").as_double();
  const int digits = mean < 100 ? 1 : 0;
  return fmt::format("{} ± {}", display_fixed(mean, digits),
                     display_fixed(rate.at("deviation").as_double(), digits));
}

Json speed_json(const Json& speed) {
  if (speed.is_null()) return {};
  const auto text = [&](std::string_view key) {
    const Json* const rate = speed.find(key);
    return rate == nullptr ? Json("-") : Json(rate_text(*rate));
  };
  return Json::object({{"prompt", text("prompt")}, {"generate", text("generate")}});
}

Json memory_json(const Json& speed) {
  const Json* const memory = speed.find("memory");
  return memory == nullptr ? Json() : Json(display_bytes(memory->at("maximum").as_uint()));
}

std::string file_name_of(const std::string& path) {
  return path.substr(path.rfind('/') + 1);
}

// The row of a variant that a gate holds: the one that is published, with why it stayed. Null if
// none is.
Json held_row(const ActionRequest& request, const std::string& name, const ResolvedInput& gate) {
  const auto value = gate.inline_files.find("result.json");
  const Json earlier = value == gate.inline_files.end() ? Json() : Json::parse(value->second);
  if (earlier.is_null()) return {};  // neither in the repository nor in the card
  const PublishedVariant published = published_variant_from_json(earlier);
  std::vector<Digest> before;
  for (const PublishedFile& file : published.files) before.push_back(file.sha256);
  std::vector<Digest> now;
  for (const cache::FileEntry& file : request.input("model." + name).artifact.files)
    now.push_back(file.sha256);
  std::sort(before.begin(), before.end());
  std::sort(now.begin(), now.end());
  const std::string held_by = earlier.get_string("held_by", "it did not pass a gate");
  Json row = published.card;
  row["published_earlier"] = Json::object(
      {{"reason", before == now
                      ? fmt::format("this file was published before it was held ({})", held_by)
                      : fmt::format("its newer form is withheld ({})", held_by)}});
  return row;
}

Json variant_row(const ActionRequest& request, const Json& variant, const Json& source_quality) {
  const std::string& name = variant.at("name").as_string();
  const ResolvedInput& gate = request.input("gate." + name);
  if (gate.status == Status::kHeld) return held_row(request, name, gate);
  const cache::Artifact& artifact = request.input("model." + name).artifact;
  const bool one_file = variant.find("file") != nullptr;
  const std::string path =
      one_file ? variant.at("file").as_string() : variant.get_string("folder", name) + "/";
  const Json* const bits = artifact.facts.find("bits_per_weight");
  const Json speed = result_of(request, "speed." + name);
  Json row = Json::object({{"name", name}, {"label", variant.get_string("label", name)}});
  row["file"] = one_file ? file_name_of(path) : path;
  row["path"] = path;
  row["url_path"] = percent_encoded(path);
  row["size_bytes"] = artifact.total_bytes();
  row["size"] = display_bytes(artifact.total_bytes());
  row["bits_per_weight"] = bits == nullptr ? Json() : Json(display_fixed(bits->as_double(), 2));
  row["sha256"] =
      artifact.files.size() == 1 ? artifact.files[0].sha256.hex() : artifact.digest().hex();
  row["perplexity"] = perplexity_json(result_of(request, "quality." + name), source_quality);
  row["speed"] = speed_json(speed);
  row["memory"] = memory_json(speed);
  row["published_earlier"] = Json();
  return row;
}

bool any_has(const Json& variants, std::string_view key) {
  const auto& list = variants.as_array();
  return std::any_of(list.begin(), list.end(), [&](const Json& row) {
    const Json* const value = row.find(key);
    return value != nullptr && !value->is_null();
  });
}

// The first result of that kind among the variants that are ready.
Json first_result(const ActionRequest& request, std::string_view kind) {
  for (const Json& variant : request.params.at("variants").as_array()) {
    Json result = result_of(request, fmt::format("{}.{}", kind, variant.at("name").as_string()));
    if (!result.is_null()) return result;
  }
  return {};
}

Json benchmark_json(const ActionRequest& request) {
  const Json quality = first_result(request, "quality");
  const Json speed = first_result(request, "speed");
  if (quality.is_null() && speed.is_null()) return {};
  Json texts = Json::array();
  if (const Json* const list = quality.find("texts"))
    for (const Json& text : list->as_array())
      texts.push_back(Json::object({{"name", text.at("name")},
                                    {"tokens", text.at("tokens_scored")},
                                    {"context", text.at("context")},
                                    {"chunks", text.at("chunks")}}));
  Json throughput;
  if (!speed.is_null()) {
    const auto tokens = [&](std::string_view key) {
      const Json* const rate = speed.find(key);
      return rate == nullptr ? Json(0) : rate->at("tokens");
    };
    throughput = Json::object({{"prompt", tokens("prompt")},
                               {"generate", tokens("generate")},
                               {"repeat", speed.at("repeat")}});
  }
  return Json::object(
      {{"texts", std::move(texts)},
       {"activations", quality.get_string("activations") == "f32" ? "f32" : "as run"},
       {"throughput", std::move(throughput)}});
}

// Where the speed was measured, from its record.
Json machine_json(const ActionRequest& request) {
  for (const Json& variant : request.params.at("variants").as_array()) {
    const std::string label = "speed." + variant.at("name").as_string();
    const ResolvedInput* const input = find_input(request, label);
    const Json* const machine = input == nullptr ? nullptr : input->origin.find("machine");
    if (machine == nullptr || machine->is_null()) continue;
    return Json::object({{"cpu", machine->get_string("cpu")},
                         {"vector_units", machine->get_string("vector_units")},
                         {"threads", result_of(request, label).at("threads")},
                         {"memory", display_bytes(static_cast<std::uint64_t>(
                                        machine->get_int("memory_bytes", 0)))}});
  }
  return {};
}

Json text_or_null(const Json& from, std::string_view key) {
  const Json* const value = from.find(key);
  return value != nullptr && value->is_string() ? *value : Json();
}

Json model_json(const ActionRequest& request, const Json& front_matter) {
  Json facts;
  for (const Json& variant : request.params.at("variants").as_array()) {
    const ResolvedInput* const made =
        find_input(request, "model." + variant.at("name").as_string());
    if (made != nullptr && made->artifact.facts.find("parameters") != nullptr)
      facts = made->artifact.facts;
  }
  Json model = Json::object({{"name", request.params.at("model")}});
  model["title"] = front_matter.get_string("model_name", request.params.at("source").as_string());
  model["source"] = request.params.at("source");
  model["source_url"] = Json();
  const std::string base = request.params.get_string("base_model");
  model["base_model"] = base.empty() ? Json() : Json(base);
  model["architecture"] = facts.get_string("architecture", "llama");
  const Json* const parameters = facts.find("parameters");
  model["parameters"] =
      parameters == nullptr ? Json("unknown") : Json(display_count(parameters->as_uint()));
  const Json* const context = facts.find("context_length");
  model["context_length"] = context == nullptr ? Json() : *context;
  const std::string license = front_matter.get_string("license");
  model["license"] = license.empty() ? "unknown" : license;
  model["license_name"] = text_or_null(front_matter, "license_name");
  const std::string link = public_license_link(request, front_matter);
  model["license_link"] = link.empty() ? Json() : Json(link);
  model["description"] = Json();
  const Json* const accepted = request.params.find("license");
  model["attribution"] =
      accepted == nullptr
          ? Json()
          : Json(fmt::format("The licence {} was accepted for publication: {}",
                             accepted->get_string("accept"), accepted->get_string("reason")));
  return model;
}

Json source_json(const Json& source_quality) {
  const Json* const text = first_text(source_quality);
  if (text == nullptr) return Json::object({{"perplexity", Json()}});
  Json perplexity =
      Json::object({{"value", display_fixed(text->at("perplexity").as_double(), 3)},
                    {"error", display_fixed(text->at("standard_error").as_double(), 3)}});
  return Json::object({{"perplexity", std::move(perplexity)}});
}

// Of that name in a quality result; null if it was not measured on it.
const Json* find_text(const Json& quality, const Json& name) {
  const Json* const texts = quality.find("texts");
  if (texts == nullptr) return nullptr;
  for (const Json& text : texts->as_array())
    if (text.at("name") == name) return &text;
  return nullptr;
}

// A row per variant that was measured on this text; those of earlier forms are known for the first
// text alone.
Json text_results(const ActionRequest& request, const Json& name, const Json& source_quality) {
  const Json* const source = find_text(source_quality, name);
  Json results = Json::array();
  for (const Json& variant : request.params.at("variants").as_array()) {
    const std::string& variant_name = variant.at("name").as_string();
    if (request.input("gate." + variant_name).status == Status::kHeld) continue;
    const Json quality = result_of(request, "quality." + variant_name);
    const Json* const text = find_text(quality, name);
    if (text == nullptr) continue;
    const double value = text->at("perplexity").as_double();
    Json row = Json::object({{"name", variant_name},
                             {"value", display_fixed(value, 3)},
                             {"error", display_fixed(text->at("standard_error").as_double(), 3)}});
    row["ratio"] = source == nullptr
                       ? Json()
                       : Json(display_fixed(value / source->at("perplexity").as_double(), 4));
    results.push_back(std::move(row));
  }
  return results;
}

// A table for each text after the first, whose numbers stand in the variants' rows.
Json more_texts_json(const ActionRequest& request, const Json& source_quality) {
  Json tables = Json::array();
  const Json quality = first_result(request, "quality");
  const Json* const texts = quality.find("texts");
  if (texts == nullptr) return tables;
  for (std::size_t i = 1; i < texts->as_array().size(); ++i) {
    const Json& name = texts->as_array()[i].at("name");
    Json results = text_results(request, name, source_quality);
    if (!results.as_array().empty())
      tables.push_back(Json::object({{"name", name}, {"results", std::move(results)}}));
  }
  return tables;
}

// The variant that commands show: Q4_K_M, which most people take, else the one of median size. A
// folder is none.
Json example_of(const Json& variants) {
  std::vector<const Json*> files;
  for (const Json& row : variants.as_array())
    if (!row.at("path").as_string().ends_with('/')) files.push_back(&row);
  if (files.empty()) return {};
  std::stable_sort(files.begin(), files.end(), [](const Json* a, const Json* b) {
    return a->at("size_bytes").as_uint() < b->at("size_bytes").as_uint();
  });
  const auto usual = std::find_if(files.begin(), files.end(), [](const Json* row) {
    return row->at("label").as_string() == "Q4_K_M";
  });
  const Json& row = usual != files.end() ? **usual : *files[(files.size() - 1) / 2];
  return Json::object(
      {{"name", row.at("name")}, {"label", row.at("label")}, {"path", row.at("path")}});
}

}  // namespace

std::string percent_encoded(std::string_view path) {
  constexpr std::string_view kPlain = "-._~/";
  std::string text;
  for (const char c : path) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
                       (byte >= '0' && byte <= '9') || kPlain.find(c) != std::string_view::npos;
    text += plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned>(byte));
  }
  return text;
}

Json card_document(const ActionRequest& request, const Json& front_matter) {
  const Json source_quality = result_of(request, "source_quality");
  Json variants = Json::array();
  for (const Json& variant : request.params.at("variants").as_array()) {
    Json row = variant_row(request, variant, source_quality);
    if (!row.is_null()) variants.push_back(std::move(row));
  }
  const std::string repo = request.params.at("repo").as_string();
  const auto slash = repo.find('/');
  Json document = Json::object({{"version", 1}, {"layout", request.params.at("layout")}});
  document["repo"] = Json::object({{"id", repo},
                                   {"owner", repo.substr(0, slash)},
                                   {"name", repo.substr(slash + 1)},
                                   {"url", Json()}});
  document["model"] = model_json(request, front_matter);
  document["shows"] = Json::object({{"perplexity", any_has(variants, "perplexity")},
                                    {"speed", any_has(variants, "speed")},
                                    {"memory", any_has(variants, "memory")},
                                    {"published_earlier", any_has(variants, "published_earlier")}});
  document["source"] = source_json(source_quality);
  document["more_texts"] = more_texts_json(request, source_quality);
  document["example"] = example_of(variants);
  document["variants"] = std::move(variants);
  document["benchmark"] = benchmark_json(request);
  document["machine"] = machine_json(request);
  document["made"] =
      Json::object({{"qbuild", std::string(kToolVersion.substr(kToolVersion.find(' ') + 1))},
                    {"manifest", request.params.at("manifest")}});
  return document;
}

Json card_origins(const ActionRequest& request) {
  Json origins = Json::object();
  const auto note = [&](const std::string& path, const std::string& label) {
    const ResolvedInput* const input = find_input(request, label);
    const Json* const key = input == nullptr ? nullptr : input->origin.find("key");
    if (key != nullptr) origins[path] = *key;
  };
  note("source.perplexity", "source_quality");
  for (const Json& variant : request.params.at("variants").as_array()) {
    const std::string& name = variant.at("name").as_string();
    const ResolvedInput& gate = request.input("gate." + name);
    if (gate.status == Status::kHeld) continue;
    const std::string row = fmt::format("variants[name={}]", name);
    note(row, "model." + name);
    note(row + ".perplexity", "quality." + name);
    note(row + ".speed", "speed." + name);
    note(row + ".memory", "speed." + name);
  }
  return origins;
}

}  // namespace qbuild::rules
