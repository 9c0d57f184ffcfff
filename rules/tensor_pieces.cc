#include "rules/tensor_pieces.h"

#include <fmt/core.h>

#include "base/digest.h"
#include "base/error.h"
#include "kernels/codec.h"
#include "rules/tensor_scale.h"

namespace qbuild::rules {
namespace {

// Of how stored bytes become the values that are encoded.
//   1  first
constexpr std::string_view kReadingVersion = "1";

std::string shape_text(const std::vector<std::uint64_t>& shape) {
  std::string text;
  for (const std::uint64_t extent : shape) text += fmt::format(" {}", extent);
  return text;
}

}  // namespace

std::string piece_key(const WeightTensor& tensor, std::string_view checksum,
                      const Encoding& encoding) {
  const kernels::Codec* const codec = kernels::find_codec(encoding.type);
  const bool is_best = encoding.effort == kernels::Effort::kBest;
  const std::string& importance = encoding.importance.digest;
  const std::string scales =
      encoding.is_scaled ? fmt::format("scales {}\n", kTensorScalesVersion) : "";
  return xxh3_hex(as_bytes(fmt::format(
      "tensor\nreading {}\nbytes {}\nstored {}\nshape{}\nhead {}\nopaque {}\ntype {}\neffort {}\n"
      "encoder {}\n{}{}",
      kReadingVersion, checksum, dtype_name(tensor.stored), shape_text(tensor.shape),
      tensor.permuted_head_dim, tensor.is_opaque, dtype_name(encoding.type),
      is_best ? "best" : "default", codec == nullptr ? 0 : codec->encoder_version,
      importance.empty() ? "" : fmt::format("importance {}\n", importance), scales)));
}

std::string scale_piece_key(const WeightTensor& tensor, std::string_view checksum) {
  return xxh3_hex(as_bytes(fmt::format("scales {}\nreading {}\nbytes {}\nstored {}\nshape{}\n",
                                       kTensorScalesVersion, kReadingVersion, checksum,
                                       dtype_name(tensor.stored), shape_text(tensor.shape))));
}

std::string piece_scope(const std::vector<WeightTensor>& tensors) {
  std::string text = "tensors\n";
  for (const WeightTensor& tensor : tensors)
    text +=
        fmt::format("{} {}{}\n", tensor.name, dtype_name(tensor.stored), shape_text(tensor.shape));
  return sha256(text).hex();
}

FoundTensors::FoundTensors(FileSystem& files, std::vector<engine::DonorFile> donors)
    : file_system_(files) {
  for (engine::DonorFile& donor : donors) {
    for (cache::Piece& piece : donor.pieces) {
      std::string key = piece.key;
      sizes_.insert(piece.size_bytes);
      by_key_.emplace(std::move(key), Place{files_.size(), std::move(piece)});
    }
    files_.push_back({.path = std::move(donor.path), .open = nullptr, .is_gone = false});
  }
}

// Null: it cannot be opened.
const ReadableFile* FoundTensors::open(File& file) {
  if (file.open == nullptr && !file.is_gone) {
    file.is_gone = !file_system_.stat(file.path);
    if (!file.is_gone) file.open = file_system_.open(file.path);
  }
  return file.open.get();
}

bool FoundTensors::copy(const std::string& key, std::uint64_t size_bytes,
                        const cache::PieceSink& sink) {
  const auto [begin, end] = by_key_.equal_range(key);
  for (auto at = begin; at != end; ++at) {
    const Place& place = at->second;
    if (place.piece.size_bytes != size_bytes) continue;
    const ReadableFile* const file = open(files_[place.file]);
    if (file == nullptr || !cache::read_piece(*file, place.piece, {})) continue;
    if (cache::read_piece(*file, place.piece, sink)) return true;
    throw Error(ErrorKind::kTransient, fmt::format("{} changed while it was copied from; run again",
                                                   files_[place.file].path.string()));
  }
  return false;
}

}  // namespace qbuild::rules
