#pragma once
// What turns the result of an action into something that others may rely on: its files go into the
// store, its record is written, its outputs appear under the user's names. Flushing gigabytes takes
// a while, so a thread of its own does it while the engine's loop goes on. What arrives meanwhile
// is finished together, because a disk flushes many small files in the time of a few.

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/error.h"
#include "cache/record.h"
#include "cache/store.h"
#include "engine/environment.h"
#include "engine/executor.h"
#include "engine/graph.h"
#include "engine/key.h"
#include "engine/node_value.h"
#include "engine/project_files.h"
#include "engine/rule.h"
#include "engine/witness.h"

namespace qbuild::engine {

// Files up to this size are hashed once more before they get the name of their content. Larger ones
// are the work of our own rules, which hash while they write, or were hashed a moment ago; reading
// them again would cost what making them costs.
inline constexpr std::uint64_t kMaxHashedAgainBytes = 16u << 20;

// Results that are finished together at most; each has files open in turn, not all at once.
inline constexpr std::size_t kMaxFinishedTogether = 64;

// One of the user's files that an action read: as it was before, and what was in it.
struct SourceRead {
  Witness before;
  Digest sha256;
};

struct FinishJob {
  NodeId node;
  Key key;
  fs::path scratch;
  std::vector<SourceRead> sources;
  ActionResult result;
  std::int64_t started_unix_ns = 0;
  double seconds = 0;
  std::size_t together = 1;  // so many ran at once in its worker
  std::uint64_t peak_memory_bytes = 0;
};

struct Finished {
  NodeId node;
  std::optional<NodeValue> value;  // else:
  std::optional<Error> error;
  std::uint64_t bytes_hashed = 0;
};

// The record of a result. Throws Error (kInvalidInput) for what a rule may not return: no file at
// all, two files of one name, a name that is not canonical, a file outside of scratch or of another
// size than told, pieces that do not fit them.
[[nodiscard]] cache::Record make_record(const Environment& environment, const Node& node,
                                        const FinishJob& job, std::string_view tool_version);

// Puts a value's files under the names of the node's exports. What is there already and unchanged
// since is left alone, at the price of a stat. Throws Error.
void export_outputs(const Environment& environment, const Node& node, const NodeValue& value);

class Finisher {
 public:
  // All must outlive it. `events` is woken when something is finished.
  Finisher(const Environment& environment, const ProjectFiles& project, const Graph& graph,
           std::string tool_version, EventQueue& events);
  // Finishes what was submitted.
  ~Finisher();
  Finisher(const Finisher&) = delete;
  Finisher& operator=(const Finisher&) = delete;

  void submit(FinishJob job);
  [[nodiscard]] std::vector<Finished> take();

 private:
  // A job on its way: what it leaves, or why it failed.
  struct Work {
    FinishJob job;
    cache::Record record;
    cache::Deposit deposit;
    std::uint64_t bytes_hashed = 0;
    std::optional<NodeValue> value;
    std::optional<Error> error;
  };

  void run();
  [[nodiscard]] std::vector<Work> next_jobs();  // waits; none: it is closing
  // Each step for all of them, before the next step; one that has failed is left alone.
  void finish(std::vector<Work>& jobs);
  [[nodiscard]] bool is_as_before(const SourceRead& source) const;
  void check_result(Work& work);
  void store_results(std::vector<Work>& jobs);
  void announce(Work& work);
  [[nodiscard]] bool is_project_wide(const Work& work) const;

  const Environment& environment_;
  const ProjectFiles& project_;
  const Graph& graph_;
  const std::string tool_version_;
  EventQueue& events_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<FinishJob> jobs_;
  std::vector<Finished> finished_;
  bool is_closing_ = false;
  std::thread thread_;
};

}  // namespace qbuild::engine
