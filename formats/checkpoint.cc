#include "formats/checkpoint.h"

#include <fmt/core.h>

#include <algorithm>
#include <set>

#include "base/error.h"
#include "base/json.h"
#include "base/shown.h"

namespace qbuild::formats {
namespace {

constexpr std::string_view kSingle = "model.safetensors";
constexpr std::string_view kIndex = "model.safetensors.index.json";
// The largest published models have a hundred thousand tensors in two hundred shards, and an index
// of ten megabytes.
constexpr std::uint64_t kMaxIndexBytes = std::uint64_t{32} << 20U;
constexpr std::uint64_t kMaxIndexMemoryBytes = std::uint64_t{64} << 20U;
constexpr std::size_t kMaxShards = 1000;
constexpr std::size_t kMaxTensors = std::size_t{1} << 18U;
constexpr std::size_t kMaxNameBytes = 255;  // of one name in a Linux folder

bool is_plain_name(std::string_view name) {
  if (name.empty() || name.size() > kMaxNameBytes || name == "." || name == "..") return false;
  return std::none_of(name.begin(), name.end(), [](char c) {
    return c == '/' || c == '\\' || static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
  });
}

// tensor -> shard
std::map<std::string, std::string> read_index(FileSystem& file_system, const fs::path& path) {
  const std::string text = read_file(file_system, path, kMaxIndexBytes);
  refuse_lfs_pointer(text, path);
  return with_context(path.string(), [&] {
    std::map<std::string, std::string> map;
    const Json index = Json::parse(text, kMaxIndexMemoryBytes);
    const Json& places = index.at("weight_map");
    const auto& members =
        with_context("weight_map", [&]() -> const Json::Object& { return places.as_object(); });
    if (members.size() > kMaxTensors)
      throw Error(ErrorKind::kExhausted, fmt::format("weight_map: {} tensors; at most {} are read",
                                                     members.size(), kMaxTensors));
    for (const Json::Member& member : members) {
      const std::string tensor = "weight_map: " + shown(member.first);
      const std::string& shard =
          with_context(tensor, [&]() -> const std::string& { return member.second.as_string(); });
      if (!is_plain_name(shard))
        throw Error(
            ErrorKind::kCorrupt,
            fmt::format("{}: \"{}\" is no name of a file in this folder", tensor, shown(shard)));
      map.emplace(member.first, shard);
    }
    return map;
  });
}

const std::string& name_of(const std::string& name) {
  return name;
}
const std::string& name_of(const CheckpointTensor& tensor) {
  return tensor.name;
}

// tensors: sorted by name
void check_against_index(const std::map<std::string, std::string>& index,
                         const std::vector<CheckpointTensor>& tensors,
                         const std::vector<std::string>& files) {
  for (const CheckpointTensor& tensor : tensors) {
    const auto found = index.find(tensor.name);
    if (found == index.end() || found->second != files[tensor.file])
      throw Error(ErrorKind::kCorrupt,
                  fmt::format("{} holds tensor {}, which {} does not place there",
                              files[tensor.file], shown(tensor.name), kIndex));
  }
  for (const auto& [name, shard] : index)
    if (!std::binary_search(tensors.begin(), tensors.end(), name,
                            [](const auto& a, const auto& b) { return name_of(a) < name_of(b); }))
      throw Error(ErrorKind::kCorrupt,
                  fmt::format("{} places tensor {} in {}, which does not hold it", kIndex,
                              shown(name), shard));
}

}  // namespace

Checkpoint Checkpoint::open(FileSystem& file_system, const fs::path& folder) {
  Checkpoint checkpoint;
  checkpoint.folder_ = folder;
  std::map<std::string, std::string> index;
  if (file_system.stat(folder / kIndex)) {
    checkpoint.has_index_ = true;
    index = read_index(file_system, folder / kIndex);
    std::set<std::string> shards;
    for (const auto& [tensor, shard] : index) shards.insert(shard);
    if (shards.size() > kMaxShards)
      throw Error(ErrorKind::kExhausted,
                  fmt::format("{} names {} shards; at most {} are read", (folder / kIndex).string(),
                              shards.size(), kMaxShards));
    checkpoint.files_.assign(shards.begin(), shards.end());
  } else if (file_system.stat(folder / kSingle)) {
    checkpoint.files_ = {std::string(kSingle)};
  } else {
    throw Error(ErrorKind::kNotFound,
                fmt::format("{} has no {} and no {}; a checkpoint is a folder with safetensors",
                            folder.string(), kSingle, kIndex));
  }
  for (std::size_t i = 0; i < checkpoint.files_.size(); ++i) checkpoint.add_file(file_system, i);
  std::sort(checkpoint.tensors_.begin(), checkpoint.tensors_.end(),
            [](const auto& a, const auto& b) { return a.name < b.name; });
  for (std::size_t i = 1; i < checkpoint.tensors_.size(); ++i)
    if (checkpoint.tensors_[i].name == checkpoint.tensors_[i - 1].name)
      throw Error(ErrorKind::kCorrupt,
                  fmt::format("{}: two shards hold a tensor {}", folder.string(),
                              shown(checkpoint.tensors_[i].name)));
  if (checkpoint.has_index_)
    with_context(folder.string(),
                 [&] { check_against_index(index, checkpoint.tensors_, checkpoint.files_); });
  if (checkpoint.tensors_.empty())
    throw Error(ErrorKind::kCorrupt, fmt::format("{} holds no tensors", folder.string()));
  return checkpoint;
}

void Checkpoint::add_file(FileSystem& file_system, std::size_t file) {
  const fs::path path = folder_ / files_[file];
  open_.push_back(file_system.open(path));
  for (SafetensorsEntry& entry : read_safetensors_header(*open_.back(), path.string()).entries) {
    if (!entry.dtype)
      throw Error(ErrorKind::kUnsupported,
                  fmt::format("{}: tensor {} has the type {}; F32, F16 and BF16 are read",
                              path.string(), shown(entry.name), entry.dtype_text));
    if (tensors_.size() == kMaxTensors)
      throw Error(ErrorKind::kExhausted,
                  fmt::format("{}: more than {} tensors in all; no more are read", path.string(),
                              kMaxTensors));
    tensors_.push_back({.name = std::move(entry.name),
                        .dtype = *entry.dtype,
                        .shape = std::move(entry.shape),
                        .file = file,
                        .offset = entry.offset,
                        .size_bytes = entry.size_bytes});
  }
}

const CheckpointTensor* Checkpoint::find(std::string_view name) const {
  const auto found = std::lower_bound(
      tensors_.begin(), tensors_.end(), name,
      [](const CheckpointTensor& tensor, std::string_view n) { return tensor.name < n; });
  return found == tensors_.end() || found->name != name ? nullptr : &*found;
}

void Checkpoint::read(const CheckpointTensor& tensor, std::uint64_t offset,
                      MutableBytes out) const {
  if (offset > tensor.size_bytes || out.size() > tensor.size_bytes - offset)
    throw Error(ErrorKind::kInternal, fmt::format("tensor {} has no bytes {} to {}",
                                                  shown(tensor.name), offset, offset + out.size()));
  with_context(
      fmt::format("{}: tensor {}", (folder_ / files_[tensor.file]).string(), shown(tensor.name)),
      [&] { read_exactly(*open_[tensor.file], tensor.offset + offset, out); });
}

}  // namespace qbuild::formats
