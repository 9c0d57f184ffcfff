#pragma once
// A manifest as values: includes merged, defaults laid under every model, matrices multiplied out,
// variables replaced, paths resolved. What a user declared is all here; what it means is decided by
// `rules/lower`.
//
// Every struct says where it stands (`at`), for messages. Relative paths are relative to the file
// that they stand in, which may be an included one.

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/dtype.h"
#include "manifests/diagnostic.h"
#include "manifests/place.h"

namespace qbuild::manifests {

namespace fs = std::filesystem;

struct PathValue {
  std::string text;  // as written, variables replaced
  fs::path path;     // absolute, normalized
  Place at;
};

struct TextValue {
  std::string text;
  Place at;
};

struct Source {
  PathValue path;               // a checkpoint's folder, or a GGUF file
  bool is_gguf = false;         // it is a file
  std::string name;             // {source.name}: see manifests/source_name.h
  bool may_requantize = false;  // although its weights are quantized already
};

// ---- variants ----

// Layers of a recipe's rule, both included. Negative ones count from the end: -1 is the last.
struct LayerRange {
  std::int32_t first = 0;
  std::int32_t last = 0;
  bool operator==(const LayerRange&) const = default;
};

// For tensors whose name matches, in those layers, this type instead of the recipe's. First match
// wins.
struct RecipeRule {
  std::string match;               // a TensorPattern that compiles; searched in the name
  std::vector<LayerRange> layers;  // empty: every tensor
  DType type = DType::kF32;        // one of tensor_types()
  Place at;
};

// One entry of `resources` of a command. 0: nothing was said.
struct ResourceNeeds {
  std::uint32_t threads = 0;
  std::uint64_t memory_bytes = 0;
  std::uint64_t scratch_bytes = 0;
  std::uint64_t time_limit_seconds = 0;
};

struct Command {
  // Variables are replaced but for "{source}" and "{out}", which are known when it runs.
  std::vector<std::string> run;
  std::vector<std::string> outputs;  // patterns of names (base/glob.h) below {out}; at least one
  std::vector<PathValue> inputs;
  std::vector<std::pair<std::string, std::string>> environment;
  std::string tool;    // its identity, such as "my-tool@1.4"; "" if none was given
  fs::path directory;  // where it runs: the folder of the manifest that declares it
  ResourceNeeds resources;
};

enum class Method : std::uint8_t { kGguf, kCommand };

enum class Effort : std::uint8_t { kDefault, kBest };  // "default", "best"

struct Variant {
  std::string name;  // unique in its model, also if case is ignored
  Place at;
  std::string declaration;  // the entry as one line of YAML, for cards
  Method method = Method::kGguf;
  // kGguf: the recipe (one of recipe_names()), and what overrides it.
  std::string recipe;
  std::vector<RecipeRule> rules;
  Effort effort = Effort::kDefault;
  bool uses_imatrix = false;  // its model has one
  // kCommand.
  std::optional<Command> command;
  // A GGUF file, or else a folder of files.
  bool is_gguf_file = true;
};

// ---- benchmarks ----

struct PerplexityText {
  std::string name;  // unique in its benchmark; the file's name without ending, if none was given
  PathValue text;
  std::uint32_t context = 512;  // tokens
  std::uint32_t chunks = 0;     // 0: the whole text
  Place at;
  Place context_at;  // of the number; `at` if it is the default
};

enum class Activations : std::uint8_t { kPacked, kF32 };  // "packed", "f32"

struct Throughput {
  std::uint32_t prompt = 512;    // tokens
  std::uint32_t generate = 128;  // tokens
  std::uint32_t repeat = 5;
  Place at;
  Place tokens_at;  // of the number of tokens that was written last; `at` if none was
};

struct Benchmark {
  std::vector<PerplexityText> texts;               // empty: no perplexity
  Activations activations = Activations::kPacked;  // of all texts
  std::optional<Throughput> throughput;
  std::string declaration;  // as one line of YAML, for cards; "" if nothing is measured
};

struct Gate {
  std::string metric;
  std::optional<double> min;
  std::optional<double> max;
  Place at;
};

// ---- publishing ----

struct LicenseOverride {
  std::string accept;  // the licence that may be published although it is not in the list
  std::string reason;
  Place at;
};

enum class Layout : std::uint8_t {
  kFlat,
  kFolders,
  kPerVariant
};  // "flat", "folders", "per-variant"

struct HubPlace {
  std::string text;  // as written: a URL or a folder
  bool is_url = true;
  fs::path path;  // of a folder: absolute, normalized
  Place at;
};

// Where a variant lies in a repository.
struct PublishedVariant {
  std::string variant;
  TextValue repo;      // "owner/name"; another one for each variant if the layout is kPerVariant
  std::string folder;  // in the repository; "": its root
  std::string file;  // name of the GGUF file in `folder`; "": the variant's files as they are named
};

struct Publish {
  HubPlace hub;
  Layout layout = Layout::kFlat;
  std::string file_pattern;  // as written
  bool is_private = false;
  std::string message;  // "{date}" is the day of the commit; everything else is replaced
  std::vector<PublishedVariant> variants;  // as Model::variants
  Place at;
};

// ---- models ----

struct MatrixValue {
  std::string variable;
  std::string value;  // as written
};

struct Model {
  std::string name;  // unique in the manifest, also if case is ignored
  Place at;
  std::vector<MatrixValue> matrix;  // what this model's variables stand for
  Source source;
  std::optional<PathValue> chat_template;
  std::optional<PathValue> imatrix;  // an importance matrix
  std::vector<Variant> variants;     // at least one
  Benchmark benchmark;
  std::vector<Gate> gates;
  std::optional<std::vector<std::string>> licenses;  // what may be published; nothing: anything
  Place licenses_at;
  std::optional<LicenseOverride> license;
  std::optional<PathValue> card_template;
  std::string base_model;  // "owner/name" of what was quantized; "": as the source's card says
  std::optional<Publish> publish;
};

struct Manifest {
  std::vector<ManifestFile> files;  // everything that was read: the named ones and their includes
  std::vector<Model> models;        // in the order of declaration

  [[nodiscard]] const Model* find(std::string_view name) const;  // null: no such model
};

}  // namespace qbuild::manifests
