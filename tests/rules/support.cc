#include "tests/rules/support.h"

#include <fmt/core.h>

#include <cmath>
#include <random>
#include <stdexcept>

#include "engine/stat_table.h"
#include "formats/checkpoint.h"
#include "formats/gguf_parts.h"
#include "formats/gguf_writer.h"
#include "rules/tensor_role.h"
#include "tests/formats/imatrix_files.h"

namespace qbuild::rules {

using engine::ActionRequest;
using engine::ResolvedInput;
using engine::Status;

void TestContext::progress(std::uint64_t done, std::uint64_t total, std::string_view unit) {
  {
    const std::lock_guard lock(mutex_);
    last_progress_ = fmt::format("{}/{} {}", done, total, unit);
  }
  if (on_progress_) on_progress_();
}

void TestContext::log(std::string_view line) {
  const std::lock_guard lock(mutex_);
  lines_.emplace_back(line);
}

std::vector<std::string> TestContext::lines() const {
  const std::lock_guard lock(mutex_);
  return lines_;
}

FakeFileSystem& TestContext::use_fake_disk() {
  auto fake = std::make_unique<FakeFileSystem>();
  FakeFileSystem& disk = *fake;
  files_ = std::move(fake);
  return disk;
}

std::string TestContext::last_progress() const {
  const std::lock_guard lock(mutex_);
  return last_progress_;
}

fs::path copy_of_bard(const fs::path& parent) {
  fs::path folder = parent / "bard-llama";
  fs::create_directories(folder);
  for (const char* const name :
       {"README.md", "config.json", "generation_config.json", "model.safetensors",
        "special_tokens_map.json", "tokenizer.json", "tokenizer_config.json"}) {
    fs::copy_file(fs::path(kBard) / name, folder / name);
    fs::permissions(folder / name, fs::perms::owner_write, fs::perm_options::add);
  }
  return folder;
}

SourceModel import_folder(const fs::path& folder) {
  const auto files = make_posix_file_system();
  const auto clock = make_system_clock();
  engine::StatTable digests(*files, *clock, [](std::int64_t) {});
  return import_source(*files, digests, folder);
}

fs::path make_scratch(const fs::path& parent, std::string_view name) {
  fs::path scratch = parent / name;
  fs::create_directories(scratch);
  return scratch;
}

void put_nan(const fs::path& checkpoint, std::string_view tensor) {
  const auto files = make_posix_file_system();
  const std::uint64_t offset = formats::Checkpoint::open(*files, checkpoint).find(tensor)->offset;
  std::fstream file(checkpoint / "model.safetensors",
                    std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(static_cast<std::streamoff>(offset));
  file.write("\xC0\x7F", 2);
}

ActionRequest quantize_request(const fs::path& source, std::string_view recipe,
                               const fs::path& scratch) {
  const auto files = make_posix_file_system();
  ActionRequest request;
  request.id = "1";
  request.target = fmt::format("bard:{}", recipe);
  request.rule = "quantize";
  request.scratch = scratch;
  request.params =
      Json::object({{"recipe", recipe}, {"overrides", Json::array()}, {"effort", "default"}});
  std::vector<fs::path> paths{source};
  if (fs::is_directory(source)) {
    request.params["name"] = "bard";
    paths = {source / "config.json", source / "model.safetensors", source / "tokenizer.json",
             source / "tokenizer_config.json"};
  }
  Json stats = Json::array();
  for (const fs::path& path : paths) {
    if (const auto stat = files->stat(path))
      stats.push_back(Json::object(
          {{"path", path.string()}, {"size", stat->size_bytes}, {"mtime_ns", stat->mtime_ns}}));
  }
  request.context = Json::object({{"source", source.string()}, {"stats", std::move(stats)}});
  return request;
}

std::string imatrix_for(const std::vector<WeightTensor>& tensors, std::string_view odd) {
  std::vector<formats::ImatrixSpec> entries;
  for (const WeightTensor& tensor : tensors) {
    if (tensor.shape.size() < 2 || !block_of(tensor.name)) continue;
    const std::uint64_t matrices = tensor.shape.size() > 2 ? tensor.shape[2] : 1;
    std::mt19937 random(tensor.name == odd ? 2 : 1);
    std::vector<float> sums(tensor.row_length() * matrices);
    for (float& sum : sums) sum = std::exp(static_cast<float>(random() % 4096) / 1024);
    entries.push_back({tensor.name, std::vector<float>(matrices, 64), std::move(sums)});
  }
  return formats::imatrix_gguf(entries);
}

void add_imatrix(ActionRequest& request, const fs::path& path, std::string_view odd) {
  write_text(path, imatrix_for(import_folder(kBard).weights, odd));
  request.inputs.push_back(file_input("imatrix", path));
  request.params["imatrix"] = path.filename().string();
}

fs::path split_gguf(const fs::path& whole, std::uint64_t parts) {
  const auto files = make_posix_file_system();
  const auto reader = formats::GgufReader::open(*files, whole);
  const std::size_t each = (reader.tensors().size() + parts - 1) / parts;
  formats::GgufPartName name{whole.stem().string(), 1, parts};
  for (std::uint64_t part = 0; part < parts; ++part) {
    formats::GgufMetadata metadata;
    if (part == 0) metadata = reader.metadata();
    const auto number = [](formats::GgufType type, std::uint64_t value) {
      return formats::GgufValue{type, {}, value};
    };
    metadata.push_back({"split.no", number(formats::GgufType::kU16, part)});
    metadata.push_back({"split.count", number(formats::GgufType::kU16, parts)});
    metadata.push_back(
        {"split.tensors.count",
         {formats::GgufType::kI32, {}, static_cast<std::int64_t>(reader.tensors().size())}});
    std::vector<formats::GgufTensorSpec> specs;
    std::string data;
    const std::size_t end = std::min<std::size_t>((part + 1) * each, reader.tensors().size());
    for (std::size_t i = part * each; i < end; ++i) {
      const formats::GgufTensor& tensor = reader.tensors()[i];
      specs.push_back({tensor.name, tensor.shape, tensor.dtype});
      const std::size_t begin = data.size();
      data.resize(begin + tensor.size_bytes);
      reader.read(tensor, 0, std::as_writable_bytes(std::span(data)).subspan(begin));
    }
    name.number = part + 1;
    const auto file = files->create(whole.parent_path() / name.file_name(), CreateMode::kExclusive);
    formats::GgufWriter writer(*file, metadata, specs);
    writer.append(as_bytes(data));
    writer.finish();
    file->close();
  }
  name.number = 1;
  return whole.parent_path() / name.file_name();
}

ResolvedInput file_input(const std::string& label, const fs::path& path) {
  const std::string bytes = read_text(path);
  ResolvedInput input;
  input.label = label;
  input.artifact.files = {{path.filename().string(), sha256(bytes), bytes.size()}};
  input.paths = {path};
  return input;
}

ResolvedInput result_input(const std::string& label, const Json& result) {
  ResolvedInput input;
  input.label = label;
  input.inline_files["result.json"] = result.dump_pretty();
  input.origin = Json::object({{"key", "key of " + label}});
  return input;
}

ResolvedInput& input_of(ActionRequest& request, std::string_view label) {
  for (ResolvedInput& input : request.inputs)
    if (input.label == label) return input;
  throw std::out_of_range("no such input");
}

Json quality_result(double first, const std::vector<std::string>& texts) {
  Json list = Json::array();
  for (const std::string& name : texts) {
    list.push_back(Json::object({{"name", name},
                                 {"perplexity", first},
                                 {"standard_error", 0.25},
                                 {"mean_nll", 3.5},
                                 {"tokens", 1000},
                                 {"tokens_scored", 500},
                                 {"chunks", 3},
                                 {"context", 256}}));
    first += 1;
  }
  return Json::object({{"numerics", "1"}, {"activations", "packed"}, {"texts", std::move(list)}});
}

Json speed_result() {
  const auto rate = [](int tokens, double mean) {
    return Json::object({{"tokens", tokens}, {"tokens_per_second", mean}, {"deviation", 1.5}});
  };
  return Json::object({{"load_seconds", 0.5},
                       {"prompt", rate(128, 512.4)},
                       {"generate", rate(32, 42.25)},
                       {"memory", Json::object({{"maximum", 9'100'000}})},
                       {"threads", 2},
                       {"repeat", 3}});
}

namespace {

void add_variant(ActionRequest& request, const std::string& name, std::uint64_t size_bytes,
                 double perplexity) {
  request.params["variants"].push_back(
      Json::object({{"name", name}, {"file", "bard-" + name + ".gguf"}, {"label", name}}));
  ResolvedInput made;
  made.label = "model." + name;
  made.artifact.files = {{"model.gguf", sha256(name), size_bytes}};
  made.artifact.facts = Json::object({{"architecture", "llama"},
                                      {"file_type", 7},
                                      {"context_length", 1024},
                                      {"parameters", 4'070'000},
                                      {"bits_per_weight", 8.5}});
  made.paths = {"/store/" + name};
  made.origin = Json::object({{"key", "key of model." + name}});
  request.inputs.push_back(std::move(made));
  ResolvedInput gate;
  gate.label = "gate." + name;
  request.inputs.push_back(std::move(gate));
  request.inputs.push_back(
      result_input("quality." + name, quality_result(perplexity, {"heldout.txt"})));
  ResolvedInput speed = result_input("speed." + name, speed_result());
  speed.origin["machine"] = Json::object(
      {{"cpu", "a cpu"}, {"vector_units", "avx2"}, {"cores", 4}, {"memory_bytes", 16'000'000'000}});
  request.inputs.push_back(std::move(speed));
}

}  // namespace

ActionRequest card_request(const fs::path& folder) {
  write_text(folder / "README.md",
             "---\nlicense: apache-2.0\nlanguage: [en, fr]\npipeline_tag: text-generation\n"
             "tags: [llama, gguf]\nbase_model: somebody/else\n---\n# bard\n");
  ActionRequest request;
  request.target = "bard:card";
  request.rule = "card";
  request.params = Json::object({{"model", "bard"},
                                 {"source", "../models/bard-llama"},
                                 {"manifest", "version: 1\nmodels: {}"},
                                 {"repo", "acme/bard-GGUF"},
                                 {"layout", "flat"},
                                 {"variants", Json::array()}});
  request.inputs.push_back(file_input("source", folder / "README.md"));
  request.inputs.push_back(result_input("source_quality", quality_result(40, {"heldout.txt"})));
  add_variant(request, "Q8_0", 100, 41);
  add_variant(request, "Q4_K_M", 60, 42);
  return request;
}

void hold(ActionRequest& request, const std::string& variant, const Json& earlier) {
  ResolvedInput& gate = input_of(request, "gate." + variant);
  gate.status = Status::kHeld;
  gate.reason = "perplexity_ratio 1.05 is above 1.03";
  if (!earlier.is_null()) gate.inline_files["result.json"] = earlier.dump();
}

}  // namespace qbuild::rules
