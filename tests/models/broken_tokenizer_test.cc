// Tokenizers that parse but cannot work, or that would work for ever, and what is said of each.

#include <gtest/gtest.h>

#include <ostream>

#include "models/pretokenizer.h"
#include "models/tokenizer.h"
#include "tests/base/bounded.h"
#include "tests/base/expect_error.h"

namespace qbuild::models {
namespace {

using test::error_of;
using Kind = ErrorKind;

struct BrokenTokenizer {
  std::string name;
  std::string members;  // beside the model, as JSON
  Kind kind = Kind::kInvalidInput;
  std::string message;
};

void PrintTo(const BrokenTokenizer& tokenizer, std::ostream* out) {
  *out << tokenizer.name;
}

formats::TokenizerJson with(const std::string& members, const std::string& merges = "") {
  return formats::parse_tokenizer_json(
      Json::parse(R"({"model":{"type":"BPE","vocab":{"a":0,"b":1,"c":2},"merges":[)" + merges +
                  "]}," + members + "}"));
}
std::string split_by(const std::string& pattern) {
  return R"("pre_tokenizer":{"type":"Sequence","pretokenizers":[{"type":"Split","pattern":{"Regex":")" +
         pattern + R"("}},{"type":"ByteLevel","add_prefix_space":false,"use_regex":false}]})";
}
std::string repeated(const std::string& element, int count) {
  std::string list = element;
  for (int i = 1; i < count; ++i) list += "," + element;
  return list;
}

class TokenizerThatCannotWork : public testing::TestWithParam<BrokenTokenizer> {};

TEST_P(TokenizerThatCannotWork, IsRefused) {
  const Error error =
      error_of([&] { static_cast<void>(Tokenizer::from_json(with(GetParam().members), {})); });
  EXPECT_EQ(error.message(), GetParam().message);
  EXPECT_EQ(error_kind_name(error.kind()), error_kind_name(GetParam().kind));
}

const std::string kByteLevel = R"("pre_tokenizer":{"type":"ByteLevel","add_prefix_space":false})";

INSTANTIATE_TEST_SUITE_P(
    Steps, TokenizerThatCannotWork,
    testing::Values(
        BrokenTokenizer{
            "PatternWithoutAnEnd", split_by("a(b"), Kind::kInvalidInput,
            "the pre-tokenizer's pattern a(b is wrong at character 3: missing closing parenthesis"},
        BrokenTokenizer{"PatternOfTwoLines", split_by("a\\n["), Kind::kInvalidInput,
                        "the pre-tokenizer's pattern a\\x0a[ is wrong at character 3: missing "
                        "terminating ] for character class"},
        BrokenTokenizer{"PatternThatGrows", split_by("((((a{100}){100}){100}){100})"),
                        Kind::kInvalidInput,
                        "the pre-tokenizer's pattern ((((a{100}){100}){100}){100}) is wrong at "
                        "character 29: regular expression is too large"},
        BrokenTokenizer{
            "PatternOf300Levels", split_by(std::string(300, '(') + std::string(300, ')')),
            Kind::kInvalidInput,
            "the pre-tokenizer's pattern " + std::string(160, '(') +
                "... (600 bytes) is wrong at character 251: parentheses are too deeply nested"},
        BrokenTokenizer{"PatternThatSplitsCharacters", split_by("\\\\C"), Kind::kInvalidInput,
                        "the pre-tokenizer's pattern \\C is wrong at character 2: using \\C is "
                        "disabled by the application"},
        BrokenTokenizer{"PatternOf20000Bytes", split_by(std::string(20'000, 'a')), Kind::kExhausted,
                        "pre_tokenizer: a pattern of 20000 bytes; it may have 16384"},
        BrokenTokenizer{"SeventeenPatterns",
                        R"("pre_tokenizer":{"type":"Sequence","pretokenizers":[)" +
                            repeated(R"({"type":"Digits"})", 17) + R"(,{"type":"ByteLevel"}]})",
                        Kind::kExhausted, "pre_tokenizer: more than 16 patterns"},
        BrokenTokenizer{
            "UnknownStep", R"("pre_tokenizer":{"type":"Evil\nStep"})", Kind::kUnsupported,
            "pre_tokenizer: the kind \"Evil\\x0aStep\" is not supported; Split, Digits, "
            "ByteLevel and Sequence are"},
        BrokenTokenizer{"StepThatIsANumber", R"("pre_tokenizer":7)", Kind::kInvalidInput,
                        "pre_tokenizer: expected an object, found a number"},
        BrokenTokenizer{"SeventeenNormalForms",
                        kByteLevel + R"(,"normalizer":{"type":"Sequence","normalizers":[)" +
                            repeated(R"({"type":"NFKD"})", 17) + "]}",
                        Kind::kExhausted, "normalizer: too many steps; at most 16 are read"},
        BrokenTokenizer{"UnknownNormalForm", kByteLevel + R"(,"normalizer":{"type":"\u001b[2J"})",
                        Kind::kUnsupported,
                        "normalizer: the kind \"\\x1b[2J\" is not supported; NFC, NFD, NFKC, "
                        "NFKD and Sequence are"}),
    [](const auto& row) { return row.param.name; });

std::string framed(const std::string& single, const std::string& tokens) {
  return kByteLevel + R"(,"post_processor":{"type":"TemplateProcessing","single":[)" + single +
         R"(],"special_tokens":{)" + tokens + "}}";
}

INSTANTIATE_TEST_SUITE_P(
    Templates, TokenizerThatCannotWork,
    testing::Values(
        BrokenTokenizer{"TokenWithoutIds",
                        framed(R"({"SpecialToken":{"id":"a"}})", R"("b":{"ids":[0]})"),
                        Kind::kInvalidInput, "post_processor: \"a\" is missing"},
        BrokenTokenizer{
            "IdOfNoToken", framed(R"({"SpecialToken":{"id":"a"}})", R"("a":{"ids":[3]})"),
            Kind::kInvalidInput, "post_processor names a token that is not in the vocabulary"},
        BrokenTokenizer{"IdBelow0", framed(R"({"SpecialToken":{"id":"a"}})", R"("a":{"ids":[-1]})"),
                        Kind::kInvalidInput,
                        "post_processor: expected a number that is not negative, found -1"},
        BrokenTokenizer{
            "AThousandElements",
            framed(repeated(R"({"SpecialToken":{"id":"a"}})", 1000), R"("a":{"ids":[0]})"),
            Kind::kExhausted,
            "post_processor: too many elements in its template; at most 64 are read"},
        BrokenTokenizer{"AThousandIds",
                        framed(R"({"SpecialToken":{"id":"a"}})",
                               R"("a":{"ids":[)" + repeated("0", 1000) + "]}"),
                        Kind::kExhausted,
                        "post_processor: too many tokens beside a text; at most 64 are read"},
        BrokenTokenizer{"AThousandSteps",
                        kByteLevel + R"(,"post_processor":{"type":"Sequence","processors":[)" +
                            repeated(R"({"type":"ByteLevel"})", 1000) + "]}",
                        Kind::kExhausted, "post_processor: too many steps; at most 64 are read"}),
    [](const auto& row) { return row.param.name; });

TEST(BrokenMerges, NameTheTokensThatAreNotThere) {
  const auto message = [](const std::string& merge) {
    return error_of([&] { static_cast<void>(Tokenizer::from_json(with(kByteLevel, merge), {})); })
        .message();
  };
  EXPECT_EQ(message(R"("a z\u0007")"),
            "merge 0 (\"a\" and \"z\\x07\") names a token that is not in the vocabulary");
  EXPECT_EQ(message(R"("a b")"),
            "merge 0 (\"a\" and \"b\") names a token that is not in the vocabulary");
  EXPECT_EQ(message(R"(["","a"])"),
            "merge 0 (\"\" and \"a\") names a token that is not in the vocabulary");
}

struct BrokenGguf {
  std::string name;
  std::string key;
  formats::GgufValue value;
  std::string message;
};

void PrintTo(const BrokenGguf& gguf, std::ostream* out) {
  *out << gguf.name;
}

class GgufTokenizerThatCannotWork : public testing::TestWithParam<BrokenGguf> {};

TEST_P(GgufTokenizerThatCannotWork, IsRefused) {
  using formats::GgufValue;
  formats::GgufMetadata metadata = {{"tokenizer.ggml.model", GgufValue::text("gpt2")},
                                    {"tokenizer.ggml.pre", GgufValue::text("gpt-2")},
                                    {"tokenizer.ggml.tokens", GgufValue::strings({"a", "b", "ab"})},
                                    {"tokenizer.ggml.token_type", GgufValue::i32s({1, 1, 1})},
                                    {"tokenizer.ggml.merges", GgufValue::strings({"a b"})}};
  static_cast<void>(Tokenizer::from_gguf(metadata));
  std::erase_if(metadata, [](const auto& pair) { return pair.key == GetParam().key; });
  metadata.push_back({GetParam().key, GetParam().value});
  const Error error = error_of([&] { static_cast<void>(Tokenizer::from_gguf(metadata)); });
  EXPECT_EQ(error.message(), GetParam().message);
}

INSTANTIATE_TEST_SUITE_P(
    Keys, GgufTokenizerThatCannotWork,
    testing::Values(
        BrokenGguf{"MergeOfOnePart", "tokenizer.ggml.merges",
                   formats::GgufValue::strings({"a b", "ab\x1b"}),
                   "tokenizer.ggml.merges: \"ab\\x1b\" is no pair"},
        BrokenGguf{"MergeOfNothing", "tokenizer.ggml.merges", formats::GgufValue::strings({""}),
                   "tokenizer.ggml.merges: \"\" is no pair"},
        BrokenGguf{"MergeOfUnknownTokens", "tokenizer.ggml.merges",
                   formats::GgufValue::strings({"a z"}),
                   "merge 0 (\"a\" and \"z\") names a token that is not in the vocabulary"},
        BrokenGguf{"FewerTypesThanTokens", "tokenizer.ggml.token_type",
                   formats::GgufValue::i32s({1, 1}),
                   "tokenizer.ggml.token_type is no array of one i32 for each of 3 tokens"},
        BrokenGguf{"TypesThatAreWords", "tokenizer.ggml.token_type",
                   formats::GgufValue::strings({"a", "b", "c"}),
                   "tokenizer.ggml.token_type is no array of one i32 for each of 3 tokens"},
        BrokenGguf{"TokensThatAreAWord", "tokenizer.ggml.tokens", formats::GgufValue::text("a"),
                   "the key tokenizer.ggml.tokens should be an array of strings, but is string"},
        BrokenGguf{"UnknownSplitter", "tokenizer.ggml.pre", formats::GgufValue::text("x\ny"),
                   "tokenizer.ggml.pre is \"x\\x0ay\", which is not known here"},
        BrokenGguf{"EndOfNoToken", "tokenizer.ggml.eos_token_id", formats::GgufValue::u32(3),
                   "tokenizer.ggml.eos_token_id names a token that is not in the vocabulary"},
        BrokenGguf{"EndOf2To32Less1", "tokenizer.ggml.eos_token_id", formats::GgufValue::u32(~0U),
                   "tokenizer.ggml.eos_token_id names a token that is not in the vocabulary"}),
    [](const auto& row) { return row.param.name; });

// Patterns that take for ever on some text, on a text of 100 kB: each gives up in time.
class HostilePattern : public testing::TestWithParam<std::pair<std::string, std::string>> {};

TEST_P(HostilePattern, GivesUpInTime) {
  const std::string& pattern = GetParam().first;
  const std::string& piece = GetParam().second;
  std::string text;
  while (text.size() < 100'000) text += piece;
  const test::Cost cost = test::bounded([&]() -> std::string {
    try {
      std::size_t bytes = 0;
      for (const std::string_view word : Pretokenizer({pattern}).split(text)) bytes += word.size();
      return bytes == text.size() ? "split" : "lost";
    } catch (const Error& error) {
      return error.message();
    }
  });
  EXPECT_EQ(cost.failure, "");
  EXPECT_EQ(cost.said.substr(0, 38), "the pre-tokenizer's pattern gave up at");
  EXPECT_LT(cost.cpu_seconds, 2.0);
  EXPECT_LT(cost.grown_mib, 200);
}

INSTANTIATE_TEST_SUITE_P(Patterns, HostilePattern,
                         testing::Values(std::pair{"(a|aa)+$", "a"},      //
                                         std::pair{"(a+)+b", "a"},        //
                                         std::pair{"\\s*y", " "},         //
                                         std::pair{"(?:a*)*b", "a"},      //
                                         std::pair{"(?=(a+))\\1b", "a"},  //
                                         std::pair{"(a(?1)?b?)c", "a"},   //
                                         std::pair{"(*NO_JIT)(x+x+)+y", "x"}));

TEST(HostilePatterns, ShareWhatATextMayTakeAmongItsParts) {
  // Every "b" is an added token, so that each stretch between two is split by itself.
  const Tokenizer tokenizer = Tokenizer::from_json(
      with(split_by("(a|aa)+$") + R"(,"added_tokens":[{"id":1,"content":"b"}])"), {});
  std::string text;
  while (text.size() < 100'000) text += std::string(24, 'a') + "cb";
  const test::Cost cost = test::bounded([&]() -> std::string {
    return error_of([&] { static_cast<void>(tokenizer.encode(text, AddSpecial::kNo)); }).message();
  });
  EXPECT_EQ(cost.failure, "");
  EXPECT_EQ(cost.said.substr(0, 38), "the pre-tokenizer's pattern gave up at");
  EXPECT_LT(cost.cpu_seconds, 2.0);
}

TEST(UnknownPatterns, SplitAsKnownOnesDo) {
  const std::string known =
      R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";
  const std::string text = "I'll  take 123 of \xE6\x97\xA5\xE6\x9C\xAC...\n\n\n then\t\t x" +
                           std::string(1000, ' ') + std::string(10'000, 'w') + " 9";
  // The same alternatives, of which one that never matches makes it another pattern.
  const auto words = Pretokenizer({known + "|(?!)"}).split(text);
  EXPECT_EQ(words, Pretokenizer({known}).split(text));
  EXPECT_GT(words.size(), 10U);
}

TEST(UnknownPatterns, MayNotMoveTheBeginningOfAMatchBehindItsEnd) {
  EXPECT_EQ(error_of([] { Pretokenizer({"(?=ab\\K)"}); }).message(),
            "the pre-tokenizer's pattern (?=ab\\K) is wrong at character 8: \\K is not allowed in "
            "lookarounds (but see PCRE2_EXTRA_ALLOW_LOOKAROUND_BSK)");
  std::vector<std::string> words;
  const Pretokenizer pretokenizer({"a\\Kb"});
  for (const std::string_view word : pretokenizer.split("xabab")) words.emplace_back(word);
  EXPECT_EQ(words, (std::vector<std::string>{"xa", "b", "a", "b"}));
}

TEST(AddedTokens, OfAHundredThousandAreFoundInALongTextInTime) {
  std::string list;
  for (int i = 0; i < 100'000; ++i)
    list += (i == 0 ? "" : ",") + std::string(R"({"id":)") + std::to_string(3 + i) +
            R"(,"content":"aaaaaaaa)" + std::to_string(i) + "!\"}";
  const Tokenizer tokenizer =
      Tokenizer::from_json(with(kByteLevel + R"(,"added_tokens":[)" + list + "]"), {});
  const std::string text(1'000'000, 'a');
  const test::Cost cost =
      test::bounded([&] { return std::to_string(tokenizer.encode(text, AddSpecial::kNo).size()); });
  EXPECT_EQ(cost.failure, "");
  EXPECT_EQ(cost.said, "1000000");
  EXPECT_LT(cost.cpu_seconds, 2.0);
  EXPECT_LT(cost.grown_mib, 200);
}

}  // namespace
}  // namespace qbuild::models
