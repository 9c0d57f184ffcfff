#include "rules/gguf_artifact.h"

#include <fmt/core.h>

#include <algorithm>
#include <set>

#include "base/digest.h"
#include "base/error.h"
#include "base/thread_pool.h"
#include "formats/gguf_metadata.h"
#include "formats/gguf_reader.h"
#include "rules/tensor_scale.h"

namespace qbuild::rules {
namespace {

constexpr std::size_t kPieceBytes = 256u << 10;  // stays in a core's own cache

std::string checksum_of(const formats::GgufReader& reader, const formats::GgufTensor& tensor,
                        std::vector<std::byte>& piece) {
  Xxh3 hash;
  for (std::uint64_t at = 0; at < tensor.size_bytes; at += piece.size()) {
    const auto count =
        static_cast<std::size_t>(std::min<std::uint64_t>(piece.size(), tensor.size_bytes - at));
    reader.read(tensor, at, MutableBytes(piece).first(count));
    hash.update(Bytes(piece).first(count));
  }
  return hash.hex();
}

// Names, types, shapes and checksums of all tensors.
std::string tensors_digest(const formats::GgufReader& reader,
                           const std::vector<std::string>& checksums) {
  Sha256 hash;
  for (std::size_t i = 0; i < checksums.size(); ++i) {
    const formats::GgufTensor& tensor = reader.tensors()[i];
    std::string line = fmt::format("{} {}", tensor.name, dtype_name(tensor.dtype));
    for (const std::uint64_t extent : tensor.shape) line += fmt::format(" {}", extent);
    hash.update(fmt::format("{} {}\n", line, checksums[i]));
  }
  return hash.finish().hex();
}

// Factors that stand beside weights are no parameters of the network.
std::set<std::string, std::less<>> scales_of(const formats::GgufReader& reader) {
  std::set<std::string, std::less<>> names;
  for (const formats::GgufTensor& tensor : reader.tensors())
    if (auto name = scale_name(tensor.name)) names.insert(std::move(*name));
  return names;
}

Json describe_facts(const formats::GgufReader& reader) {
  const formats::GgufMetadata& metadata = reader.metadata();
  std::map<std::string, std::uint64_t> types;
  std::uint64_t parameters = 0;
  std::uint64_t bytes = 0;
  const auto scales = scales_of(reader);
  for (const formats::GgufTensor& tensor : reader.tensors()) {
    ++types[std::string(dtype_name(tensor.dtype))];
    if (!scales.contains(tensor.name)) parameters += tensor.values();
    bytes += tensor.size_bytes;
  }
  Json counts = Json::object();
  for (const auto& [name, count] : types) counts[name] = count;
  Json facts = Json::object();
  const std::string architecture = formats::require_text(metadata, "general.architecture");
  facts["architecture"] = architecture;
  if (formats::find_value(metadata, "general.file_type") != nullptr)
    facts["file_type"] = formats::require_uint(metadata, "general.file_type");
  if (formats::find_value(metadata, architecture + ".context_length") != nullptr)
    facts["context_length"] = formats::require_uint(metadata, architecture + ".context_length");
  facts["parameters"] = parameters;
  facts["bits_per_weight"] =
      parameters == 0 ? 0.0 : static_cast<double>(bytes) * 8 / static_cast<double>(parameters);
  facts["tensor_count"] = reader.tensors().size();
  facts["types"] = std::move(counts);
  return facts;
}

std::string tensor_text(std::string_view name, const std::vector<std::uint64_t>& shape,
                        DType type) {
  std::string text;
  for (const std::uint64_t extent : shape)
    text += fmt::format("{}{}", text.empty() ? "" : ", ", extent);
  return fmt::format("{} [{}] {}", name, text, dtype_name(type));
}

}  // namespace

GgufDescription describe_gguf(FileSystem& files, const fs::path& path, unsigned threads) {
  const auto reader = formats::GgufReader::open(files, path);
  const formats::GgufDigests digests = formats::digest_metadata(reader.metadata());
  GgufDescription description;
  description.checksums.resize(reader.tensors().size());
  std::vector<std::vector<std::byte>> pieces(threads, std::vector<std::byte>(kPieceBytes));
  ThreadPool(threads).parallel_each(
      reader.tensors().size(), [&](std::size_t i, std::size_t thread) {
        description.checksums[i] = checksum_of(reader, reader.tensors()[i], pieces[thread]);
      });
  description.facets = {{"tensors", tensors_digest(reader, description.checksums)},
                        {"hyperparameters", digests.hyperparameters},
                        {"tokenizer", digests.tokenizer},
                        {"template", digests.chat_template},
                        {"general", digests.general}};
  description.facts = with_context(path.string(), [&] { return describe_facts(reader); });
  return description;
}

void require_tensors(FileSystem& files, const fs::path& path,
                     std::span<const formats::GgufTensorSpec> planned) {
  const auto reader = formats::GgufReader::open(files, path);
  const auto& found = reader.tensors();
  for (std::size_t i = 0; i < std::max(found.size(), planned.size()); ++i) {
    const std::string is =
        i < found.size() ? tensor_text(found[i].name, found[i].shape, found[i].dtype) : "nothing";
    const std::string should =
        i < planned.size() ? tensor_text(planned[i].name, planned[i].shape, planned[i].dtype)
                           : "nothing";
    if (is != should)
      throw Error(ErrorKind::kCorrupt,
                  fmt::format("{}: tensor {} is {}; {} was written", path.string(), i, is, should));
  }
}

}  // namespace qbuild::rules
