// Requests and results as JSON, for the pipe between engine and worker. Bytes of inline files need
// not be UTF-8, so they travel as text where they are and as hex where they are not. Donors and
// pieces, which few actions have, are members only where there are some.

#include <fmt/core.h>

#include <cmath>

#include "base/error.h"
#include "cache/artifact.h"
#include "engine/rule.h"

namespace qbuild::engine {
namespace {

// More inputs, files or facets than this in one request or result: nobody's.
constexpr std::size_t kMaxEntries = 1u << 20;

// Json prints what is no UTF-8 with replacement characters; then it does not come back as it was.
bool survives_json(std::string_view text) {
  return Json::parse(Json(text).dump()).as_string() == text;
}

std::string to_hex(std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string hex;
  hex.reserve(bytes.size() * 2);
  for (const char c : bytes) {
    const auto value = static_cast<unsigned char>(c);
    hex += kDigits[value >> 4];
    hex += kDigits[value & 15];
  }
  return hex;
}

unsigned nibble(char c) {
  if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<unsigned>(c - 'a') + 10;
  throw Error(ErrorKind::kCorrupt, "expected hex digits");
}

std::string from_hex(std::string_view hex) {
  if (hex.size() % 2 != 0) throw Error(ErrorKind::kCorrupt, "expected pairs of hex digits");
  std::string bytes;
  bytes.reserve(hex.size() / 2);
  for (std::size_t i = 0; i < hex.size(); i += 2) {
    bytes += static_cast<char>(nibble(hex[i]) * 16 + nibble(hex[i + 1]));
  }
  return bytes;
}

Json bytes_to_json(std::string_view bytes) {
  if (survives_json(bytes)) return Json(bytes);
  return Json::object({{"hex", to_hex(bytes)}});
}

std::string bytes_from_json(const Json& json) {
  return json.is_object() ? from_hex(json.at("hex").as_string()) : json.as_string();
}

Json map_to_json(const std::map<std::string, std::string>& map) {
  Json json = Json::object();
  for (const auto& [name, bytes] : map) json[name] = bytes_to_json(bytes);
  return json;
}

std::map<std::string, std::string> map_from_json(const Json& json) {
  std::map<std::string, std::string> map;
  for (const auto& [name, value] : json.as_object()) map.emplace(name, bytes_from_json(value));
  return map;
}

Digest digest_from_json(const Json& json) {
  const std::optional<Digest> digest = Digest::from_hex(json.as_string());
  if (!digest) throw Error(ErrorKind::kCorrupt, fmt::format("{} is no SHA-256", json.dump()));
  return *digest;
}

void require_count(const Json::Array& array) {
  if (array.size() > kMaxEntries) {
    throw Error(ErrorKind::kCorrupt,
                fmt::format("{} entries; at most {} are accepted", array.size(), kMaxEntries));
  }
}

Json to_json(const Donor& donor) {
  Json files = Json::object();
  for (const auto& [name, path] : donor.files) files[name] = bytes_to_json(path.native());
  return Json::object(
      {{"record", bytes_to_json(donor.record.native())}, {"files", std::move(files)}});
}

Donor donor_from_json(const Json& json) {
  Donor donor{.record = bytes_from_json(json.at("record")), .files = {}};
  for (const auto& [name, path] : json.at("files").as_object())
    donor.files.emplace(name, bytes_from_json(path));
  return donor;
}

Json to_json(const ResolvedInput& input) {
  Json paths = Json::array();
  for (const fs::path& path : input.paths) paths.push_back(bytes_to_json(path.native()));
  return Json::object({{"label", input.label},
                       {"status", status_name(input.status)},
                       {"reason", input.reason},
                       {"artifact", cache::to_json(input.artifact)},
                       {"paths", std::move(paths)},
                       {"inline_files", map_to_json(input.inline_files)},
                       {"origin", input.origin}});
}

ResolvedInput input_from_json(const Json& json) {
  ResolvedInput input;
  input.label = json.at("label").as_string();
  const std::optional<Status> status = status_from_name(json.at("status").as_string());
  if (!status) throw Error(ErrorKind::kCorrupt, "unknown status " + json.at("status").dump());
  input.status = *status;
  input.reason = json.at("reason").as_string();
  input.artifact = cache::artifact_from_json(json.at("artifact"));
  for (const Json& path : json.at("paths").as_array())
    input.paths.emplace_back(bytes_from_json(path));
  if (input.paths.size() != input.artifact.files.size()) {
    throw Error(ErrorKind::kCorrupt, fmt::format("{} paths for {} files", input.paths.size(),
                                                 input.artifact.files.size()));
  }
  input.inline_files = map_from_json(json.at("inline_files"));
  input.origin = json.at("origin");
  return input;
}

// What a parser of values throws says that the text is wrong; here it means that a peer wrote
// nonsense.
template <typename Body>
auto as_corrupt(std::string_view what, Body&& body) {
  try {
    return body();
  } catch (const Error& error) {
    throw Error(ErrorKind::kCorrupt, fmt::format("{}: {}", what, error.message()));
  }
}

}  // namespace

Json to_json(const ActionRequest& request) {
  Json inputs = Json::array();
  for (const ResolvedInput& input : request.inputs) inputs.push_back(to_json(input));
  Json json = Json::object({{"id", request.id},
                            {"target", request.target},
                            {"rule", request.rule},
                            {"key", request.key_hex},
                            {"params", request.params},
                            {"context", request.context},
                            {"inputs", std::move(inputs)},
                            {"scratch", bytes_to_json(request.scratch.native())},
                            {"threads", request.threads},
                            {"backend", request.backend}});
  for (const Donor& donor : request.donors) json["donors"].push_back(to_json(donor));
  return json;
}

ActionRequest request_from_json(const Json& json) {
  return as_corrupt("action request", [&] {
    ActionRequest request;
    request.id = json.at("id").as_string();
    request.target = json.at("target").as_string();
    request.rule = json.at("rule").as_string();
    request.key_hex = json.at("key").as_string();
    request.params = json.at("params");
    request.context = json.at("context");
    require_count(json.at("inputs").as_array());
    for (const Json& input : json.at("inputs").as_array()) {
      request.inputs.push_back(input_from_json(input));
    }
    request.scratch = bytes_from_json(json.at("scratch"));
    const std::uint64_t threads = json.at("threads").as_uint();
    constexpr std::uint64_t kMaxThreads = 4096;
    if (threads < 1 || threads > kMaxThreads) {
      throw Error(ErrorKind::kCorrupt, fmt::format("{} threads", threads));
    }
    request.threads = static_cast<unsigned>(threads);
    request.backend = json.at("backend").as_string();
    if (const Json* donors = json.find("donors")) {
      require_count(donors->as_array());
      for (const Json& donor : donors->as_array()) request.donors.push_back(donor_from_json(donor));
    }
    return request;
  });
}

Json to_json(const ActionResult& result) {
  Json files = Json::array();
  for (const ProducedFile& file : result.files) {
    files.push_back(Json::object({{"name", file.name},
                                  {"path", bytes_to_json(file.path.native())},
                                  {"sha256", file.sha256.hex()},
                                  {"size", file.size_bytes}}));
  }
  Json json = Json::object({{"files", std::move(files)},
                            {"inline_files", map_to_json(result.inline_files)},
                            {"facets", map_to_json(result.facets)},
                            {"facts", result.facts},
                            {"bytes_read", result.bytes_read},
                            {"bytes_written", result.bytes_written},
                            {"bytes_hashed", result.bytes_hashed},
                            {"requests", result.requests},
                            {"pieces_computed", result.pieces_computed},
                            {"pieces_copied", result.pieces_copied}});
  if (!result.pieces.empty()) json["pieces"] = cache::to_json(result.pieces);
  return json;
}

ActionResult result_from_json(const Json& json) {
  return as_corrupt("action result", [&] {
    ActionResult result;
    require_count(json.at("files").as_array());
    for (const Json& file : json.at("files").as_array()) {
      result.files.push_back({.name = file.at("name").as_string(),
                              .path = bytes_from_json(file.at("path")),
                              .sha256 = digest_from_json(file.at("sha256")),
                              .size_bytes = file.at("size").as_uint()});
    }
    result.inline_files = map_from_json(json.at("inline_files"));
    result.facets = map_from_json(json.at("facets"));
    result.facts = json.at("facts");
    result.bytes_read = json.at("bytes_read").as_uint();
    result.bytes_written = json.at("bytes_written").as_uint();
    result.bytes_hashed = json.at("bytes_hashed").as_uint();
    result.requests = json.at("requests").as_uint();
    result.pieces_computed = json.at("pieces_computed").as_uint();
    result.pieces_copied = json.at("pieces_copied").as_uint();
    if (const Json* pieces = json.find("pieces")) result.pieces = cache::pieces_from_json(*pieces);
    return result;
  });
}

}  // namespace qbuild::engine
