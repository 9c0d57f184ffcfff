// Files tokenizer.json, tokenizer_config.json and generation_config.json that are wrong, and what
// is said of each.

#include "formats/tokenizer_json.h"
#include "tests/formats/broken_file.h"

namespace qbuild::formats {
namespace {

using Kind = ErrorKind;

std::string with_vocabulary(const std::string& vocabulary, const std::string& merges = "") {
  return R"({"model":{"type":"BPE","vocab":{)" + vocabulary + R"(},"merges":[)" + merges + "]}}";
}
// Behind a vocabulary of "a" and "b".
std::string with_added(const std::string& tokens) {
  return R"({"model":{"type":"BPE","vocab":{"a":0,"b":1},"merges":[]},"added_tokens":[)" + tokens +
         "]}";
}

class BrokenTokenizer : public BrokenFileTest {};

TEST_P(BrokenTokenizer, IsRefused) {
  expect_refusal("/m/tokenizer.json",
                 [](FileSystem& files) { return read_tokenizer_json(files, "/m"); });
}

INSTANTIATE_TEST_SUITE_P(
    Vocabulary, BrokenTokenizer,
    testing::Values(
        BrokenFile{"Empty", "", Kind::kInvalidInput,
                   "/m/tokenizer.json: 1:1: invalid JSON: unexpected end of input; expected '[', "
                   "'{', or a literal"},
        BrokenFile{"CutInAToken", R"({"model":{"vocab":{"a)", Kind::kInvalidInput,
                   "/m/tokenizer.json: 1:22: invalid JSON: invalid string: missing closing quote"},
        BrokenFile{"WithoutAModel", "{}", Kind::kInvalidInput,
                   "/m/tokenizer.json: \"model\" is missing"},
        BrokenFile{"ModelThatIsAWord", R"({"model":"BPE"})", Kind::kInvalidInput,
                   "/m/tokenizer.json: model: expected an object, found a string"},
        BrokenFile{"ModelOfTwoLines", R"({"model":{"type":"x\ny"}})", Kind::kUnsupported,
                   "/m/tokenizer.json: model.type is \"x\\x0ay\"; byte-level BPE is supported"},
        BrokenFile{"VocabularyThatIsAList", R"({"model":{"type":"BPE","vocab":[],"merges":[]}})",
                   Kind::kInvalidInput,
                   "/m/tokenizer.json: model.vocab: expected an object, found an array"},
        BrokenFile{"TokenTwice", with_vocabulary(R"("a":0,"a":1)"), Kind::kInvalidInput,
                   "/m/tokenizer.json: 1:39: \"a\" is given twice"},
        BrokenFile{"IdTwice", with_vocabulary(R"("a":0,"b\u0007":0)"), Kind::kInvalidInput,
                   "/m/tokenizer.json: model.vocab: \"a\" and \"b\\x07\" share the id 0"},
        BrokenFile{"IdBelow0", with_vocabulary(R"("a":-1)"), Kind::kInvalidInput,
                   "/m/tokenizer.json: model.vocab: token \"a\" has the id -1, beyond 0 to 524287"},
        BrokenFile{"IdOfABillion", with_vocabulary(R"("a":1000000000)"), Kind::kInvalidInput,
                   "/m/tokenizer.json: model.vocab: token \"a\" has the id 1000000000, beyond 0 to "
                   "524287"},
        BrokenFile{
            "IdOf2To64", with_vocabulary(R"("a":18446744073709551616)"), Kind::kInvalidInput,
            "/m/tokenizer.json: model.vocab: expected an integer, found 1.8446744073709552e+19"},
        BrokenFile{"IdThatIsAWord", with_vocabulary(R"("a":"0")"), Kind::kInvalidInput,
                   "/m/tokenizer.json: model.vocab: \"a\": expected an integer, found a string"},
        BrokenFile{"TokenOfAMillionBytes",
                   with_vocabulary("\"" + std::string(1'000'000, 'a') + "\":-1"),
                   Kind::kInvalidInput,
                   "/m/tokenizer.json: model.vocab: token \"" + std::string(160, 'a') +
                       "... (1000000 bytes)\" has the id -1, beyond 0 to 524287"}),
    BrokenFileName());

INSTANTIATE_TEST_SUITE_P(
    Merges, BrokenTokenizer,
    testing::Values(
        BrokenFile{"MergeOfOnePart", with_vocabulary(R"("a":0)", R"("a a","a")"),
                   Kind::kInvalidInput, "/m/tokenizer.json: model.merges: [1]: \"a\" is no pair"},
        BrokenFile{"MergeOfThreeParts", with_vocabulary(R"("a":0)", R"(["a","a","a"])"),
                   Kind::kInvalidInput, "/m/tokenizer.json: model.merges: [0]: it is no pair"},
        BrokenFile{"MergeOfNumbers", with_vocabulary(R"("a":0)", "[1,2]"), Kind::kInvalidInput,
                   "/m/tokenizer.json: model.merges: [0]: expected a string, found a number"},
        BrokenFile{"MergeOfTwoLines", with_vocabulary(R"("a":0)", R"("a\nb")"), Kind::kInvalidInput,
                   "/m/tokenizer.json: model.merges: [0]: \"a\\x0ab\" is no pair"}),
    BrokenFileName());

INSTANTIATE_TEST_SUITE_P(
    AddedTokens, BrokenTokenizer,
    testing::Values(
        BrokenFile{"TokenWithoutAnId", with_added(R"({"content":"x"})"), Kind::kInvalidInput,
                   "/m/tokenizer.json: added_tokens: [0]: \"id\" is missing"},
        BrokenFile{"TokenWithoutAText", with_added(R"({"id":2})"), Kind::kInvalidInput,
                   "/m/tokenizer.json: added_tokens: [0]: \"content\" is missing"},
        BrokenFile{"AddedIdOf2To31", with_added(R"({"id":2147483648,"content":"x"})"),
                   Kind::kInvalidInput,
                   "/m/tokenizer.json: added_tokens: [0]: token \"x\" has the id 2147483648, "
                   "beyond 0 to 524287"},
        BrokenFile{"AddedIdOfAnother", with_added(R"({"id":1,"content":"x"})"), Kind::kInvalidInput,
                   "/m/tokenizer.json: added_tokens: [0]: \"b\" and \"x\" share the id 1"},
        BrokenFile{"AddedIdTwice", with_added(R"({"id":2,"content":"x"},{"id":2,"content":"x"})"),
                   Kind::kInvalidInput, "/m/tokenizer.json: added_tokens: the id 2 is given twice"},
        BrokenFile{"TextOfAnother", with_added(R"({"id":5,"content":"b"})"), Kind::kInvalidInput,
                   "/m/tokenizer.json: added_tokens: \"b\" has the ids 1 and 5"},
        BrokenFile{"TextTwice", with_added(R"({"id":2,"content":"x"},{"id":3,"content":"x"})"),
                   Kind::kInvalidInput,
                   "/m/tokenizer.json: added_tokens: \"x\" has the ids 2 and 3"},
        BrokenFile{"TextOf5000Bytes",
                   with_added(R"({"id":2,"content":")" + std::string(5000, 'x') + "\"}"),
                   Kind::kInvalidInput,
                   "/m/tokenizer.json: added_tokens: [0]: token 2 has 5000 bytes; an added token "
                   "may have 4096"},
        BrokenFile{"FlagThatIsANumber", with_added(R"({"id":2,"content":"x","lstrip":1})"),
                   Kind::kInvalidInput,
                   "/m/tokenizer.json: added_tokens: [0]: \"lstrip\": expected a boolean, found a "
                   "number"}),
    BrokenFileName());

class BrokenTokenizerConfig : public BrokenFileTest {};

TEST_P(BrokenTokenizerConfig, IsRefused) {
  expect_refusal("/m/tokenizer_config.json",
                 [](FileSystem& files) { return read_tokenizer_config(files, "/m"); });
}

std::string with_templates(const std::string& list) {
  return R"({"chat_template":[)" + list + "]}";
}

INSTANTIATE_TEST_SUITE_P(
    Values, BrokenTokenizerConfig,
    testing::Values(
        BrokenFile{"Empty", "", Kind::kInvalidInput,
                   "/m/tokenizer_config.json: 1:1: invalid JSON: unexpected end of input; expected "
                   "'[', '{', or a literal"},
        BrokenFile{"EndThatIsANumber", R"({"eos_token":2})", Kind::kInvalidInput,
                   "/m/tokenizer_config.json: eos_token: expected a string, found a number"},
        BrokenFile{"EndWithoutAText", R"({"eos_token":{"lstrip":false}})", Kind::kInvalidInput,
                   "/m/tokenizer_config.json: eos_token: \"content\" is missing"},
        BrokenFile{"FlagThatIsAWord", R"({"add_bos_token":"yes"})", Kind::kInvalidInput,
                   "/m/tokenizer_config.json: add_bos_token: expected a boolean, found a string"},
        BrokenFile{"TemplateThatIsANumber", R"({"chat_template":7})", Kind::kInvalidInput,
                   "/m/tokenizer_config.json: chat_template: expected an array, found a number"},
        BrokenFile{"TemplateWithoutAName", with_templates(R"({"template":"x"})"),
                   Kind::kInvalidInput,
                   "/m/tokenizer_config.json: chat_template: [0]: \"name\" is missing"},
        BrokenFile{"TemplateNameTwice",
                   with_templates(R"({"name":"a","template":"x"},{"name":"a","template":"y"})"),
                   Kind::kInvalidInput,
                   "/m/tokenizer_config.json: chat_template: two templates are called \"a\""},
        BrokenFile{
            "DefaultTemplateTwice",
            with_templates(R"({"name":"default","template":"x"},{"name":"","template":"y"})"),
            Kind::kInvalidInput,
            "/m/tokenizer_config.json: chat_template: two templates are called \"default\""},
        BrokenFile{"TemplateOf2Megabytes",
                   R"({"chat_template":")" + std::string(2'000'000, 'x') + "\"}", Kind::kExhausted,
                   "/m/tokenizer_config.json: chat_template: the template \"default\" has 2000000 "
                   "bytes; at most 1048576 are read"}),
    BrokenFileName());

class BrokenGenerationConfig : public BrokenFileTest {};

TEST_P(BrokenGenerationConfig, IsRefused) {
  expect_refusal("/m/generation_config.json",
                 [](FileSystem& files) { return read_generation_config(files, "/m"); });
}

std::string many_ends() {
  std::string ids = "0";
  for (int i = 1; i <= 1024; ++i) ids += "," + std::to_string(i);
  return R"({"eos_token_id":[)" + ids + "]}";
}

INSTANTIATE_TEST_SUITE_P(
    Values, BrokenGenerationConfig,
    testing::Values(
        BrokenFile{"BeginningThatIsAWord", R"({"bos_token_id":"1"})", Kind::kInvalidInput,
                   "/m/generation_config.json: bos_token_id: expected an integer, found a string"},
        BrokenFile{"EndOf1e300", R"({"eos_token_id":1e300})", Kind::kInvalidInput,
                   "/m/generation_config.json: eos_token_id: expected an integer, found 1e+300"},
        BrokenFile{"ListOfLists", R"({"eos_token_id":[[1]]})", Kind::kInvalidInput,
                   "/m/generation_config.json: eos_token_id: expected an integer, found an array"},
        BrokenFile{"TooManyEnds", many_ends(), Kind::kExhausted,
                   "/m/generation_config.json: eos_token_id: 1025 ids; at most 1024 are read"}),
    BrokenFileName());

}  // namespace
}  // namespace qbuild::formats
