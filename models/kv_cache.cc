#include "models/kv_cache.h"

#include "base/check.h"

namespace qbuild::models {

KvCache::KvCache(std::size_t layers, std::size_t kv_width, std::size_t positions)
    : capacity_(positions),
      layer_values_(kv_width * positions),
      keys_(layers * layer_values_),
      values_(layers * layer_values_) {}

void KvCache::advance(std::size_t tokens) {
  check(tokens <= capacity_ - length_, "cache: room for the tokens");
  length_ += tokens;
}

std::span<float> KvCache::keys(std::size_t layer) {
  return std::span(keys_).subspan(layer * layer_values_, layer_values_);
}

std::span<float> KvCache::values(std::size_t layer) {
  return std::span(values_).subspan(layer * layer_values_, layer_values_);
}

}  // namespace qbuild::models
