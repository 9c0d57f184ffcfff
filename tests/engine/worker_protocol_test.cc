#include "engine/worker_protocol.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "engine/action_log.h"

namespace qbuild::engine {
namespace {

std::string message_of(const std::string& line) {
  try {
    static_cast<void>(parse_event(line));
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kCorrupt);
    return error.message();
  }
  return "accepted";
}

TEST(WorkerProtocol, EveryEventComesBack) {
  ExecutorEvent::Done done;
  done.result.facts = Json::object();
  done.seconds = 1.5;
  done.peak_memory_bytes = 7;
  const std::vector<ExecutorEvent> events{
      {"1", ExecutorEvent::Started{}},
      {"1", ExecutorEvent::Progress{1, 2, "bytes"}},
      {"1", ExecutorEvent::Log{"a\nb"}},
      {"1", done},
      {"1", ExecutorEvent::Failed{Error(ErrorKind::kTransient, "later"), 2}},
  };
  for (const ExecutorEvent& event : events) {
    const std::string line = event_line(event);
    EXPECT_EQ(std::count(line.begin(), line.end(), '\n'), 1);
    const ExecutorEvent back = parse_event(std::string_view(line).substr(0, line.size() - 1));
    EXPECT_EQ(back.what.index(), event.what.index());
    EXPECT_EQ(event_line(back), line);
  }
}

TEST(WorkerProtocol, LongLogLinesAndMessagesAreCutOnBothSides) {
  const std::string line = event_line({"1", ExecutorEvent::Log{std::string(1u << 20, 'x')}});
  EXPECT_LT(line.size(), kMaxLogLine + 100);
  const std::string text(1u << 20, 'x');
  const auto log = parse_event(R"({"event":"log","id":"1","line":")" + text + "\"}");
  EXPECT_EQ(std::get<ExecutorEvent::Log>(log.what).line, std::string(kMaxLogLine, 'x') + " [cut]");
  const auto failed = parse_event(
      R"({"event":"failed","id":"1","kind":"internal","seconds":0,"message":")" + text + "\"}");
  EXPECT_EQ(std::get<ExecutorEvent::Failed>(failed.what).error.message().size(),
            kMaxLogLine + kLineIsCut.size());
}

TEST(WorkerProtocol, ATimeThatCannotBeIsRefused) {
  for (const char* const seconds : {"-1", "1e300"})
    EXPECT_NE(message_of(std::string(R"({"event":"failed","id":"1","kind":"internal",)") +
                         R"("message":"","seconds":)" + seconds + "}"),
              "accepted");
}

TEST(WorkerProtocol, AValueThatWouldFillTheMemoryIsRefused) {
  std::string line = R"({"event":"log","id":"1","line":[0)";
  for (int i = 0; i < 10'000'000; ++i) line += ",0";
  EXPECT_NE(message_of(line + "]}").find("bytes of memory"), std::string::npos);
}

TEST(WorkerProtocol, SaysWhatItCouldNotRead) {
  EXPECT_EQ(message_of("oops\x01").find("a line that is no event: \"oops?\" ("), 0u);
  EXPECT_NE(message_of(R"({"event":"dance","id":"1"})").find("unknown event \"dance\""),
            std::string::npos);
  EXPECT_NE(message_of(R"({"event":"started"})"), "accepted");
  EXPECT_NE(message_of(R"({"event":"failed","id":"1","kind":"odd","message":"","seconds":0})"),
            "accepted");
  EXPECT_LT(message_of(std::string(100'000, '[')).size(), 400u);
}

TEST(WorkerProtocol, GreetingIsChecked) {
  EXPECT_NO_THROW(check_hello(R"({"event":"hello","protocol":1})"));
  EXPECT_THROW(check_hello(R"({"event":"hello","protocol":2})"), Error);
  EXPECT_THROW(check_hello(R"({"event":"started","id":"1"})"), Error);
  EXPECT_THROW(check_hello("usage: tool FILE"), Error);
}

TEST(WorkerProtocol, BatchesComeBack) {
  ActionRequest request;
  request.id = "1";
  request.context = Json::object();
  for (const Batch::Order order : {Batch::Order::kInTurn, Batch::Order::kTogether}) {
    const std::string line = batch_line({.actions = {request, request}, .order = order});
    const Batch batch = parse_batch(std::string_view(line).substr(0, line.size() - 1));
    EXPECT_EQ(batch.actions.size(), 2u);
    EXPECT_EQ(batch.order, order);
  }
  EXPECT_THROW(static_cast<void>(parse_batch(R"({"batch":[],"together":1})")), Error);
}

}  // namespace
}  // namespace qbuild::engine
