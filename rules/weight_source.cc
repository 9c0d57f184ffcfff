#include "rules/weight_source.h"

#include <fmt/core.h>

#include "base/error.h"
#include "rules/checkpoint_weights.h"
#include "rules/gguf_weights.h"

namespace qbuild::rules {

std::uint64_t WeightTensor::values() const {
  std::uint64_t count = 1;
  for (const std::uint64_t extent : shape) count *= extent;
  return count;
}

std::unique_ptr<WeightSource> open_weights(FileSystem& files, const fs::path& path) {
  const auto stat = files.stat(path);
  if (!stat)
    throw Error(ErrorKind::kNotFound,
                fmt::format("{}: there is no such checkpoint folder or GGUF file", path.string()));
  return stat->kind == FileStat::Kind::kDirectory ? open_checkpoint_weights(files, path)
                                                  : open_gguf_weights(files, path);
}

std::vector<TensorSpec> specs_of(const std::vector<WeightTensor>& tensors) {
  std::vector<TensorSpec> specs;
  specs.reserve(tensors.size());
  for (const WeightTensor& tensor : tensors)
    specs.push_back({tensor.name, tensor.shape, tensor.plain});
  return specs;
}

void check_stored_types(const std::vector<WeightTensor>& tensors,
                        const std::vector<TypeChoice>& choices, bool may_requantize) {
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    const WeightTensor& tensor = tensors[i];
    const DType stored = tensor.stored;
    if (choices[i].type == stored || stored == DType::kF32 || stored == DType::kF16 ||
        stored == DType::kBF16 || (stored == DType::kQ8_0 && may_requantize))
      continue;
    if (stored == DType::kQ8_0)
      throw Error(ErrorKind::kInvalidInput,
                  fmt::format("{} is Q8_0 in the source: its error would add to that of {}; take a "
                              "source of F16, BF16 or F32, or write requantize: true",
                              tensor.name, dtype_name(choices[i].type)));
    throw Error(ErrorKind::kInvalidInput,
                fmt::format("{} is {} in the source, of which no {} is made; take a source of F16, "
                            "BF16 or F32",
                            tensor.name, dtype_name(stored), dtype_name(choices[i].type)));
  }
}

}  // namespace qbuild::rules
