// Files that are large, or claim to be: each is answered within two seconds and 200 MB.

#include <gtest/gtest.h>

#include "formats/checkpoint.h"
#include "formats/config.h"
#include "formats/gguf_reader.h"
#include "formats/model_card.h"
#include "formats/tokenizer_json.h"
#include "tests/base/bounded.h"
#include "tests/formats/support.h"

namespace qbuild::formats {
namespace {

constexpr std::size_t kHuge = 100'000'000;

std::string repeated(std::string_view text, std::size_t bytes) {
  std::string all;
  all.reserve(bytes + text.size());
  while (all.size() < bytes) all += text;
  return all;
}

class BigFiles : public testing::Test {
 protected:
  // What is said of a file: "read", or the Error's message.
  template <typename Read>
  std::string answer(const fs::path& path, const std::string& bytes, Read read) {
    files_.put(path, bytes);
    const test::Cost cost = test::bounded([&]() -> std::string {
      try {
        static_cast<void>(read(files_));
      } catch (const Error& error) {
        return error.message();
      }
      return "read";
    });
    EXPECT_EQ(cost.failure, "");
    EXPECT_LT(cost.cpu_seconds, 2.0);
    EXPECT_LT(cost.grown_mib, 200);
    return cost.said;
  }

  std::string of_safetensors(const std::string& bytes) {
    return answer("/m/model.safetensors", bytes,
                  [](FileSystem& files) { return Checkpoint::open(files, "/m"); });
  }
  std::string of_index(const std::string& bytes) {
    return answer("/m/model.safetensors.index.json", bytes,
                  [](FileSystem& files) { return Checkpoint::open(files, "/m"); });
  }
  std::string of_gguf(const std::string& bytes) {
    return answer("/m/x.gguf", bytes,
                  [](FileSystem& files) { return GgufReader::open(files, "/m/x.gguf"); });
  }
  std::string of_config(const std::string& bytes) {
    return answer("/m/config.json", bytes,
                  [](FileSystem& files) { return read_config(files, "/m"); });
  }
  std::string of_tokenizer(const std::string& bytes) {
    return answer("/m/tokenizer.json", bytes,
                  [](FileSystem& files) { return read_tokenizer_json(files, "/m"); });
  }
  std::string of_front_matter(const std::string& yaml) {
    return answer("/m/README.md", "---\n" + yaml + "\n---\n", [](FileSystem& files) {
      return read_front_matter(read_file(files, "/m/README.md", 2 * kHuge));
    });
  }

  FakeFileSystem files_;
};

TEST_F(BigFiles, SafetensorsWithAHeaderOf100MegabytesAreNotRead) {
  EXPECT_EQ(of_safetensors(safetensors_file(std::string(kHuge, ' '), "")),
            "/m/model.safetensors: its header has 100000000 bytes; at most 33554432 are read");
}

TEST_F(BigFiles, SafetensorsHeadersOfManyValuesAreReadUntilTheyTakeTooMuch) {
  EXPECT_EQ(of_safetensors(safetensors_file("{\"a\":[" + repeated("0,", 32'000'000) + "0]}", "")),
            "/m/model.safetensors: header: 1:2097160: its values up to here take more than "
            "83886080 bytes of memory");
  EXPECT_EQ(of_safetensors(safetensors_file("{\"a\":[" + repeated("[],", 32'000'000) + "0]}", "")),
            "/m/model.safetensors: header: 1:3145736: its values up to here take more than "
            "83886080 bytes of memory");
  EXPECT_EQ(of_safetensors(
                safetensors_file("{\"a\":[" + repeated(R"({"":{}},)", 32'000'000) + "0]}", "")),
            "/m/model.safetensors: header: 1:4194317: its values up to here take more than "
            "83886080 bytes of memory");
}

TEST_F(BigFiles, SafetensorsMetadataOfOneLongTextIsPassedOver) {
  EXPECT_EQ(of_safetensors(safetensors_file(
                R"({"__metadata__":{"x":")" + repeated("x", 16'000'000) + "\"}}", "")),
            "/m holds no tensors");
}

TEST_F(BigFiles, SafetensorsOfAsManyTensorsAsFitAreRead) {
  std::string header = "{";
  for (int i = 0; i < 100'000; ++i)
    header += (i == 0 ? "\"" : ",\"") + std::to_string(i) +
              R"(":{"dtype":"F16","shape":[0],"data_offsets":[0,0]})";
  EXPECT_EQ(of_safetensors(safetensors_file(header + "}", "")), "read");
}

TEST_F(BigFiles, JsonOf100MegabytesIsNotRead) {
  const std::string huge(kHuge, ' ');
  EXPECT_EQ(of_config(huge),
            "read /m/config.json: 100000000 bytes, more than the limit of 2097152");
  EXPECT_EQ(of_tokenizer(huge),
            "read /m/tokenizer.json: 100000000 bytes, more than the limit of 41943040");
  EXPECT_EQ(
      of_index(huge),
      "read /m/model.safetensors.index.json: 100000000 bytes, more than the limit of 33554432");
}

TEST_F(BigFiles, JsonOf100000LevelsIsLeftAtTheFirstThatIsTooDeep) {
  EXPECT_EQ(of_config(std::string(100'000, '[')),
            "/m/config.json: 1:129: nested deeper than 128 levels");
  EXPECT_EQ(of_tokenizer(repeated("{\"a\":", 500'000)),
            "/m/tokenizer.json: 1:641: nested deeper than 128 levels");
}

TEST_F(BigFiles, ConfigurationsWithManyKeysAreLaidOverOneAnotherAtOnce) {
  std::string keys;
  for (int i = 0; i < 80'000; ++i) keys += "\"" + std::to_string(i) + "\":0,";
  EXPECT_EQ(of_config("{" + keys + R"("text_config":{)" + keys + R"("x":0}})"),
            "/m/config.json: the architecture (none given) is not supported yet; supported is "
            "llama (LlamaForCausalLM)");
}

TEST_F(BigFiles, TokenizersOfManyValuesAreReadUntilTheyTakeTooMuch) {
  const std::size_t bytes = 41'000'000;
  EXPECT_EQ(of_tokenizer("[" + repeated("0,", bytes) + "0]"),
            "/m/tokenizer.json: 1:4194307: its values up to here take more than 142606336 bytes of "
            "memory");
  EXPECT_EQ(of_tokenizer("[" + repeated("[[]],", bytes) + "0]"),
            "/m/tokenizer.json: 1:5242885: its values up to here take more than 142606336 bytes of "
            "memory");
  EXPECT_EQ(of_tokenizer("[" + repeated("[0,0,0,0,0],", bytes) + "0]"),
            "/m/tokenizer.json: 1:6291468: its values up to here take more than 142606336 bytes of "
            "memory");
  EXPECT_EQ(of_tokenizer("[" + repeated("\"sixteen letters.\",", bytes) + "0]"),
            "/m/tokenizer.json: 1:33808638: its values up to here take more than 142606336 bytes "
            "of memory");
  EXPECT_EQ(of_tokenizer("[\"" + std::string(bytes, 'x') + "\"]"),
            "/m/tokenizer.json: 1:2: a string of more than 16777216 bytes");
  EXPECT_EQ(of_tokenizer("[" + std::string(bytes, '1') + "]"),
            "/m/tokenizer.json: 1:2: a number of more than 4096 bytes");
  EXPECT_EQ(of_tokenizer("[" + std::string(bytes, ' ') + "]"),
            "/m/tokenizer.json: expected an object, found an array");
  const std::string longest = "\"" + std::string(Json::kMaxStringBytes - 2, 'x') + "\"";
  EXPECT_EQ(of_tokenizer("[" + longest + "," + longest + "]"),
            "/m/tokenizer.json: expected an object, found an array");
}

TEST_F(BigFiles, TokenizersOfAMillionTokensAreNotTaken) {
  std::string vocabulary;
  for (int i = 0; i < 1'000'000; ++i)
    vocabulary += (i == 0 ? "\"" : ",\"") + std::to_string(i) + "\":" + std::to_string(i);
  EXPECT_EQ(of_tokenizer(R"({"model":{"type":"BPE","vocab":{)" + vocabulary + R"(},"merges":[]}})"),
            "/m/tokenizer.json: model.vocab: 1000000 tokens; at most 524288 are read");
  std::string added;
  for (int i = 0; i < 1'000'000; ++i)
    added += (i == 0 ? "{\"id\":" : ",{\"id\":") + std::to_string(i) + ",\"content\":\"\"}";
  EXPECT_EQ(of_tokenizer(R"({"model":{"type":"BPE","vocab":{},"merges":[]},"added_tokens":[)" +
                         added + "]}"),
            "/m/tokenizer.json: 1:16875827: its values up to here take more than 142606336 bytes "
            "of memory");
}

TEST_F(BigFiles, TokenizersAsLargeAsTheLargestAreRead) {
  std::string vocabulary;
  for (int i = 0; i < 262'144; ++i)
    vocabulary += (i == 0 ? "\"token" : ",\"token") + std::to_string(i) + "\":" + std::to_string(i);
  std::string merges;
  for (int i = 0; i < 520'000; ++i) merges += std::string(i == 0 ? "" : ",") + "[\"to\",\"ken\"]";
  EXPECT_EQ(of_tokenizer(R"({"model":{"type":"BPE","vocab":{)" + vocabulary + R"(},"merges":[)" +
                         merges + "]}}"),
            "read");
}

TEST_F(BigFiles, ChatTemplatesOf100MegabytesAreNotRead) {
  EXPECT_EQ(answer("/m/chat_template.jinja", std::string(kHuge, 'x'),
                   [](FileSystem& files) { return read_tokenizer_config(files, "/m"); }),
            "read /m/chat_template.jinja: 100000000 bytes, more than the limit of 1048576");
}

TEST_F(BigFiles, GgufArraysAreReadUntilTheyTakeTooMuch) {
  const auto array = [](std::uint32_t type, std::uint64_t count, std::size_t bytes) {
    return gguf_start(0, 1) + gguf_string("k") + le(std::uint32_t{9}) + le(type) + le(count) +
           std::string(bytes, '\0');
  };
  EXPECT_EQ(of_gguf(array(0, kHuge, kHuge)),
            "/m/x.gguf: key k: its header up to byte 49 takes more than 134217728 bytes of memory");
  EXPECT_EQ(of_gguf(array(8, kHuge / 8, kHuge)),
            "/m/x.gguf: key k: its header up to byte 49 takes more than 134217728 bytes of memory");
  EXPECT_EQ(of_gguf(array(12, kHuge / 8, kHuge)), "read");
}

TEST_F(BigFiles, GgufStringsAndKeysAreReadUntilTheyTakeTooMuch) {
  EXPECT_EQ(of_gguf(gguf_start(0, 1) + gguf_string("k") + le(std::uint32_t{8}) +
                    gguf_string(std::string(kHuge, 'x'))),
            "read");
  std::string keys;
  for (int i = 0; i < 1600; ++i)
    keys += gguf_u32_pair(std::to_string(i) + std::string(65'000, 'k'), 1);
  EXPECT_EQ(of_gguf(gguf_start(0, 1600) + keys),
            "/m/x.gguf: its header up to byte 66969522 takes more than 134217728 bytes of memory");
}

TEST_F(BigFiles, GgufOfAsManyTensorsAsAreReadIsSearchedByName) {
  std::string infos;
  const std::int64_t count = 131'072;
  for (std::int64_t i = 0; i < count; ++i)
    infos += gguf_tensor_info(std::to_string(i), {8}, 0, static_cast<std::uint64_t>(i) * 32);
  const std::string bytes =
      padded(gguf_start(count, 0) + infos) + std::string(static_cast<std::size_t>(count) * 32, 'x');
  files_.put("/m/x.gguf", bytes);
  EXPECT_EQ(answer("/m/x.gguf", bytes,
                   [](FileSystem& files) {
                     const GgufReader reader = GgufReader::open(files, "/m/x.gguf");
                     for (std::int64_t i = 0; i < count; ++i) {
                       if (reader.find(std::to_string(i)) == nullptr)
                         throw Error(ErrorKind::kInternal, "a tensor was not found");
                     }
                     return 0;
                   }),
            "read");
}

TEST_F(BigFiles, CardsWithoutAnEndOfTheirFrontMatterAreLookedThroughOnce) {
  EXPECT_EQ(answer("/m/README.md", "---\n" + repeated("--\n", kHuge),
                   [](FileSystem& files) {
                     return read_front_matter(read_file(files, "/m/README.md", 2 * kHuge));
                   }),
            "read");
  EXPECT_EQ(of_front_matter(std::string(kHuge, 'x')),
            "front matter: 100000001 bytes; at most 786432 are read");
}

TEST_F(BigFiles, FrontMatterOfManyKeysIsRead) {
  std::string keys;
  for (int i = 0; i < 49'000; ++i) keys += std::to_string(i) + ": 0\n";
  EXPECT_EQ(of_front_matter(keys), "read");
}

TEST_F(BigFiles, FrontMatterThatRepeatsItsSignsIsAnsweredInTime) {
  for (const std::string_view sign :
       {"[",    "{",     "- ",         "? ", "a: ", "&a ",   "!a ", "a\n",    "\"\\n\" ",
        "[a, ", "{a: ",  "#",          "|",  "'",   "- a\n", ": ",  "a: [\n", "%a\n",
        "\\\n", "...\n", "? a\n: b\n", ",",  "[]",  "\t",    "\r"}) {
    SCOPED_TRACE(sign);
    EXPECT_NE(of_front_matter(repeated(sign, kMaxFrontMatterBytes - 10)), "");
    EXPECT_NE(of_front_matter("a: " + repeated(sign, kMaxFrontMatterBytes - 10)), "");
  }
}

}  // namespace
}  // namespace qbuild::formats
