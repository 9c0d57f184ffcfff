#pragma once
// GGUF files that are sources, and what is made of them.

#include <gmock/gmock.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "formats/gguf_reader.h"
#include "formats/gguf_writer.h"
#include "rules/quantize.h"
#include "tests/rules/support.h"

namespace qbuild::rules {

class GgufFiles : public testing::Test {
 protected:
  fs::path make(const fs::path& source, std::string_view recipe) {
    return run(request(source, recipe));
  }
  engine::ActionRequest request(const fs::path& source, std::string_view recipe) {
    return quantize_request(source, recipe,
                            make_scratch(folder_.path(), "scratch" + std::to_string(++scratches_)));
  }
  fs::path run(const engine::ActionRequest& asked) {
    return rule_->run(asked, context_).files.at(0).path;
  }

  // Under a name of its own.
  fs::path kept(const fs::path& made, const std::string& name) {
    fs::path path = folder_.path() / name;
    fs::rename(made, path);
    return path;
  }
  formats::GgufReader reader(const fs::path& path) {
    return formats::GgufReader::open(context_.file_system(), path);
  }
  // A file of any architecture: one matrix, one norm, and what a test adds.
  fs::path foreign(const std::string& name, const formats::GgufMetadata& more,
                   DType matrix = DType::kF16) {
    formats::GgufMetadata metadata{
        {"general.architecture", formats::GgufValue::text("mammoth")},
        {"mammoth.block_count", formats::GgufValue::u32(1)},
        {"mammoth.attention.head_count", formats::GgufValue::i32s({8, 4})}};
    metadata.insert(metadata.end(), more.begin(), more.end());
    const std::vector<formats::GgufTensorSpec> specs{{"blk.0.attn_q.weight", {256, 4}, matrix},
                                                     {"blk.0.map", {3}, DType::kI32},
                                                     {"a_norm.weight", {8}, DType::kF16}};
    fs::path path = folder_.path() / name;
    const auto file = context_.file_system().create(path, CreateMode::kExclusive);
    formats::GgufWriter writer(*file, metadata, specs);
    writer.append(std::vector<std::byte>(*row_bytes(matrix, 1024)));
    writer.append(as_bytes("\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c"));
    // A not-a-number: nobody asked what a tensor means that is carried over.
    writer.append(
        as_bytes(std::string_view("\x01\x7e\x00\x3c\x00\x3c\x00\x3c"
                                  "\x00\x3c\x00\x3c\x00\x3c\x00\x3c",
                                  16)));
    writer.finish();
    file->close();
    return path;
  }

  TemporaryFolder folder_;
  TestContext context_;
  std::unique_ptr<engine::Rule> rule_ = make_quantize_rule();
  int scratches_ = 0;
};

}  // namespace qbuild::rules
