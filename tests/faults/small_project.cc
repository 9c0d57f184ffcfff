#include "tests/faults/small_project.h"

#include <fmt/core.h>

#include <fstream>
#include <iterator>
#include <random>
#include <sstream>
#include <vector>

#include "base/clock.h"
#include "base/json.h"
#include "base/subprocess.h"
#include "cache/store.h"
#include "engine/builder.h"
#include "engine/project_files.h"
#include "engine/state_file.h"
#include "manifests/load.h"
#include "rules/heavy_rules.h"
#include "rules/lower.h"

namespace qbuild::faults {
namespace {

constexpr std::string_view kManifest = R"(version: 1
models:
  tiny:
    source: tiny
    quants: [Q8_0, Q4_0]
    benchmark:
      perplexity: {text: text.txt, context: 16, chunks: 1}
    publish: {repo: acme/tiny-GGUF, hub: ./hub}
)";

constexpr std::string_view kConfig = R"({
  "architectures": ["LlamaForCausalLM"], "model_type": "llama",
  "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 1,
  "num_attention_heads": 2, "num_key_value_heads": 1, "head_dim": 16,
  "vocab_size": 303, "max_position_embeddings": 64, "rms_norm_eps": 1e-05,
  "rope_theta": 10000.0, "hidden_act": "silu", "tie_word_embeddings": true,
  "torch_dtype": "bfloat16", "bos_token_id": 300, "eos_token_id": 301
})";

constexpr std::string_view kReadme = "---\nlicense: apache-2.0\n---\n\n# Tiny\n";

struct TensorPlan {
  const char* name;
  std::uint64_t rows;  // 0: a vector
  std::uint64_t columns;
};
constexpr TensorPlan kTensors[]{{"model.embed_tokens.weight", 303, 32},
                                {"model.norm.weight", 0, 32},
                                {"model.layers.0.input_layernorm.weight", 0, 32},
                                {"model.layers.0.post_attention_layernorm.weight", 0, 32},
                                {"model.layers.0.self_attn.q_proj.weight", 32, 32},
                                {"model.layers.0.self_attn.k_proj.weight", 16, 32},
                                {"model.layers.0.self_attn.v_proj.weight", 16, 32},
                                {"model.layers.0.self_attn.o_proj.weight", 32, 32},
                                {"model.layers.0.mlp.gate_proj.weight", 64, 32},
                                {"model.layers.0.mlp.up_proj.weight", 64, 32},
                                {"model.layers.0.mlp.down_proj.weight", 32, 64}};

std::string checkpoint() {
  std::mt19937 random(7);
  Json header = Json::object({});
  std::string data;
  for (const TensorPlan& tensor : kTensors) {
    const std::size_t begin = data.size();
    const std::uint64_t count = tensor.rows == 0 ? tensor.columns : tensor.rows * tensor.columns;
    for (std::uint64_t i = 0; i < count; ++i) {
      // BF16 between 0.5 and 1 in either sign: exponent 0x3F0, seven bits of fraction.
      const auto bits = static_cast<std::uint16_t>(0x3F00U | (random() & 0x807FU));
      data += static_cast<char>(bits & 0xFFU);
      data += static_cast<char>(bits >> 8U);
    }
    Json shape = Json::array();
    if (tensor.rows != 0) shape.push_back(tensor.rows);
    shape.push_back(tensor.columns);
    Json offsets = Json::array();
    offsets.push_back(begin);
    offsets.push_back(data.size());
    header[tensor.name] =
        Json::object({{"dtype", "BF16"}, {"shape", shape}, {"data_offsets", offsets}});
  }
  const std::string text = header.dump();
  std::string file(8, '\0');
  for (std::size_t i = 0; i < file.size(); ++i)
    file[i] = static_cast<char>((text.size() >> (8 * i)) & 0xFFU);
  return file + text + data;
}

std::string example(const char* name) {
  std::ifstream in(fs::path(QBUILD_SOURCE_DIR "/examples/models/bard-llama") / name,
                   std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

// The trained model's tokenizer, of which the first merges are kept: reading it all would take most
// of a run's time.
constexpr std::int64_t kOrdinaryTokens = 300;
constexpr std::size_t kMerges = kOrdinaryTokens - 256;

// The special tokens follow the ordinary ones, here as there.
std::string with_special_ids(std::string text) {
  constexpr std::string_view kFrom[]{"1021", "1022", "1023"};
  constexpr std::string_view kTo[]{"300", "301", "302"};
  for (std::size_t i = 0; i < std::size(kFrom); ++i)
    for (auto at = text.find(kFrom[i]); at != std::string::npos; at = text.find(kFrom[i], at))
      text.replace(at, kFrom[i].size(), kTo[i]);
  return text;
}

std::string small_tokenizer() {
  Json tokenizer = Json::parse(example("tokenizer.json"));
  Json::Object& vocabulary = tokenizer["model"]["vocab"].as_object();
  std::erase_if(vocabulary,
                [](const Json::Member& token) { return token.second.as_int() >= kOrdinaryTokens; });
  tokenizer["model"]["merges"].as_array().resize(kMerges);
  return with_special_ids(tokenizer.dump());
}

// The same wall time at each look; waits pass at once.
class StillClock final : public Clock {
 public:
  [[nodiscard]] std::int64_t unix_ns() override { return kNowNs; }
  [[nodiscard]] std::int64_t monotonic_ns() override { return looks_.fetch_add(1) * kStepNs; }

 private:
  // An hour after the fake disk's: every file is old enough to be trusted.
  static constexpr std::int64_t kNowNs = 1'700'003'600'000'000'000;
  static constexpr std::int64_t kStepNs = 10'000'000'000;
  std::atomic<std::int64_t> looks_{1};
};

class NoProgress final : public engine::Progress {
 public:
  void on(const engine::Event& /*event*/) override {}
};

}  // namespace

void put_small_project(FakeFileSystem& disk) {
  static const std::string weights = checkpoint();
  static const std::string tokenizer = small_tokenizer();
  static const std::string tokenizer_config = with_special_ids(example("tokenizer_config.json"));
  disk.put("/project/tiny/config.json", kConfig);
  disk.put("/project/tiny/README.md", kReadme);
  disk.put("/project/tiny/model.safetensors", weights);
  disk.put("/project/tiny/tokenizer.json", tokenizer);
  disk.put("/project/tiny/tokenizer_config.json", tokenizer_config);
  disk.put("/project/text.txt",
           "To be, or not to be, that is the question: whether 'tis nobler\n"
           "in the mind to suffer the slings and arrows of fortune\n");
  disk.put("/project/qbuild.yaml", kManifest);
}

engine::RunReport publish_small_project(FileSystem& files) {
  StillClock clock;
  const auto processes = make_process_runner();
  const engine::WaitFor no_wait = [](std::int64_t) {};
  const engine::RuleSet rules = rules::all_rules();
  engine::StateFile state(files, clock, engine::ProjectFiles::of("/project").state(), no_wait);
  engine::StatTable stats(files, clock, no_wait);
  state.load_table(stats);
  const std::vector<fs::path> paths{"/project/qbuild.yaml"};
  const auto lowered = rules::lower(manifests::load(files, paths), files, clock, stats,
                                    {.out = "/project/out", .threads = 1, .machine = {}});
  const auto goals = rules::select_goals(lowered, {}, rules::WithPublish::kYes);
  cache::Store store(files, clock, "/store");
  store.remove_abandoned_scratch();
  engine::Builder builder({.files = files,
                           .clock = clock,
                           .processes = *processes,
                           .store = store,
                           .rules = rules,
                           .stats = stats,
                           .wait = no_wait},
                          {.project = "/project", .tool_version = "qbuild test"});
  NoProgress progress;
  engine::RunReport report = builder.run(lowered.graph, goals, progress, {});
  if (report.witnesses)
    state.remember({.fingerprint = "publish", .witnesses = *report.witnesses, .text = {}});
  (void)state.save(stats);
  return report;
}

std::map<std::string, std::string> results(const FakeFileSystem& disk) {
  std::map<std::string, std::string> found;
  for (const std::string& path : disk.files()) {
    // What this process was writing when its power failed: the next process would remove it, but
    // this one lives on.
    if (fs::path(path).filename().string().starts_with(".qbuild-")) continue;
    for (const char* const folder :
         {"/project/out/", "/project/hub/files/", "/project/hub/repos/acme/tiny-gguf/refs/"})
      if (path.starts_with(folder)) found[path] = disk.contents(path);
  }
  return found;
}

std::string difference(const std::map<std::string, std::string>& expected,
                       const std::map<std::string, std::string>& actual) {
  std::string lines;
  for (const auto& [path, bytes] : expected) {
    const auto found = actual.find(path);
    if (found == actual.end())
      lines += path + " is missing\n";
    else if (found->second != bytes)
      lines += path + " has other bytes\n";
  }
  for (const auto& [path, bytes] : actual)
    if (!expected.contains(path)) lines += path + " is too much\n";
  return lines;
}

std::string damages(FakeFileSystem& disk) {
  StillClock clock;
  cache::Store store(disk, clock, "/store");
  std::string lines;
  for (const cache::Damage& damage : store.verify({}).damages)
    lines += fmt::format("{}: {}\n", damage.path.string(), damage.what);
  for (const Digest& key : store.record_keys()) {
    const auto record = store.find_record(key);
    if (!record || !store.is_complete(*record))
      lines += fmt::format("{}: a record without its blobs\n", key.hex());
  }
  return lines;
}

std::string failures(const engine::RunReport& report) {
  std::string lines;
  for (const auto& [id, node] : report.nodes)
    if (node.failure || node.status != engine::Status::kReady)
      lines += fmt::format("node {}: {}\n", id.value,
                           node.failure ? node.failure->message : node.reason);
  return lines;
}

}  // namespace qbuild::faults
