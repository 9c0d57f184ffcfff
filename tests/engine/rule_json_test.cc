#include <gtest/gtest.h>

#include "base/error.h"
#include "engine/rule.h"

namespace qbuild::engine {
namespace {

ActionRequest request() {
  ActionRequest request;
  request.id = "7";
  request.target = "bard:Q4_K_M";
  request.rule = "quantize";
  request.key_hex = "ab";
  request.params = Json::object({{"type", "Q4_K_M"}});
  request.context = Json::object({{"name", "bard"}});
  request.scratch = "/s/\xff";  // paths need not be UTF-8
  request.threads = 3;
  request.backend = "avx2";
  ResolvedInput input;
  input.label = "model";
  input.status = Status::kHeld;
  input.reason = "because";
  input.artifact.files = {{.name = "a", .sha256 = sha256("a"), .size_bytes = 1}};
  input.paths = {"/blobs/a"};
  input.inline_files = {{"text", "plain"}, {"bytes", std::string("\0\xfe\x80", 3)}};
  input.origin = Json::object({{"key", "cd"}});
  request.inputs = {input};
  return request;
}

TEST(RuleJson, RequestComesBackWhole) {
  const Json json = to_json(request());
  const ActionRequest back = request_from_json(Json::parse(json.dump()));
  EXPECT_EQ(to_json(back), json);
  EXPECT_EQ(back.scratch, request().scratch);
  EXPECT_EQ(back.inputs[0].inline_files, request().inputs[0].inline_files);
  EXPECT_EQ(back.inputs[0].status, Status::kHeld);
}

TEST(RuleJson, ResultComesBackWhole) {
  ActionResult result;
  result.files = {{.name = "out", .path = "/s/out", .sha256 = sha256("x"), .size_bytes = 1}};
  result.inline_files["result.json"] = "{}";
  result.facets["tensors"] = "ab";
  result.facts = Json::object({{"bits", 4.5}});
  result.bytes_read = 1;
  result.bytes_written = 2;
  result.bytes_hashed = 3;
  result.pieces_computed = 5;
  result.pieces_copied = 6;
  result.requests = 4;
  const Json json = to_json(result);
  const ActionResult back = result_from_json(Json::parse(json.dump()));
  EXPECT_EQ(to_json(back), json);
  EXPECT_EQ(back.files[0].sha256, sha256("x"));
}

TEST(RuleJson, DonorsComeBackWhole) {
  ActionRequest with = request();
  EXPECT_EQ(to_json(with).find("donors"), nullptr);
  with.donors = {{.record = "/r/\xff", .files = {{"model.gguf", "/blobs/\xfe"}, {"b", "/b"}}},
                 {.record = "/r/2", .files = {}}};
  const ActionRequest back = request_from_json(Json::parse(to_json(with).dump()));
  EXPECT_EQ(back.donors, with.donors);
  for (const char* bad : {"1", "{}", "[1]", "[{\"record\":\"/r\"}]", "[{\"files\":{}}]"}) {
    Json json = to_json(request());
    json["donors"] = Json::parse(bad);
    EXPECT_THROW(static_cast<void>(request_from_json(json)), Error) << bad;
  }
}

TEST(RuleJson, PiecesComeBackWhole) {
  ActionResult result;
  EXPECT_EQ(to_json(result).find("pieces"), nullptr);
  result.pieces["out"] = {{.key = std::string(32, 'a'),
                           .offset = 5,
                           .size_bytes = 7,
                           .checksum = std::string(32, 'b')}};
  const ActionResult back = result_from_json(Json::parse(to_json(result).dump()));
  EXPECT_EQ(back.pieces, result.pieces);
  Json json = to_json(result);
  json["pieces"] = Json::array();
  EXPECT_THROW(static_cast<void>(result_from_json(json)), Error);
}

// Each member, absent or of another type, is refused as corrupt.
template <typename Parse>
void expect_every_member_is_checked(const Json& whole, Parse parse) {
  for (const auto& [name, value] : whole.as_object()) {
    Json absent = Json::object();
    for (const auto& [other, kept] : whole.as_object()) {
      if (other != name) absent[other] = kept;
    }
    try {
      parse(absent);
      ADD_FAILURE() << "accepted without " << name;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kCorrupt) << name;
    }
  }
}

TEST(RuleJson, RefusesWhatLacksAMember) {
  expect_every_member_is_checked(
      to_json(request()), [](const Json& json) { static_cast<void>(request_from_json(json)); });
  expect_every_member_is_checked(
      to_json(ActionResult()), [](const Json& json) { static_cast<void>(result_from_json(json)); });
}

TEST(RuleJson, RefusesHostileValues) {
  const auto refuses = [](const std::string& name, Json value) {
    Json json = to_json(request());
    json[name] = std::move(value);
    EXPECT_THROW(static_cast<void>(request_from_json(json)), Error) << name;
  };
  refuses("threads", 0);
  refuses("threads", 1'000'000);
  refuses("threads", -1);
  refuses("inputs", Json(Json::Array{Json(7)}));
  refuses("scratch", Json::object({{"hex", "0g"}}));
  refuses("scratch", Json::object({{"hex", "0"}}));
  Json uneven = to_json(request());
  uneven["inputs"].as_array()[0]["paths"] = Json::array();
  EXPECT_THROW(static_cast<void>(request_from_json(uneven)), Error);
}

}  // namespace
}  // namespace qbuild::engine
