#pragma once
// The seam to the rules: what the engine asks of each kind of step, and what a step gets to see.
// The same request crosses a pipe to a worker or is handed over in memory; a rule cannot tell.

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "base/file_system.h"
#include "base/json.h"
#include "base/subprocess.h"
#include "cache/record.h"
#include "engine/donor.h"
#include "engine/node.h"

namespace qbuild::engine {

enum class Weight : std::uint8_t { kLight, kHeavy };

enum class Caching : std::uint8_t {
  kStore,    // a pure function of its key: the record goes to the shared store
  kProject,  // an effect on the world (publish): the record stays in .qbuild/, and outdated() is
             // asked
};

enum class Worker : std::uint8_t { kReused, kFresh };

// Known to the engine of every program, also where the rule itself is not linked.
struct RuleTraits {
  std::string name;
  std::string
      version;  // of the rule's own behaviour; part of the key; its history stands beside it
  Weight weight = Weight::kHeavy;
  Caching caching = Caching::kStore;
  Worker worker = Worker::kReused;
  int max_attempts = 1;  // transient errors only
  bool fuses = false;  // ready actions of one Node::batch run at once in one worker (run_together)
  // Its scratch folder is kept when it is killed, stopped or out of room, and is given to the next
  // attempt at the same key, in whichever engine: see engine/partial.h.
  bool resumes = false;
};

// One input, resolved: where its files are now.
struct ResolvedInput {
  std::string label;
  Status status = Status::kReady;
  std::string reason;  // why it is held
  cache::Artifact artifact;
  std::vector<fs::path> paths;  // parallel to artifact.files; empty path: the file is inline
  std::map<std::string, std::string> inline_files;
  Json origin;  // of a record:
                // {"key","started","seconds","machine","tool_version","peak_memory_bytes"}; null
                // for a source
};

// The content of one of an input's texts (README.md, result.json): a rule returns them inline, and
// a record keeps one in itself or, beyond cache::kMaxInlineBytes, as a blob. Throws Error (kCorrupt
// "input card has no README.md", and what reading a file throws).
[[nodiscard]] std::string input_text(FileSystem& files, const ResolvedInput& input,
                                     std::string_view name);
// What came from one action is no larger: bounds what input_text reads.
inline constexpr std::uint64_t kMaxInputTextBytes = 256u << 20;

struct ActionRequest {
  std::string id;  // unique within a run
  std::string target;
  std::string rule;
  std::string key_hex;
  Json params;
  Json context;
  std::vector<ResolvedInput> inputs;
  // An existing folder on the store's disk; files to keep are written here. Empty, but for a rule
  // that resumes: there it may hold what an earlier attempt left, or any garbage.
  fs::path scratch;
  unsigned threads = 1;
  std::string backend;  // kernels: "", "scalar", "avx2", "avx512"
  // Of a node with a piece_scope: artifacts that may hold its pieces, the newest first. load_donors
  // says which.
  std::vector<Donor> donors = {};
  // The executor's matter: whoever runs over it is ended. Does not cross the pipe.
  std::chrono::milliseconds time_limit = kDefaultTimeLimit;

  // The input with that label; a missing one is a bug of lower.
  [[nodiscard]] const ResolvedInput& input(std::string_view label) const;
};

struct ProducedFile {
  std::string name;  // in the artifact
  fs::path path;     // under scratch
  Digest sha256;     // hashed while it was written
  std::uint64_t size_bytes = 0;
};

struct ActionResult {
  std::vector<ProducedFile> files;
  std::map<std::string, std::string> inline_files;  // "result.json", "README.md"
  std::map<std::string, std::string> facets;
  Json facts;
  // What other actions of the node's piece_scope may copy from these files: cache::check_pieces
  // holds, or the action fails. A rule with more than cache::kMaxPieces leaves some out. Without a
  // scope they are forgotten.
  cache::PieceTable pieces = {};
  std::uint64_t bytes_read = 0;
  std::uint64_t bytes_written = 0;
  std::uint64_t bytes_hashed = 0;
  std::uint64_t requests = 0;
  // Pieces that were made for it, and that were there already, in an artifact, in what an earlier
  // attempt left or in what another action of the batch made: each is one of both.
  std::uint64_t pieces_computed = 0;
  std::uint64_t pieces_copied = 0;
};

// What a running rule may do to its surroundings. Methods may be called from any thread of the
// action.
class ActionContext {
 public:
  virtual ~ActionContext() = default;
  virtual void progress(std::uint64_t done, std::uint64_t total, std::string_view unit) = 0;
  virtual void log(std::string_view line) = 0;
  [[nodiscard]] virtual std::stop_token stop() const = 0;
  [[nodiscard]] virtual FileSystem& file_system() = 0;
  [[nodiscard]] virtual Clock& clock() = 0;
  [[nodiscard]] virtual ProcessRunner& processes() = 0;
};

// One of both.
struct ActionOutcome {
  std::optional<ActionResult> result;
  std::optional<Error> error;
};

struct TogetherAction {
  const ActionRequest& request;
  ActionContext& context;
};

// Of the action with that place in the span. Throws Error where it is no answer: such a place is
// not there, or ended before.
using ActionEnded = std::function<void(std::size_t place, ActionOutcome outcome)>;

// Stateless; any thread.
class Rule {
 public:
  virtual ~Rule() = default;
  [[nodiscard]] virtual const RuleTraits& traits() const = 0;
  // Makes the outputs, verified by reopening, or throws Error. Nothing outside request.scratch is
  // written (publish and command excepted, each as its page says).
  [[nodiscard]] virtual ActionResult run(const ActionRequest& request,
                                         ActionContext& context) const = 0;
  // Several actions of one batch at once, for rules whose traits say `fuses`: what they have in
  // common is done once. Each ends by itself, in any order: `ended` is called once for each, from
  // the thread that called. One that fails or is cancelled hinders no other. What is thrown ends
  // those that have not ended. Unless a rule says otherwise they go one after the other, by run().
  virtual void run_together(std::span<const TogetherAction> actions,
                            const ActionEnded& ended) const;
  // kProject rules: why this record no longer tells the truth ("the remote head moved to 12ab..."),
  // or nothing if it does.
  [[nodiscard]] virtual std::optional<std::string> outdated(const cache::Record& record,
                                                            const Json& params, const Json& context,
                                                            FileSystem& files) const;
  // Files outside the store whose stat says that outdated() would answer the same.
  [[nodiscard]] virtual std::vector<fs::path> witnesses(const Json& params,
                                                        const Json& context) const;
};

// The rules of a program: traits of all, implementations of those that are linked.
class RuleSet {
 public:
  void declare(RuleTraits traits);
  void add(std::unique_ptr<Rule> rule);  // declares it too
  [[nodiscard]] const RuleTraits& traits(std::string_view name) const;
  [[nodiscard]] const Rule* find(std::string_view name) const;  // null: only a worker has it
  [[nodiscard]] std::vector<std::string> names() const;         // of all declared, sorted

 private:
  std::map<std::string, RuleTraits, std::less<>> traits_;
  std::map<std::string, std::unique_ptr<Rule>, std::less<>> rules_;
};

// For the pipe to a worker. from_json throws Error (kCorrupt).
[[nodiscard]] Json to_json(const ActionRequest& request);
[[nodiscard]] ActionRequest request_from_json(const Json& json);
[[nodiscard]] Json to_json(const ActionResult& result);
[[nodiscard]] ActionResult result_from_json(const Json& json);

}  // namespace qbuild::engine
