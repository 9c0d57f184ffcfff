#pragma once
// What engine and worker say to each other: one JSON object per line, in both directions.
//
// To the worker's stdin, one line per batch:
//   {"batch":[REQUEST,...]}                                   engine/rule.h, to_json(ActionRequest)
//   {"batch":[REQUEST,...],"together":true}
// From its stdout:
//   {"event":"hello","protocol":1}                            first, once
//   {"event":"started","id":ID}
//   {"event":"progress","id":ID,"done":n,"total":n,"unit":"bytes"}
//   {"event":"log","id":ID,"line":TEXT}
//   {"event":"done","id":ID,"result":RESULT,"seconds":s,"peak_memory_bytes":n}
//   {"event":"failed","id":ID,"kind":KIND,"message":TEXT,"seconds":s}
// Each action of a batch is started and ends (done or failed) once; in between it may be reported
// on. They come in the batch's order, one after another; those of a batch that runs together come
// in any order, and what is said of them is mixed. A worker ends when its stdin closes.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/executor.h"
#include "engine/rule.h"

namespace qbuild::engine {

// Version history: 1 first.
inline constexpr int kWorkerProtocol = 1;
// Longer lines are refused: a request has some hundred inputs, a result at most cache's
// kMaxArtifactFiles files. What the values of a line take in memory is bounded by Json::parse.
inline constexpr std::size_t kMaxWorkerLine = 64u << 20;
// Lines of a log are cut as logs cut them (engine/action_log.h), by both sides; so are messages.

// All lines end in a newline.
[[nodiscard]] std::string batch_line(const Batch& batch);
[[nodiscard]] std::string hello_line();
[[nodiscard]] std::string event_line(const ExecutorEvent& event);

// Throw Error (kCorrupt) on anything that the above would not write.
[[nodiscard]] Batch parse_batch(std::string_view line);
void check_hello(std::string_view line);
[[nodiscard]] ExecutorEvent parse_event(std::string_view line);

}  // namespace qbuild::engine
