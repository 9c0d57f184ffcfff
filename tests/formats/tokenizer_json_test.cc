#include "formats/tokenizer_json.h"

#include <gmock/gmock.h>

#include "tests/formats/support.h"

namespace qbuild::formats {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

TokenizerJson parse(const std::string& model, const std::string& rest = "") {
  return parse_tokenizer_json(Json::parse(R"({"model":)" + model + rest + "}"));
}
Error refusal(const std::string& model, const std::string& rest = "") {
  return error_of([&] { static_cast<void>(parse(model, rest)); });
}

const std::string kPairs = R"({"type":"BPE","vocab":{"a":0,"b":1,"ab":2},"merges":[["a","b"]]})";
const std::string kStrings =
    R"({"type":"BPE","vocab":{"a":0,"b":1,"ab":2},"merges":["a b"],"ignore_merges":true})";

TEST(TokenizerJsonFile, ReadsMergesInBothSpellings) {
  EXPECT_THAT(parse(kPairs).merges, ElementsAre(Pair("a", "b")));
  EXPECT_THAT(parse(kStrings).merges, ElementsAre(Pair("a", "b")));
  EXPECT_FALSE(parse(kPairs).ignore_merges);
  EXPECT_TRUE(parse(kStrings).ignore_merges);
}

TEST(TokenizerJsonFile, PutsTokensAtTheirIds) {
  const TokenizerJson json = parse(R"({"vocab":{"b":3,"a":0},"merges":[]})",
                                   R"(,"added_tokens":[{"id":5,"content":"<e>","special":true}])");
  EXPECT_THAT(json.tokens, ElementsAre("a", "", "", "b", "", "<e>"));
}

TEST(TokenizerJsonFile, ReadsEveryFlagOfAnAddedToken) {
  const TokenizerJson json = parse(
      kPairs,
      R"(,"added_tokens":[{"id":9,"content":"y","special":false,"single_word":true,"lstrip":true,)"
      R"("rstrip":true,"normalized":true},{"id":4,"content":"x","special":true}])");
  ASSERT_EQ(json.added.size(), 2U);
  EXPECT_EQ(json.added[0].content, "x");
  EXPECT_TRUE(json.added[0].special);
  EXPECT_FALSE(json.added[0].normalized);
  EXPECT_TRUE(json.added[1].single_word && json.added[1].lstrip && json.added[1].rstrip &&
              json.added[1].normalized);
}

TEST(TokenizerJsonFile, RefusesModelsOtherThanBpe) {
  const Error error = refusal(R"({"type":"Unigram","vocab":[["a",0.0]]})");
  EXPECT_EQ(error.kind(), ErrorKind::kUnsupported);
  EXPECT_EQ(error.message(), "model.type is \"Unigram\"; byte-level BPE is supported");
}

TEST(TokenizerJsonFile, RefusesWhatWouldGiveOtherTokens) {
  const std::string start = R"({"type":"BPE","vocab":{"a":0},"merges":[],)";
  for (const std::string member : {R"("dropout":0.1})", R"("end_of_word_suffix":"</w>"})",
                                   R"("continuing_subword_prefix":"##"})"}) {
    EXPECT_EQ(refusal(start + member).kind(), ErrorKind::kUnsupported) << member;
  }
  EXPECT_EQ(refusal(start + R"("dropout":0.1})").message(),
            "model.dropout is set; merging at random is not supported");
  EXPECT_EQ(refusal(start + R"("end_of_word_suffix":"</w>"})").message(),
            "model.end_of_word_suffix is \"</w>\"; byte-level BPE has none");
  EXPECT_EQ(
      parse(start + R"("dropout":null,"end_of_word_suffix":null,"continuing_subword_prefix":""})")
          .tokens.size(),
      1U);
}

TEST(TokenizerJsonFile, RefusesContradictionsAndBadIds) {
  EXPECT_THAT(refusal(R"({"vocab":{"a":0,"b":0},"merges":[]})").message(),
              HasSubstr("\"a\" and \"b\" share the id 0"));
  for (const std::string id : {"-1", "524288", "9223372036854775807", "1.5", "\"x\""}) {
    EXPECT_EQ(refusal(R"({"vocab":{"a":)" + id + R"(},"merges":[]})").kind(),
              ErrorKind::kInvalidInput)
        << id;
    EXPECT_EQ(refusal(kPairs, R"(,"added_tokens":[{"content":"x","id":)" + id + "}]").kind(),
              ErrorKind::kInvalidInput)
        << id;
  }
}

TEST(TokenizerJsonFile, RefusesMergesThatAreNoPairs) {
  for (const std::string merge :
       {R"("ab")", R"("a b c")", R"(" b")", R"("a ")", R"(["a"])", R"(["a","b","c"])", "1"}) {
    EXPECT_THAT(refusal(R"({"vocab":{"a":0},"merges":[)" + merge + "]}").message(),
                HasSubstr("model.merges"))
        << merge;
  }
}

TEST(TokenizerJsonFile, RefusesWhatIsMissing) {
  EXPECT_EQ(error_of([] { static_cast<void>(parse_tokenizer_json(Json::parse("{}"))); }).kind(),
            ErrorKind::kInvalidInput);
  EXPECT_EQ(refusal(R"({"type":"BPE","merges":[]})").kind(), ErrorKind::kInvalidInput);
  EXPECT_EQ(refusal(R"({"type":"BPE","vocab":{}})").kind(), ErrorKind::kInvalidInput);
}

TEST(TokenizerJsonFile, ReadsTheExampleModel) {
  const auto files = make_posix_file_system();
  const TokenizerJson json =
      read_tokenizer_json(*files, QBUILD_SOURCE_DIR "/examples/models/bard-llama");
  EXPECT_EQ(json.tokens.size(), 1024U);
  EXPECT_EQ(json.merges.size(), 765U);
  EXPECT_EQ(json.added.size(), 3U);
  EXPECT_TRUE(json.ignore_merges);
}

TEST(TokenizerConfigFile, ReadsTokensInBothSpellings) {
  const TokenizerConfig config = parse_tokenizer_config(Json::parse(
      R"({"bos_token":"<s>","eos_token":{"content":"</s>","lstrip":false},"pad_token":null,)"
      R"("add_bos_token":true,"add_eos_token":null})"));
  EXPECT_EQ(config.bos_token, "<s>");
  EXPECT_EQ(config.eos_token, "</s>");
  EXPECT_EQ(config.pad_token, std::nullopt);
  EXPECT_EQ(config.add_bos_token, true);
  EXPECT_EQ(config.add_eos_token, std::nullopt);
}

TEST(TokenizerConfigFile, ReadsTemplatesInBothSpellings) {
  const auto one = parse_tokenizer_config(Json::parse(R"({"chat_template":"T"})")).chat_templates;
  ASSERT_EQ(one.size(), 1U);
  EXPECT_EQ(one[0].name + "|" + one[0].text, "|T");
  const auto list =
      parse_tokenizer_config(Json::parse(R"({"chat_template":[{"name":"tool_use","template":"U"},)"
                                         R"({"name":"default","template":"D"}]})"))
          .chat_templates;
  ASSERT_EQ(list.size(), 2U);
  EXPECT_EQ(list[0].name + "|" + list[0].text, "|D");
  EXPECT_EQ(list[1].name + "|" + list[1].text, "tool_use|U");
}

TEST(TokenizerConfigFile, NamesTheKeyThatIsWrong) {
  for (const std::string text :
       {R"({"bos_token":1})", R"({"add_bos_token":"yes"})", R"({"chat_template":5})"}) {
    const Error error =
        error_of([&] { static_cast<void>(parse_tokenizer_config(Json::parse(text))); });
    EXPECT_EQ(error.kind(), ErrorKind::kInvalidInput) << text;
    EXPECT_THAT(error.message(), HasSubstr("_t")) << text;
  }
}

TEST(TokenizerConfigFile, TakesTheTemplateThatStandsBesideIt) {
  FakeFileSystem files;
  files.put("/m/tokenizer_config.json", R"({"chat_template":"old"})");
  files.put("/m/chat_template.jinja", "new");
  const TokenizerConfig config = read_tokenizer_config(files, "/m");
  ASSERT_EQ(config.chat_templates.size(), 1U);
  EXPECT_EQ(config.chat_templates[0].text, "new");
}

TEST(TokenizerConfigFile, MayBeAbsent) {
  FakeFileSystem files;
  files.create_directories("/m");
  EXPECT_TRUE(read_tokenizer_config(files, "/m").chat_templates.empty());
  EXPECT_TRUE(read_generation_config(files, "/m").eos_token_ids.empty());
}

TEST(GenerationConfigFile, ReadsOneEndOrSeveral) {
  FakeFileSystem files;
  files.put("/m/generation_config.json", R"({"bos_token_id":1,"eos_token_id":[2,3]})");
  EXPECT_THAT(read_generation_config(files, "/m").eos_token_ids, ElementsAre(2, 3));
  files.put("/m/generation_config.json", R"({"eos_token_id":2})");
  EXPECT_THAT(read_generation_config(files, "/m").eos_token_ids, ElementsAre(2));
  EXPECT_EQ(read_generation_config(files, "/m").bos_token_id, std::nullopt);
  files.put("/m/generation_config.json", R"({"eos_token_id":"end"})");
  EXPECT_EQ(error_of([&] { static_cast<void>(read_generation_config(files, "/m")); }).message(),
            "/m/generation_config.json: eos_token_id: expected an integer, found a string");
}

}  // namespace
}  // namespace qbuild::formats
