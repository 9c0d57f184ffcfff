#include "cli/error_events.h"

#include <gmock/gmock.h>

#include "base/json.h"

namespace qbuild::cli {
namespace {

using ::testing::SizeIs;

std::vector<Json> events(const Error& error) {
  std::vector<Json> parsed;
  const std::string text = error_events(error, 2);
  for (std::size_t at = 0; at < text.size();) {
    const auto end = text.find('\n', at);
    parsed.push_back(Json::parse(text.substr(at, end - at)));
    at = end + 1;
  }
  return parsed;
}

TEST(ErrorEvents, OnePerProblemWithItsPlaceAndThenTheSummary) {
  const auto all =
      events({ErrorKind::kInvalidInput,
              "dir/q.yaml:3:5: unknown key \"quant\"\nq.yaml: the file does not exist"});
  ASSERT_THAT(all, SizeIs(3));
  EXPECT_EQ(all[0].dump(),
            R"({"event":"error","kind":"invalid_input","message":"unknown key \"quant\"",)"
            R"("file":"dir/q.yaml","line":3,"column":5})");
  EXPECT_EQ(
      all[1].dump(),
      R"({"event":"error","kind":"invalid_input","message":"q.yaml: the file does not exist"})");
  EXPECT_EQ(all[2].get_string("event"), "summary");
  EXPECT_EQ(all[2].get_int("exit_code", 0), 2);
}

TEST(ErrorEvents, ColonsInNamesAndMessagesAreNoPlaces) {
  EXPECT_EQ(events({ErrorKind::kNotFound, "a:b.yaml:12:1: no"})[0].get_string("file"), "a:b.yaml");
  for (const char* message : {"at 12:30: too late", "x:1: y", "1:2:3", "x:1:2", ":1:2: y", "99:"})
    EXPECT_EQ(events({ErrorKind::kNotFound, message})[0].get_string("message"), message);
}

TEST(ErrorEvents, AnErrorWithoutWordsStillEndsWithASummary) {
  EXPECT_THAT(events({ErrorKind::kInternal, ""}), SizeIs(1));
}

}  // namespace
}  // namespace qbuild::cli
