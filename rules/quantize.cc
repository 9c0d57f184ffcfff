#include "rules/quantize.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/error.h"
#include "base/thread_pool.h"
#include "formats/checkpoint.h"
#include "formats/gguf_metadata.h"
#include "formats/gguf_writer.h"
#include "kernels/codec.h"
#include "models/checkpoint_source.h"
#include "models/checkpoint_tensors.h"
#include "models/tensor_names.h"
#include "rules/display.h"
#include "rules/evaluated_model.h"
#include "rules/gguf_artifact.h"
#include "rules/hashing_file.h"
#include "rules/in_background.h"
#include "rules/recipe.h"
#include "rules/rule_table.h"
#include "rules/source.h"
#include "rules/tensor_role.h"
#include "rules/tensor_stream.h"

namespace qbuild::rules {
namespace {

using engine::ActionContext;
using engine::ActionRequest;
using engine::ActionResult;

constexpr std::uint64_t kMaxTemplateBytes = 4u << 20;
constexpr std::string_view kOutputName = "model.gguf";

std::vector<Override> overrides_of(const Json& params) {
  std::vector<Override> overrides;
  for (const Json& json : params.at("overrides").as_array()) {
    Override override{.match = json.at("match").as_string(), .layers = {}, .type = DType::kF32};
    for (const Json& range : json.at("layers").as_array())
      override.layers.emplace_back(static_cast<int>(range.as_array().at(0).as_int()),
                                   static_cast<int>(range.as_array().at(1).as_int()));
    const auto type = dtype_from_name(json.at("type").as_string());
    if (!type) throw Error(ErrorKind::kInvalidInput, "unknown type " + json.at("type").as_string());
    override.type = *type;
    overrides.push_back(std::move(override));
  }
  return overrides;
}

kernels::Effort effort_of(const Json& params) {
  const std::string& effort = params.at("effort").as_string();
  if (effort != "default" && effort != "best")
    throw Error(ErrorKind::kInvalidInput, "unknown effort " + effort);
  return effort == "best" ? kernels::Effort::kBest : kernels::Effort::kDefault;
}

// The source as it was imported: what was hashed is what is read.
void check_unchanged(const ActionRequest& request, FileSystem& files) {
  for (const Json& seen : request.context.at("stats").as_array()) {
    const fs::path path = seen.at("path").as_string();
    const auto now = files.stat(path);
    if (!now || now->size_bytes != seen.at("size").as_uint() ||
        now->mtime_ns != seen.at("mtime_ns").as_int())
      throw Error(
          ErrorKind::kTransient,
          fmt::format("{} changed since it was imported; run again when nothing writes to it",
                      path.string()));
  }
}

formats::TokenizerConfig tokenizer_config(const ActionRequest& request, FileSystem& files,
                                          const fs::path& folder) {
  auto config = formats::read_tokenizer_config(files, folder);
  for (const engine::ResolvedInput& input : request.inputs) {
    if (input.label != "template") continue;
    std::erase_if(config.chat_templates, [](const auto& one) { return one.name.empty(); });
    config.chat_templates.insert(config.chat_templates.begin(),
                                 {"", read_file(files, input.paths.at(0), kMaxTemplateBytes)});
  }
  return config;
}

// Every tensor of the output, in the file's order. The checkpoint is opened anew here, so it is
// held to config.json anew.
std::vector<StreamedTensor> plan_tensors(const formats::Checkpoint& checkpoint,
                                         const models::HyperParameters& parameters,
                                         const fs::path& folder, const Recipe& recipe,
                                         const std::vector<Override>& overrides) {
  std::vector<StreamedTensor> tensors;
  std::vector<TensorSpec> specs;
  for (const auto& [name, stored] : models::network_tensors(checkpoint, parameters, folder))
    tensors.push_back(
        {.source = stored,
         .name = models::gguf_name(name),
         .shape = {stored->shape.rbegin(), stored->shape.rend()},
         .type = DType::kF32,
         .permuted_head_dim = models::has_permuted_rows(name.role) ? parameters.head_dim : 0});
  std::sort(tensors.begin(), tensors.end(),
            [](const auto& a, const auto& b) { return file_order(a.name, b.name); });
  specs.reserve(tensors.size());
  for (const StreamedTensor& tensor : tensors) specs.push_back({tensor.name, tensor.shape});
  const auto types = choose_types(recipe, {.overrides = overrides}, specs,
                                  {.block_count = static_cast<std::uint32_t>(parameters.layers),
                                   .head_count = static_cast<std::uint32_t>(parameters.heads),
                                   .head_count_kv = static_cast<std::uint32_t>(parameters.kv_heads),
                                   .architecture = parameters.architecture});
  for (std::size_t i = 0; i < tensors.size(); ++i) tensors[i].type = types[i].type;
  return tensors;
}

std::uint64_t count_values(const std::vector<StreamedTensor>& tensors) {
  std::uint64_t total = 0;
  for (const StreamedTensor& tensor : tensors) total += tensor.values();
  return total;
}

// What the file is to hold.
std::vector<formats::GgufTensorSpec> specs_of(const std::vector<StreamedTensor>& tensors,
                                              const std::vector<float>& rope_factors) {
  std::vector<formats::GgufTensorSpec> specs;
  if (!rope_factors.empty())
    specs.push_back({"rope_freqs.weight", {rope_factors.size()}, DType::kF32});
  for (const StreamedTensor& tensor : tensors)
    specs.push_back({tensor.name, tensor.shape, tensor.type});
  return specs;
}

// What was planned is an estimate, and the disk has had time to fill up: better to say so now than
// after an hour.
void require_space(FileSystem& files, const fs::path& folder, std::uint64_t bytes) {
  const std::uint64_t free = files.free_bytes(folder);
  if (free >= bytes) return;
  throw Error(ErrorKind::kExhausted,
              fmt::format("{}: it needs {} bytes in {}, {} are free; free some, or point --store "
                          "elsewhere",
                          kOutputName, bytes, folder.string(), free));
}

class QuantizeRule final : public engine::Rule {
 public:
  [[nodiscard]] const engine::RuleTraits& traits() const override { return traits_; }

  ActionResult run(const ActionRequest& request, ActionContext& context) const override {
    FileSystem& files = context.file_system();
    const fs::path folder = request.context.at("checkpoint").as_string();
    const Recipe* const recipe = find_recipe(request.params.at("recipe").as_string());
    if (recipe == nullptr)
      throw Error(ErrorKind::kUnsupported,
                  "unknown recipe " + request.params.at("recipe").as_string());
    check_unchanged(request, files);
    const auto config = formats::read_config(files, folder);
    const auto checkpoint = formats::Checkpoint::open(files, folder);
    const auto tensors = plan_tensors(checkpoint, models::parameters_from_config(config), folder,
                                      *recipe, overrides_of(request.params));
    const std::vector<float> rope_factors = formats::llama3_rope_factors(config);
    const auto specs = specs_of(tensors, rope_factors);
    const auto metadata =
        formats::llama_metadata({.name = request.params.at("name").as_string(),
                                 .parameters = count_values(tensors),
                                 .file_type = recipe->file_type},
                                config, formats::read_tokenizer_json(files, folder),
                                tokenizer_config(request, files, folder));

    const fs::path path = request.scratch / kOutputName;
    ActionResult result;
    HashingFile out(files.create(path, CreateMode::kExclusive));
    formats::GgufWriter writer(out, metadata, specs);
    require_space(files, request.scratch, writer.total_bytes() - out.size_bytes());
    if (!rope_factors.empty()) writer.append(std::as_bytes(std::span(rope_factors)));
    write_weights(writer, tensors, checkpoint, request, context, result);
    writer.finish();
    out.close();
    check_unchanged(request, files);
    result.bytes_written = out.size_bytes();
    result.bytes_hashed = out.size_bytes();
    result.files.push_back({.name = std::string(kOutputName),
                            .path = path,
                            .sha256 = out.finish(),
                            .size_bytes = out.size_bytes()});
    const GgufDescription description = describe_gguf(files, path);
    require_tensors(files, path, specs);
    require_file_type(description, *recipe);
    result.facets = description.facets;
    result.facts = description.facts;
    return result;
  }

 private:
  static void write_weights(formats::GgufWriter& writer, const std::vector<StreamedTensor>& tensors,
                            const formats::Checkpoint& checkpoint, const ActionRequest& request,
                            ActionContext& context, ActionResult& result) {
    ThreadPool pool(request.threads);
    TensorStream stream(checkpoint, {backend_of(request), effort_of(request.params)}, pool);
    const std::uint64_t total = count_values(tensors);
    std::uint64_t done = 0;
    InBackground writing;  // and hashing, which takes as long as encoding
    for (const StreamedTensor& tensor : tensors) {
      if (context.stop().stop_requested()) throw Error(ErrorKind::kCancelled, "stopped");
      std::uint64_t written = 0;
      stream.convert(tensor, [&](Bytes bytes) {
        writing.run([&writer, bytes] {
          with_context(fmt::format("{} ({} bytes)", kOutputName, writer.total_bytes()),
                       [&] { writer.append(bytes); });
        });
        written += bytes.size();
      });
      context.log(fmt::format("{}  {} -> {}  {}", tensor.name, dtype_name(tensor.source->dtype),
                              dtype_name(tensor.type), display_bytes(written)));
      result.bytes_read += tensor.source->size_bytes;
      done += tensor.values();
      context.progress(done, total, "weights");
    }
    writing.finish();
  }

  static void require_file_type(const GgufDescription& description, const Recipe& recipe) {
    if (description.facts.at("file_type").as_uint() != recipe.file_type)
      throw Error(ErrorKind::kCorrupt, "the finished file does not say the recipe's file type");
  }

  engine::RuleTraits traits_ = quantize_traits();
};

}  // namespace

std::unique_ptr<engine::Rule> make_quantize_rule() {
  return std::make_unique<QuantizeRule>();
}

}  // namespace qbuild::rules
