#pragma once
// What the tests of rules share: an action's surroundings on the real disk, the trained checkpoint,
// and requests as lower makes them.

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/fake_file_system.h"
#include "engine/rule.h"
#include "rules/source.h"
#include "tests/base/expect_error.h"
#include "tests/cache/support.h"

namespace qbuild::rules {

using cache::read_text;
using cache::TemporaryFolder;
using cache::write_text;
using test::error_of;

inline constexpr const char* kBard = QBUILD_SOURCE_DIR "/examples/models/bard-llama";
inline constexpr std::int64_t kNovember2023Ns = 1'700'000'000'000'000'000;  // 2023-11-14

// Keeps what a rule says, and lets a test step in while it runs.
class TestContext final : public engine::ActionContext {
 public:
  void progress(std::uint64_t done, std::uint64_t total, std::string_view unit) override;
  void log(std::string_view line) override;
  [[nodiscard]] std::stop_token stop() const override { return stopper_.get_token(); }
  [[nodiscard]] FileSystem& file_system() override { return *files_; }
  [[nodiscard]] Clock& clock() override { return clock_; }
  [[nodiscard]] ProcessRunner& processes() override { return *processes_; }

  // ---- the test's side ----
  void request_stop() { stopper_.request_stop(); }
  // From now on a disk in memory instead of the real one. Lives as long as this.
  [[nodiscard]] FakeFileSystem& use_fake_disk();
  // Called at each progress, in the action's thread.
  void on_progress(std::function<void()> action) { on_progress_ = std::move(action); }
  [[nodiscard]] std::vector<std::string> lines() const;
  // "done/total unit", the last one said.
  [[nodiscard]] std::string last_progress() const;

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> lines_;
  std::string last_progress_;
  std::function<void()> on_progress_;
  std::stop_source stopper_;
  std::unique_ptr<FileSystem> files_ = make_posix_file_system();
  FakeClock clock_{kNovember2023Ns};
  std::unique_ptr<ProcessRunner> processes_ = make_process_runner();
};

// A folder with the checkpoint's files in it, to be changed at will.
[[nodiscard]] fs::path copy_of_bard(const fs::path& parent);

// With a stat table of its own, so that nothing is remembered between two calls.
[[nodiscard]] SourceModel import_folder(const fs::path& folder);  // or a GGUF file

// An empty folder.
[[nodiscard]] fs::path make_scratch(const fs::path& parent, std::string_view name);

// Puts a BF16 not-a-number in the place of the first value of a tensor.
void put_nan(const fs::path& checkpoint, std::string_view tensor);

// Of a checkpoint's folder or a GGUF file.
[[nodiscard]] engine::ActionRequest quantize_request(const fs::path& source,
                                                     std::string_view recipe,
                                                     const fs::path& scratch);
// An importance matrix for the tensors in the network's blocks, log-normally distributed.
//   odd  whose columns matter otherwise; "": none
[[nodiscard]] std::string imatrix_for(const std::vector<WeightTensor>& tensors,
                                      std::string_view odd = "");
// Writes one for the trained checkpoint to `path` and gives it to the request.
void add_imatrix(engine::ActionRequest& request, const fs::path& path, std::string_view odd = "");
// Cuts a GGUF file into "STEM-0000i-of-0000n.gguf" beside it, n > 1 parts of about as many tensors
// each, as llama.cpp's splitter does; returns the first.
[[nodiscard]] fs::path split_gguf(const fs::path& whole, std::uint64_t parts);

// A file as an input.
[[nodiscard]] engine::ResolvedInput file_input(const std::string& label, const fs::path& path);
// The result of an action as an input, with its key as origin.
[[nodiscard]] engine::ResolvedInput result_input(const std::string& label, const Json& result);
// Throws if there is none of that label.
[[nodiscard]] engine::ResolvedInput& input_of(engine::ActionRequest& request,
                                              std::string_view label);

// ---- cards ----

// Of the rule `quality`, a text per name; perplexities count up from `first` by one.
[[nodiscard]] Json quality_result(double first, const std::vector<std::string>& texts);
[[nodiscard]] Json speed_result();
// "acme/bard-GGUF" with Q8_0 (100 bytes) and Q4_K_M (60 bytes), both measured on heldout.txt; the
// source's README.md is written to `folder`.
[[nodiscard]] engine::ActionRequest card_request(const fs::path& folder);
// Withholds a variant; with `earlier`, that is what is published of it.
void hold(engine::ActionRequest& request, const std::string& variant, const Json& earlier = {});

}  // namespace qbuild::rules
