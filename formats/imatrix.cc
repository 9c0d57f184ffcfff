#include "formats/imatrix.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <utility>

#include "base/bytes.h"
#include "base/error.h"
#include "base/shown.h"
#include "formats/gguf_reader.h"
#include "formats/safetensors.h"

namespace qbuild::formats {
namespace {

constexpr std::string_view kSums = ".in_sum2";
constexpr std::string_view kCounts = ".counts";
// What a .dat may say: longer names and texts are no names.
constexpr std::int32_t kMaxNameBytes = 255;
constexpr std::int32_t kMaxDatasetBytes = 1 << 16;

// Goes forward through a .dat. Whatever does not fit is the sign of another kind of file.
class DatCursor {
 public:
  explicit DatCursor(const ReadableFile& file) : file_(file), end_(file.stat().size_bytes) {}

  [[nodiscard]] std::uint64_t position() const { return position_; }
  [[nodiscard]] bool is_at_end() const { return position_ == end_; }

  std::int32_t number(std::string_view what, std::int32_t least, std::int32_t most) {
    std::array<std::byte, 4> bytes{};
    read(bytes, what);
    const auto value = load_le<std::int32_t>(bytes.data());
    if (value < least || value > most)
      throw Error(ErrorKind::kInvalidInput,
                  fmt::format("it is no importance matrix: {} at byte {} is {}", what,
                              position_ - 4, value));
    return value;
  }

  std::string text(std::int32_t size, std::string_view what) {
    std::string value(static_cast<std::size_t>(size), '\0');
    read(std::as_writable_bytes(std::span(value)), what);
    return value;
  }

  void skip(std::uint64_t bytes, std::string_view what) {
    if (bytes > end_ - position_) cut_off(what);
    position_ += bytes;
  }

 private:
  [[noreturn]] void cut_off(std::string_view what) const {
    throw Error(ErrorKind::kCorrupt, fmt::format("the file ends at byte {}, in {}", end_, what));
  }

  void read(MutableBytes out, std::string_view what) {
    if (out.size() > end_ - position_ || file_.read_at(position_, out) != out.size()) cut_off(what);
    position_ += out.size();
  }

  const ReadableFile& file_;
  std::uint64_t end_;
  std::uint64_t position_ = 0;
};

constexpr std::string_view kKind = "general.type";

void require_imatrix(const GgufMetadata& metadata) {
  if (is_imatrix(metadata)) return;
  const std::string* const kind = find_text(metadata, kKind);
  throw Error(ErrorKind::kInvalidInput,
              fmt::format("it is no importance matrix: its {} is {}", kKind,
                          kind == nullptr ? "not given" : "\"" + shown(*kind) + "\""));
}

void require_floats(const GgufTensor& tensor) {
  if (tensor.dtype != DType::kF32)
    throw Error(ErrorKind::kInvalidInput,
                fmt::format("{} is {}; it must be F32", tensor.name, dtype_name(tensor.dtype)));
}

// The tensor of the same name with the other ending.
const GgufTensor& partner_of(const GgufReader& reader, const GgufTensor& tensor,
                             std::string_view ending, std::string_view other_ending) {
  const std::string other =
      tensor.name.substr(0, tensor.name.size() - ending.size()) + std::string(other_ending);
  const GgufTensor* const found = reader.find(other);
  if (found == nullptr)
    throw Error(ErrorKind::kCorrupt, fmt::format("{} stands without {}", tensor.name, other));
  return *found;
}

}  // namespace

bool is_imatrix(const GgufMetadata& metadata) {
  const std::string* const kind = find_text(metadata, kKind);
  return kind != nullptr && *kind == "imatrix";
}

Imatrix::Imatrix(FileSystem& file_system, fs::path path)
    : path_(std::move(path)), file_(file_system.open(path_)) {}

Imatrix Imatrix::open(FileSystem& file_system, const fs::path& path) {
  Imatrix imatrix(file_system, path);
  if (is_gguf(*imatrix.file_)) {
    imatrix.open_gguf(file_system);
    return imatrix;
  }
  std::array<std::byte, 64> beginning{};
  const std::size_t got = imatrix.file_->read_at(0, beginning);
  refuse_lfs_pointer(as_text(Bytes(beginning).first(got)), path);
  with_context(path.string(), [&] { imatrix.open_dat(); });
  return imatrix;
}

void Imatrix::open_gguf(FileSystem& file_system) {
  const GgufReader reader = GgufReader::open(file_system, path_);
  with_context(path_.string(), [&] {
    require_imatrix(reader.metadata());
    chunks_ = require_uint(reader.metadata(), "imatrix.chunk_count");
    (void)require_uint(reader.metadata(), "imatrix.chunk_size");
    const auto& datasets = require_texts(reader.metadata(), "imatrix.datasets");
    if (!datasets.empty()) dataset_ = datasets.front();
    for (const GgufTensor& tensor : reader.tensors()) {
      if (tensor.name.ends_with(kCounts)) (void)partner_of(reader, tensor, kCounts, kSums);
      if (tensor.name.ends_with(kSums))
        add_sums(tensor, partner_of(reader, tensor, kSums, kCounts));
    }
    index_names();
  });
}

void Imatrix::add_sums(const GgufTensor& sums, const GgufTensor& counts) {
  require_floats(sums);
  require_floats(counts);
  matrices_ += std::min(counts.values(), kMaxImatrixMatrices);
  if (matrices_ >= kMaxImatrixMatrices)
    throw Error(ErrorKind::kExhausted, fmt::format("it has more than {} counts; {} is one too many",
                                                   kMaxImatrixMatrices, counts.name));
  Place place{sums.offset, std::vector<float>(counts.values())};
  read_floats(counts.offset, place.counts);
  add(sums.name.substr(0, sums.name.size() - kSums.size()), sums.values(), std::move(place));
}

void Imatrix::open_dat() {
  DatCursor in(*file_);
  const std::int32_t count =
      in.number("its number of entries", 1, static_cast<std::int32_t>(kMaxImatrixEntries));
  for (std::int32_t i = 0; i < count; ++i) {
    const std::string what = fmt::format("entry {}", i);
    std::string name =
        in.text(in.number("the length of a name", 1, kMaxNameBytes), what + "'s name");
    const std::int32_t calls = in.number("the number of calls of " + shown(name), 0,
                                         std::numeric_limits<std::int32_t>::max());
    const std::int32_t values = in.number("the number of values of " + shown(name), 1,
                                          static_cast<std::int32_t>(kMaxImatrixValues));
    const std::uint64_t offset = in.position();
    in.skip(std::uint64_t{4} * static_cast<std::uint64_t>(values), "the values of " + shown(name));
    add(std::move(name), static_cast<std::uint64_t>(values),
        Place{offset, {static_cast<float>(calls)}});
  }
  // Older files end here.
  if (!in.is_at_end()) {
    chunks_ = static_cast<std::uint64_t>(
        in.number("its number of chunks", 0, std::numeric_limits<std::int32_t>::max()));
    if (!in.is_at_end())
      dataset_ = in.text(in.number("the length of its dataset's name", 0, kMaxDatasetBytes),
                         "its dataset's name");
    if (!in.is_at_end())
      throw Error(
          ErrorKind::kInvalidInput,
          fmt::format("it is no importance matrix: something stands behind its end, at byte {}",
                      in.position()));
  }
  index_names();
}

void Imatrix::add(std::string name, std::uint64_t values, Place place) {
  if (entries_.size() == kMaxImatrixEntries)
    throw Error(ErrorKind::kExhausted,
                fmt::format("it has more than {} entries", kMaxImatrixEntries));
  const std::uint64_t matrices = place.counts.size();
  if (values > kMaxImatrixValues)
    throw Error(ErrorKind::kExhausted, fmt::format("{} has {} values; at most {} are read",
                                                   shown(name), values, kMaxImatrixValues));
  if (matrices == 0 || values == 0 || values % matrices != 0)
    throw Error(ErrorKind::kCorrupt,
                fmt::format("{} has {} values and {} counts", shown(name), values, matrices));
  std::uint64_t unseen = 0;
  for (float& counted : place.counts) {
    if (!std::isfinite(counted) || counted < 0)
      throw Error(ErrorKind::kInvalidInput,
                  fmt::format("{}{}: {} is no count", shown(name), kCounts, counted));
    counted = std::nearbyint(counted);
    if (counted == 0) ++unseen;
  }
  entries_.push_back(
      {.name = std::move(name), .values = values, .matrices = matrices, .unseen = unseen});
  places_.push_back(std::move(place));
}

void Imatrix::index_names() {
  by_name_.resize(entries_.size());
  std::iota(by_name_.begin(), by_name_.end(), 0u);
  const auto name_of = [&](std::uint32_t i) -> const std::string& { return entries_[i].name; };
  std::sort(by_name_.begin(), by_name_.end(),
            [&](std::uint32_t a, std::uint32_t b) { return name_of(a) < name_of(b); });
  const auto twice = std::adjacent_find(
      by_name_.begin(), by_name_.end(),
      [&](std::uint32_t a, std::uint32_t b) { return name_of(a) == name_of(b); });
  if (twice != by_name_.end())
    throw Error(ErrorKind::kCorrupt,
                fmt::format("the entry {} stands twice", shown(name_of(*twice))));
}

const ImatrixEntry* Imatrix::find(std::string_view name) const {
  const auto at =
      std::lower_bound(by_name_.begin(), by_name_.end(), name,
                       [&](std::uint32_t i, std::string_view to) { return entries_[i].name < to; });
  return at == by_name_.end() || entries_[*at].name != name ? nullptr : &entries_[*at];
}

void Imatrix::read_floats(std::uint64_t offset, std::vector<float>& out) const {
  const MutableBytes bytes = std::as_writable_bytes(std::span(out));
  if (file_->read_at(offset, bytes) != bytes.size())
    throw Error(ErrorKind::kCorrupt, "it was cut off since it was opened");
}

std::vector<float> Imatrix::read(const ImatrixEntry& entry) const {
  return with_context(path_.string(), [&] {
    const Place& place = places_.at(static_cast<std::size_t>(&entry - entries_.data()));
    std::vector<float> values(entry.values);
    read_floats(place.offset, values);
    const std::size_t columns = entry.values / entry.matrices;
    std::vector<double> mean(columns);
    for (std::size_t matrix = 0; matrix < entry.matrices; ++matrix) {
      const float count = place.counts[matrix];
      for (std::size_t column = 0; column < columns; ++column) {
        float& value = values[matrix * columns + column];
        if (!std::isfinite(value) || value < 0)
          throw Error(ErrorKind::kInvalidInput,
                      fmt::format("{}: {} at {} is no importance", shown(entry.name), value,
                                  matrix * columns + column));
        value = count == 0 ? 0 : value / count;
        mean[column] += value;
      }
    }
    const auto seen = static_cast<double>(entry.matrices - entry.unseen);
    for (std::size_t matrix = 0; matrix < entry.matrices && entry.unseen < entry.matrices;
         ++matrix) {
      if (place.counts[matrix] != 0) continue;
      for (std::size_t column = 0; column < columns; ++column)
        values[matrix * columns + column] = static_cast<float>(mean[column] / seen);
    }
    return values;
  });
}

}  // namespace qbuild::formats
