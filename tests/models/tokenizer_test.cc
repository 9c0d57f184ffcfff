#include "models/tokenizer.h"

#include <gmock/gmock.h>

#include "base/json.h"
#include "formats/gguf_metadata.h"
#include "tests/base/expect_error.h"

namespace qbuild::models {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using Ids = std::vector<std::int32_t>;

constexpr const char* kModel = QBUILD_SOURCE_DIR "/examples/models/bard-llama";

Tokenizer bard() {
  return load_tokenizer(*make_posix_file_system(), kModel);
}

formats::GgufMetadata bard_metadata() {
  const auto files = make_posix_file_system();
  return formats::llama_metadata(
      {.name = "bard", .parameters = 1, .file_type = 0}, formats::read_config(*files, kModel),
      formats::read_tokenizer_json(*files, kModel), formats::read_tokenizer_config(*files, kModel));
}

Ids ids_of(const Json& list) {
  Ids ids;
  for (const Json& id : list.as_array()) ids.push_back(static_cast<std::int32_t>(id.as_int()));
  return ids;
}

// Texts with their tokens, made by the `tokenizers` package 0.23.3 from the example's
// tokenizer.json.
Json vectors() {
  return Json::parse(read_file(*make_posix_file_system(),
                               QBUILD_SOURCE_DIR "/tests/models/data/bard_tokens.json", 1U << 22U));
}

// A tokenizer of single letters, the space and a few added tokens.
formats::TokenizerJson small_json(const std::string& more = "") {
  return formats::parse_tokenizer_json(Json::parse(
      R"({"model":{"type":"BPE","vocab":{"a":0,"b":1,"c":2,"Ġ":3,"ab":4},"merges":[["a","b"]]},"added_tokens":[)"
      R"({"id":5,"content":"<x>","special":true},{"id":6,"content":"<x>>","special":true},)"
      R"({"id":7,"content":"<l>","lstrip":true},{"id":8,"content":"<r>","rstrip":true},)"
      R"({"id":9,"content":"cab","single_word":true}],)"
      R"("pre_tokenizer":{"type":"ByteLevel","add_prefix_space":false})" +
      more + "}"));
}
Tokenizer small(const std::string& more = "") {
  return Tokenizer::from_json(small_json(more), {});
}
Ids encode(const Tokenizer& tokenizer, std::string_view text) {
  return tokenizer.encode(text, AddSpecial::kNo);
}

TEST(Tokenizer, AgreesWithTheLibraryOnEveryVector) {
  const Tokenizer tokenizer = bard();
  const Json rows = vectors();
  ASSERT_GT(rows.as_array().size(), 300U);
  for (const Json& row : rows.as_array()) {
    const std::string& text = row.at("text").as_string();
    EXPECT_EQ(tokenizer.encode(text, AddSpecial::kYes), ids_of(row.at("ids"))) << Json(text).dump();
    EXPECT_EQ(encode(tokenizer, text), ids_of(row.at("plain_ids"))) << Json(text).dump();
    EXPECT_EQ(tokenizer.decode(ids_of(row.at("plain_ids"))), row.at("decoded").as_string())
        << Json(text).dump();
  }
}

TEST(Tokenizer, GivesTheSameFromAGguf) {
  const Tokenizer tokenizer = Tokenizer::from_gguf(bard_metadata());
  EXPECT_EQ(tokenizer.size(), 1024U);
  EXPECT_EQ(tokenizer.bos(), 1021);
  EXPECT_EQ(tokenizer.eos(), 1022);
  EXPECT_TRUE(tokenizer.adds_bos());
  const Json rows = vectors();
  for (const Json& row : rows.as_array()) {
    const std::string& text = row.at("text").as_string();
    EXPECT_EQ(tokenizer.encode(text, AddSpecial::kYes), ids_of(row.at("ids"))) << Json(text).dump();
  }
}

TEST(Tokenizer, KnowsTheEndsOfTheExampleModel) {
  const Tokenizer tokenizer = bard();
  EXPECT_EQ(tokenizer.bos(), 1021);
  EXPECT_EQ(tokenizer.eos(), 1022);
  EXPECT_TRUE(tokenizer.adds_bos());
  EXPECT_THAT(tokenizer.encode("", AddSpecial::kYes), ElementsAre(1021));
  EXPECT_THAT(encode(tokenizer, ""), IsEmpty());
}

TEST(Tokenizer, TakesTheLongestAddedToken) {
  EXPECT_THAT(encode(small(), "a<x>>b"), ElementsAre(0, 6, 1));
  EXPECT_THAT(encode(small(), "<x><x>"), ElementsAre(5, 5));
}

TEST(Tokenizer, StripsWhiteSpaceBesideTokensThatSaySo) {
  EXPECT_THAT(encode(small(), "a  <l> b"), ElementsAre(0, 7, 3, 1));
  EXPECT_THAT(encode(small(), "a <r>  b"), ElementsAre(0, 3, 8, 1));
  EXPECT_THAT(encode(small(), "a <x> b"), ElementsAre(0, 3, 5, 3, 1));
}

TEST(Tokenizer, TakesASingleWordOnlyByItself) {
  EXPECT_THAT(encode(small(), "cab"), ElementsAre(9));
  EXPECT_THAT(encode(small(), "cab cab"), ElementsAre(9, 3, 9));
  EXPECT_THAT(encode(small(), "cabb"), ElementsAre(2, 4, 1));
  EXPECT_THAT(encode(small(), "acab"), ElementsAre(0, 2, 4));
}

TEST(Tokenizer, PutsASpaceInFrontWhereTheFileSaysSo) {
  formats::TokenizerJson json = small_json();
  json.pre_tokenizer = Json::parse(R"({"type":"ByteLevel","add_prefix_space":true})");
  const Tokenizer tokenizer = Tokenizer::from_json(json, {});
  EXPECT_THAT(encode(tokenizer, "a"), ElementsAre(3, 0));
  EXPECT_THAT(encode(tokenizer, " a"), ElementsAre(3, 0));
}

TEST(Tokenizer, NormalizesBeforeItCuts) {
  const std::string vocab =
      R"({"model":{"type":"BPE","vocab":{"Ã":0,"©":1,"e":2,"Ì":3,"ģ":4},"merges":[]},)"
      R"("pre_tokenizer":{"type":"ByteLevel","add_prefix_space":false},"normalizer":)";
  const auto tokenizer = [&](const std::string& form) {
    return Tokenizer::from_json(formats::parse_tokenizer_json(Json::parse(vocab + form + "}")), {});
  };
  EXPECT_THAT(encode(tokenizer(R"({"type":"NFC"})"), "e\xcc\x81"), ElementsAre(0, 1));
  EXPECT_THAT(
      encode(tokenizer(R"({"type":"Sequence","normalizers":[{"type":"NFD"}]})"), "\xc3\xa9"),
      ElementsAre(2, 3, 4));
  EXPECT_THAT(encode(tokenizer("null"), "e\xcc\x81"), ElementsAre(2, 3, 4));
}

TEST(Tokenizer, PutsTheTemplateAroundAText) {
  const Tokenizer tokenizer = small(
      R"(,"post_processor":{"type":"Sequence","processors":[{"type":"ByteLevel"},{"type":"TemplateProcessing",)"
      R"("single":[{"SpecialToken":{"id":"<x>"}},{"Sequence":{"id":"A"}},{"SpecialToken":{"id":"<x>>"}}],)"
      R"("special_tokens":{"<x>":{"ids":[5]},"<x>>":{"ids":[6]}}}]})");
  EXPECT_THAT(tokenizer.encode("a", AddSpecial::kYes), ElementsAre(5, 0, 6));
  EXPECT_THAT(tokenizer.encode("a", AddSpecial::kNo), ElementsAre(0));
}

TEST(Tokenizer, RefusesATemplateOfTokensThatAreNotThere) {
  for (const std::string id : {"10", "-1", "4294967297", "9223372036854775807"}) {
    const Error error = test::error_of([&] {
      static_cast<void>(small(
          R"(,"post_processor":{"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"z"}},)"
          R"({"Sequence":{"id":"A"}}],"special_tokens":{"z":{"ids":[)" +
          id + "]}}}"));
    });
    EXPECT_EQ(error.kind(), ErrorKind::kInvalidInput) << id;
  }
}

TEST(Tokenizer, NamesTheStepThatIsNotSupported) {
  const auto message = [](const std::string& more) {
    const Error error = test::error_of([&] { static_cast<void>(small(more)); });
    EXPECT_EQ(error.kind(), ErrorKind::kUnsupported);
    return error.message();
  };
  EXPECT_EQ(
      message(R"(,"normalizer":{"type":"Prepend","prepend":"x"})"),
      "normalizer: the kind \"Prepend\" is not supported; NFC, NFD, NFKC, NFKD and Sequence are");
  EXPECT_EQ(message(R"(,"post_processor":{"type":"BertProcessing"})"),
            "post_processor: the kind \"BertProcessing\" is not supported; TemplateProcessing, "
            "ByteLevel and Sequence "
            "are");
}

TEST(Tokenizer, RefusesFallingBackToBytes) {
  formats::TokenizerJson json = small_json();
  json.byte_fallback = true;
  EXPECT_EQ(test::error_of([&] { static_cast<void>(Tokenizer::from_json(json, {})); }).message(),
            "model.byte_fallback is set; only byte-level tokenizers are supported");
}

TEST(Tokenizer, CountsBytesThatAreNoTextAsReplacementCharacters) {
  const Tokenizer tokenizer = bard();
  EXPECT_EQ(encode(tokenizer,
                   "a\xff"
                   "b\xc3"),
            encode(tokenizer,
                   "a\xef\xbf\xbd"
                   "b\xef\xbf\xbd"));
  EXPECT_EQ(encode(tokenizer, "<|bos\xff|>"), encode(tokenizer, "<|bos\xef\xbf\xbd|>"));
}

TEST(Tokenizer, ComesBackToTheTextItWasGiven) {
  const Tokenizer tokenizer = bard();
  std::string text;
  for (int c = 0; c < 128; ++c) text += static_cast<char>(c);
  text += " \xe6\x97\xa5\xf0\x9f\x9a\x80 <|eos|> ROMEO:\n";
  EXPECT_EQ(tokenizer.decode(encode(tokenizer, text)), text);
}

TEST(Tokenizer, RefusesIdsThatAreNoTokens) {
  const Tokenizer tokenizer = small();
  for (const std::int32_t id : {-1, 10, 1 << 30}) {
    const Ids ids = {id};
    EXPECT_EQ(test::error_of([&] { static_cast<void>(tokenizer.decode(ids)); }).message(),
              "there is no token " + std::to_string(id));
  }
}

TEST(GgufTokenizer, RefusesOtherKindsAndNames) {
  const auto message = [](std::string_view key, const std::string& value) {
    formats::GgufMetadata metadata = bard_metadata();
    for (formats::GgufPair& pair : metadata)
      if (pair.key == key) pair.value = formats::GgufValue::text(value);
    return test::error_of([&] { static_cast<void>(Tokenizer::from_gguf(metadata)); }).message();
  };
  EXPECT_EQ(message("tokenizer.ggml.model", "llama"),
            "tokenizer.ggml.model is \"llama\"; byte-level BPE (\"gpt2\") is supported");
  EXPECT_EQ(message("tokenizer.ggml.pre", "mine"),
            "tokenizer.ggml.pre is \"mine\", which is not known here");
}

TEST(GgufTokenizer, RefusesEndsThatAreNoTokens) {
  for (const std::uint32_t id : {1024U, 0xffffffffU}) {
    formats::GgufMetadata metadata = bard_metadata();
    for (formats::GgufPair& pair : metadata)
      if (pair.key == "tokenizer.ggml.bos_token_id") pair.value = formats::GgufValue::u32(id);
    const Error error = test::error_of([&] { static_cast<void>(Tokenizer::from_gguf(metadata)); });
    EXPECT_EQ(error.kind(), ErrorKind::kInvalidInput);
    EXPECT_EQ(error.message(),
              "tokenizer.ggml.bos_token_id names a token that is not in the vocabulary");
  }
}

TEST(GgufTokenizer, AddsBosAsTheNameOfTheSplitterSaysWhereNoKeyDoes) {
  formats::GgufMetadata metadata = bard_metadata();
  std::erase_if(metadata, [](const formats::GgufPair& pair) {
    return pair.key == "tokenizer.ggml.add_bos_token";
  });
  EXPECT_TRUE(Tokenizer::from_gguf(metadata).adds_bos());
}

}  // namespace
}  // namespace qbuild::models
