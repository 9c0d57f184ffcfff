// Files config.json that are wrong, and what is said of each.

#include "formats/config.h"
#include "tests/formats/broken_file.h"

namespace qbuild::formats {
namespace {

using Kind = ErrorKind;

// A good file in which one member is another, or is added.
std::string with(std::string_view key, std::string_view value) {
  Json json = Json::parse(
      R"({"architectures":["LlamaForCausalLM"],"model_type":"llama","hidden_size":64,)"
      R"("intermediate_size":128,"num_hidden_layers":2,"num_attention_heads":4,"vocab_size":100})");
  json[key] = Json::parse(value);
  return json.dump();
}
std::string with_rope(std::string_view members) {
  return with("rope_scaling", "{\"rope_type\":\"llama3\"," + std::string(members) + "}");
}

class BrokenConfig : public BrokenFileTest {};

TEST_P(BrokenConfig, IsRefused) {
  expect_refusal("/m/config.json", [](FileSystem& files) { return read_config(files, "/m"); });
}

INSTANTIATE_TEST_SUITE_P(
    Text, BrokenConfig,
    testing::Values(
        BrokenFile{"Empty", "", Kind::kInvalidInput,
                   "/m/config.json: 1:1: invalid JSON: unexpected end of input; expected '[', '{', "
                   "or a literal"},
        BrokenFile{"List", "[]", Kind::kInvalidInput,
                   "/m/config.json: expected an object, found an array"},
        BrokenFile{"NaN", "{\"rope_theta\": NaN}", Kind::kInvalidInput,
                   "/m/config.json: 1:16: invalid JSON: invalid literal"},
        BrokenFile{"Infinity", "{\"a\": 1,\n \"rope_theta\": Infinity}", Kind::kInvalidInput,
                   "/m/config.json: 2:16: invalid JSON: invalid literal"},
        BrokenFile{"TrailingComma", "{\"a\": 1,}", Kind::kInvalidInput,
                   "/m/config.json: 1:9: invalid JSON: unexpected '}'; expected string literal"},
        BrokenFile{"KeyTwice", "{\"a\": 1,\n\"a\": 2}", Kind::kInvalidInput,
                   "/m/config.json: 2:1: \"a\" is given twice"},
        BrokenFile{"KeyOfTwoLinesTwice", R"({"a\nb": 1, "a\nb": 2})", Kind::kInvalidInput,
                   "/m/config.json: 1:13: \"a\\x0ab\" is given twice"},
        BrokenFile{"NotUtf8", "{\"a\": \"\xff\"}", Kind::kInvalidInput,
                   "/m/config.json: 1:8: invalid JSON: invalid string: ill-formed UTF-8 byte"},
        BrokenFile{"NumberOfAMillionDigits", "{\"a\": 1" + std::string(1'000'000, '0') + "}",
                   Kind::kInvalidInput, "/m/config.json: 1:7: a number of more than 4096 bytes"},
        BrokenFile{"TenThousandLevels", std::string(10'000, '['), Kind::kInvalidInput,
                   "/m/config.json: 1:129: nested deeper than 128 levels"},
        BrokenFile{"LfsPointer",
                   "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n",
                   Kind::kInvalidInput,
                   "/m/config.json is a Git LFS pointer, not the file itself; run \"git lfs pull\" "
                   "in /m"}),
    BrokenFileName());

INSTANTIATE_TEST_SUITE_P(
    Counts, BrokenConfig,
    testing::Values(
        BrokenFile{"NoLayers", with("num_hidden_layers", "null"), Kind::kInvalidInput,
                   "/m/config.json: num_hidden_layers: expected an integer, found null"},
        BrokenFile{"ABillionLayers", with("num_hidden_layers", "1000000000"), Kind::kInvalidInput,
                   "/m/config.json: num_hidden_layers: is 1000000000, which is more than 512"},
        BrokenFile{
            "LayersBelow0", with("num_hidden_layers", "-2"), Kind::kInvalidInput,
            "/m/config.json: num_hidden_layers: expected a number that is not negative, found -2"},
        BrokenFile{"ZeroHeads", with("num_attention_heads", "0"), Kind::kInvalidInput,
                   "/m/config.json: num_attention_heads: is 0"},
        BrokenFile{"HeadsThatDoNotDivide", with("num_attention_heads", "5"), Kind::kInvalidInput,
                   "/m/config.json: hidden_size: 64 values cannot be shared by 5 heads evenly, and "
                   "head_dim is not given"},
        BrokenFile{"ZeroKeyHeads", with("num_key_value_heads", "0"), Kind::kInvalidInput,
                   "/m/config.json: num_key_value_heads: is 0"},
        BrokenFile{"HeadOf2To40", with("head_dim", "1099511627776"), Kind::kInvalidInput,
                   "/m/config.json: head_dim: is 1099511627776, which is more than 262144"},
        BrokenFile{"HeadOf0", with("head_dim", "0"), Kind::kInvalidInput,
                   "/m/config.json: head_dim: is 0"},
        BrokenFile{"HiddenSizeOf1e300", with("hidden_size", "1e300"), Kind::kInvalidInput,
                   "/m/config.json: hidden_size: expected an integer, found 1e+300"},
        BrokenFile{
            "HiddenSizeOf2To64", with("hidden_size", "18446744073709551616"), Kind::kInvalidInput,
            "/m/config.json: hidden_size: expected an integer, found 1.8446744073709552e+19"},
        BrokenFile{"HiddenSizeOfAHalf", with("hidden_size", "0.5"), Kind::kInvalidInput,
                   "/m/config.json: hidden_size: expected an integer, found 0.5"},
        BrokenFile{"HiddenSizeOfWords", with("hidden_size", "\"64\""), Kind::kInvalidInput,
                   "/m/config.json: hidden_size: expected an integer, found a string"},
        BrokenFile{"ABillionTokens", with("vocab_size", "1000000000"), Kind::kInvalidInput,
                   "/m/config.json: vocab_size: is 1000000000, which is more than 524288"},
        BrokenFile{"ContextOf0", with("max_position_embeddings", "0"), Kind::kInvalidInput,
                   "/m/config.json: max_position_embeddings: is 0"},
        BrokenFile{"ContextOf10To12", with("max_position_embeddings", "1000000000000"),
                   Kind::kInvalidInput,
                   "/m/config.json: max_position_embeddings: is 1000000000000, which is more than "
                   "16777216"}),
    BrokenFileName());

INSTANTIATE_TEST_SUITE_P(
    Rotation, BrokenConfig,
    testing::Values(
        BrokenFile{"ScalingThatIsAWord", with("rope_scaling", "\"linear\""), Kind::kInvalidInput,
                   "/m/config.json: rope_scaling: expected an object, found a string"},
        BrokenFile{"FactorOf0", with_rope("\"factor\":0"), Kind::kInvalidInput,
                   "/m/config.json: rope_scaling: factor: is 0, which is not above 0"},
        BrokenFile{"FactorBelow0", with_rope("\"factor\":-8.5"), Kind::kInvalidInput,
                   "/m/config.json: rope_scaling: factor: is -8.5, which is not above 0"},
        BrokenFile{"FactorOfWords", with_rope("\"factor\":\"8\""), Kind::kInvalidInput,
                   "/m/config.json: rope_scaling: factor: expected a number, found a string"},
        BrokenFile{"ThetaOf0", with("rope_theta", "0"), Kind::kInvalidInput,
                   "/m/config.json: rope_theta: is 0, which is not above 0"},
        BrokenFile{"LowFrequencyAboveHigh",
                   with_rope("\"low_freq_factor\":4,\"high_freq_factor\":1"), Kind::kInvalidInput,
                   "/m/config.json: rope_scaling: high_freq_factor: is 1, which is not above "
                   "low_freq_factor, 4"},
        BrokenFile{"LowFrequencyOf0", with_rope("\"low_freq_factor\":0"), Kind::kInvalidInput,
                   "/m/config.json: rope_scaling: low_freq_factor: is 0, which is not above 0"},
        BrokenFile{"OriginalContextOf0", with_rope("\"original_max_position_embeddings\":0"),
                   Kind::kInvalidInput,
                   "/m/config.json: rope_scaling: original_max_position_embeddings: is 0"},
        BrokenFile{"OriginalContextOf10To12",
                   with_rope("\"original_max_position_embeddings\":1000000000000"),
                   Kind::kInvalidInput,
                   "/m/config.json: rope_scaling: original_max_position_embeddings: is "
                   "1000000000000, which is more than 16777216"},
        BrokenFile{"BetaOf0", with_rope("\"beta_fast\":0"), Kind::kInvalidInput,
                   "/m/config.json: rope_scaling: beta_fast: is 0, which is not above 0"},
        BrokenFile{"AttentionFactorBelow0", with_rope("\"attention_factor\":-1"),
                   Kind::kInvalidInput,
                   "/m/config.json: rope_scaling: attention_factor: is -1, which is not above 0"},
        BrokenFile{
            "RotatedPartBelow0", with("partial_rotary_factor", "-1"), Kind::kInvalidInput,
            "/m/config.json: partial_rotary_factor: is -1, which is not above 0 and at most 1"},
        BrokenFile{
            "RotatedPartOf1e300", with("partial_rotary_factor", "1e300"), Kind::kInvalidInput,
            "/m/config.json: partial_rotary_factor: is 1e+300, which is not above 0 and at most 1"},
        BrokenFile{"ArchitectureOfTwoLines", with("architectures", R"(["Evil\nqbuild: ok"])"),
                   Kind::kUnsupported,
                   "/m/config.json: the architecture Evil\\x0aqbuild: ok (model_type \"llama\") is "
                   "not supported yet; supported is llama (LlamaForCausalLM)"},
        BrokenFile{"ArchitecturesThatAreAWord", with("architectures", "\"LlamaForCausalLM\""),
                   Kind::kInvalidInput,
                   "/m/config.json: architectures: expected an array, found a string"}),
    BrokenFileName());

}  // namespace
}  // namespace qbuild::formats
