#include "rules/importance.h"

#include <fmt/core.h>

#include <algorithm>
#include <memory>
#include <span>

#include "base/digest.h"
#include "base/error.h"
#include "base/shown.h"
#include "kernels/codec.h"
#include "rules/tensor_role.h"

namespace qbuild::rules {
namespace {

using formats::GgufMetadata;
using formats::GgufValue;
using formats::ImatrixEntry;

constexpr std::string_view kFile = "quantize.imatrix.file";
constexpr std::string_view kDataset = "quantize.imatrix.dataset";
constexpr std::string_view kEntries = "quantize.imatrix.entries_count";
constexpr std::string_view kChunks = "quantize.imatrix.chunks_count";
// llama.cpp keeps that much of a text.
constexpr std::size_t kMaxTextBytes = 127;

// What stands behind a block's tensors, the embeddings and the output, is seldom measured.
bool is_in_a_block(const WeightTensor& tensor) {
  return block_of(tensor.name).has_value();
}

std::uint64_t wanted_values(const WeightTensor& tensor) {
  return tensor.row_length() * (tensor.shape.size() > 2 ? tensor.shape[2] : 1);
}

// Null: nothing is known of the tensor.
const ImatrixEntry* entry_of(const formats::Imatrix& imatrix, const WeightTensor& tensor,
                             DType type) {
  if (tensor.is_opaque || !kernels::uses_importance(type)) return nullptr;
  const ImatrixEntry* const entry = imatrix.find(tensor.name);
  if (entry == nullptr || entry->unseen == entry->matrices) return nullptr;
  if (entry->values == wanted_values(tensor)) return entry;
  if (!is_in_a_block(tensor)) return nullptr;
  throw Error(ErrorKind::kInvalidInput,
              fmt::format("{} has {} values; the source's tensor needs {}: the importance matrix "
                          "is that of another network",
                          tensor.name, entry->values, wanted_values(tensor)));
}

// At the end of a character.
std::string cut(std::string_view text) {
  std::string kept = spelled_out(text);
  if (kept.size() <= kMaxTextBytes) return kept;
  std::size_t end = kMaxTextBytes;
  while ((static_cast<unsigned char>(kept[end]) & 0xC0U) == 0x80U) --end;
  kept.resize(end);
  return kept;
}

}  // namespace

ColumnImportance importance_of(const formats::Imatrix& imatrix, const WeightTensor& tensor,
                               DType type) {
  const ImatrixEntry* const entry = entry_of(imatrix, tensor, type);
  if (entry == nullptr) return {};
  auto columns = std::make_shared<const std::vector<float>>(imatrix.read(*entry));
  ColumnImportance importance;
  importance.digest = xxh3_hex(std::as_bytes(std::span(*columns)));
  importance.columns = std::move(columns);
  return importance;
}

std::vector<std::string> check_importance(const formats::Imatrix& imatrix, std::string_view name,
                                          const std::vector<WeightTensor>& tensors,
                                          const std::vector<TypeChoice>& choices) {
  std::uint64_t known = 0;
  std::vector<std::string> unknown;
  std::vector<std::string> partly;
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    const WeightTensor& tensor = tensors[i];
    if (tensor.is_opaque || !kernels::uses_importance(choices[i].type)) continue;
    const ImatrixEntry* const entry =
        with_context(std::string(name), [&] { return entry_of(imatrix, tensor, choices[i].type); });
    if (entry != nullptr) {
      ++known;
      if (entry->unseen > 0)
        partly.push_back(fmt::format("{} ({} of {})", tensor.name, entry->unseen, entry->matrices));
    } else if (choices[i].needs_importance) {
      throw Error(ErrorKind::kInvalidInput,
                  fmt::format("{} says nothing of {}, which becomes {} and is of no use without",
                              name, tensor.name, dtype_name(choices[i].type)));
    } else if (is_in_a_block(tensor)) {
      unknown.push_back(tensor.name);
    }
  }
  if (known == 0 && !unknown.empty())
    throw Error(ErrorKind::kInvalidInput,
                fmt::format("{} names none of the tensors that are quantized, such as {}: it is of "
                            "another network",
                            name, unknown.front()));
  std::vector<std::string> notes;
  if (std::none_of(choices.begin(), choices.end(),
                   [](const TypeChoice& choice) { return kernels::uses_importance(choice.type); }))
    notes.push_back("none of its types looks at the importance matrix");
  if (!unknown.empty())
    notes.push_back(
        fmt::format("{} says nothing of {} of {} tensors, such as {}: their columns "
                    "matter alike",
                    name, unknown.size(), unknown.size() + known, unknown.front()));
  if (!partly.empty())
    notes.push_back(
        fmt::format("{} says nothing of some experts of {} tensors, such as {}: they "
                    "get the mean of the others",
                    name, partly.size(), partly.front()));
  return notes;
}

void describe_importance(const formats::Imatrix& imatrix, std::string_view name,
                         GgufMetadata& metadata) {
  set_value(metadata, kFile, GgufValue::text(cut(name)));
  if (!imatrix.dataset().empty())
    set_value(metadata, kDataset, GgufValue::text(cut(imatrix.dataset())));
  set_value(metadata, kEntries,
            GgufValue::u32(static_cast<std::uint32_t>(imatrix.entries().size())));
  if (imatrix.chunks() > 0)
    set_value(metadata, kChunks, GgufValue::u32(static_cast<std::uint32_t>(imatrix.chunks())));
}

}  // namespace qbuild::rules
