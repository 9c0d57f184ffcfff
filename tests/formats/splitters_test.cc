#include "formats/splitters.h"

#include <gmock/gmock.h>

#include "tests/formats/support.h"

namespace qbuild::formats {
namespace {

using testing::HasSubstr;

Splitter split(const std::string& json) {
  return splitter_from_json(Json::parse(json));
}
Error refusal(const std::string& json) {
  return error_of([&] { static_cast<void>(split(json)); });
}

// As it stands in a JSON file.
const std::string kLlama3 =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+)";
const std::string kLlama3Spelled =
    R"((?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+)";
const std::string kQwen2 =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+)";
const std::string kByteLevel = R"({"type":"ByteLevel","add_prefix_space":false,"use_regex":false})";

std::string sequence(const std::string& regex) {
  return R"({"type":"Sequence","pretokenizers":[{"type":"Split","pattern":{"Regex":")" + regex +
         R"("},"behavior":"Isolated","invert":false},)" + kByteLevel + "]}";
}

TEST(Splitters, AreNamedByTheirPatterns) {
  EXPECT_EQ(pre_name(split(sequence(kLlama3)), true), "llama-bpe");
  EXPECT_EQ(pre_name(split(sequence(kLlama3)), false), "smaug-bpe");
  EXPECT_EQ(pre_name(split(sequence(kLlama3Spelled)), true), "llama-bpe");
  EXPECT_EQ(pre_name(split(sequence(kQwen2)), false), "qwen2");
  EXPECT_EQ(
      pre_name(split(R"({"type":"ByteLevel","add_prefix_space":false,"use_regex":true})"), false),
      "gpt-2");
  EXPECT_EQ(pre_name(split(R"({"type":"ByteLevel","add_prefix_space":false})"), false), "gpt-2");
  EXPECT_EQ(
      pre_name(
          split(R"({"type":"Sequence","pretokenizers":[{"type":"Digits","individual_digits":true},)"
                R"({"type":"ByteLevel","add_prefix_space":false,"use_regex":true}]})"),
          false),
      "smollm");
}

TEST(Splitters, AreRunAsTheFileSpellsThem) {
  // The two spellings differ for U+017F, which only the first counts as an s.
  EXPECT_NE(split(sequence(kLlama3)), split(sequence(kLlama3Spelled)));
}

TEST(Splitters, OfAnUnknownPatternAreRefusedWithThePattern) {
  const Error error = error_of([] { static_cast<void>(pre_name(split(sequence("x+")), false)); });
  EXPECT_EQ(error.kind(), ErrorKind::kUnsupported);
  EXPECT_EQ(error.message(),
            "no GGUF runtime has a name for this pre-tokenizer, whose pattern is x+; known are "
            "those of Llama 3, Qwen 2, "
            "GPT-2, GPT-4o, SmolLM and Tekken");
}

TEST(Splitters, ComeBackFromTheirNames) {
  for (const std::string_view name : {"llama-bpe", "llama3", "llama-v3", "falcon3", "smaug-bpe",
                                      "dbrx", "qwen2", "gpt-2", "smollm", "gpt-4o", "tekken"}) {
    const NamedSplitter named = splitter_from_pre_name(name);
    const NamedSplitter again =
        splitter_from_pre_name(pre_name(named.splitter, named.ignore_merges));
    EXPECT_EQ(named.splitter, again.splitter) << name;
    EXPECT_EQ(named.ignore_merges, again.ignore_merges) << name;
  }
  EXPECT_TRUE(splitter_from_pre_name("llama-bpe").add_bos);
  EXPECT_FALSE(splitter_from_pre_name("qwen2").add_bos);
}

TEST(Splitters, OfAnUnknownNameAreRefused) {
  const Error error = error_of([] { static_cast<void>(splitter_from_pre_name("my-pre")); });
  EXPECT_EQ(error.kind(), ErrorKind::kUnsupported);
  EXPECT_EQ(error.message(), "tokenizer.ggml.pre is \"my-pre\", which is not known here");
}

TEST(Splitters, NameTheKindThatIsNotSupported) {
  EXPECT_EQ(refusal(R"({"type":"Metaspace"})").message(),
            "pre_tokenizer: the kind \"Metaspace\" is not supported; Split, Digits, ByteLevel and "
            "Sequence are");
  EXPECT_THAT(
      refusal(R"({"type":"Split","pattern":{"String":" "},"behavior":"Isolated"})").message(),
      HasSubstr("no isolating regular expression"));
  EXPECT_THAT(
      refusal(R"({"type":"Split","pattern":{"Regex":"x"},"behavior":"Removed","invert":true})")
          .message(),
      HasSubstr("(behavior \"Removed\")"));
}

TEST(Splitters, WithoutBytesAreRefused) {
  const Error error = refusal(R"({"type":"Split","pattern":{"Regex":"x"},"behavior":"Isolated"})");
  EXPECT_EQ(error.kind(), ErrorKind::kUnsupported);
  EXPECT_EQ(error.message(),
            "pre_tokenizer: there is no ByteLevel in it; only byte-level tokenizers are supported");
}

TEST(Splitters, WithStepsBehindTheBytesAreRefused) {
  EXPECT_EQ(
      refusal(R"({"type":"Sequence","pretokenizers":[)" + kByteLevel + R"(,{"type":"Digits"}]})")
          .message(),
      "pre_tokenizer: ByteLevel is not its last step, which is not supported");
}

TEST(Splitters, WithAPrefixBehindOtherStepsAreRefused) {
  EXPECT_EQ(
      refusal(R"({"type":"Sequence","pretokenizers":[{"type":"Digits"},{"type":"ByteLevel"}]})")
          .message(),
      "pre_tokenizer: add_prefix_space behind other steps is not supported");
}

TEST(Splitters, OfNothingCutNothing) {
  EXPECT_TRUE(splitter_from_json(Json()).patterns.empty());
}

TEST(KnownPatterns, AreThoseOfTheNamesAndNoStrangers) {
  for (const std::string_view name :
       {"llama-bpe", "qwen2", "gpt-2", "smollm", "gpt-4o", "tekken"}) {
    for (const std::string& pattern : splitter_from_pre_name(name).splitter.patterns) {
      EXPECT_TRUE(is_known_pattern(pattern)) << pattern;
      EXPECT_FALSE(is_known_pattern(pattern + "|x")) << pattern;
    }
  }
  const Json digits = Json::parse(R"({"type":"Sequence","pretokenizers":[{"type":"Digits"},)"
                                  R"({"type":"ByteLevel","add_prefix_space":false}]})");
  for (const std::string& pattern : splitter_from_json(digits).patterns)
    EXPECT_TRUE(is_known_pattern(pattern)) << pattern;
}

}  // namespace
}  // namespace qbuild::formats
