#include "formats/gguf_reader.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <numeric>
#include <set>

#include "base/error.h"
#include "base/shown.h"
#include "formats/safetensors.h"

namespace qbuild::formats {
namespace {

constexpr std::string_view kMagic = "GGUF";

// What things take in memory beside their own size.
constexpr std::uint64_t kShortStringBytes = 15;  // lie within the string itself
constexpr std::uint64_t kBlockBytes = 16;        // of the heap, beside each block
constexpr std::uint64_t kPairBytes = 2 * sizeof(GgufPair) + sizeof(std::string) + 64;
constexpr std::uint64_t kTensorBytes = 2 * sizeof(GgufTensor) + 128;

// Reads forward through the header, a window at a time, and knows where it is.
class Cursor {
 public:
  Cursor(const ReadableFile& file, std::uint64_t file_bytes)
      : file_(file), end_(std::min(file_bytes, kMaxGgufHeaderBytes)), file_bytes_(file_bytes) {}

  [[nodiscard]] std::uint64_t position() const { return position_; }
  [[nodiscard]] std::uint64_t remaining() const { return end_ - position_; }

  void read(MutableBytes out) {
    if (out.size() > remaining()) cut_off();
    while (!out.empty()) {
      if (position_ < begin_ || position_ >= begin_ + filled_) fill();
      const std::size_t at = position_ - begin_;
      const std::size_t count = std::min(out.size(), filled_ - at);
      std::memcpy(out.data(), window_.data() + at, count);
      position_ += count;
      out = out.subspan(count);
    }
  }

  template <typename T>
  T number() {
    std::array<std::byte, sizeof(T)> bytes{};
    read(bytes);
    return load_le<T>(bytes.data());
  }

  std::string text(std::uint64_t max_bytes) {
    const auto size = number<std::uint64_t>();
    if (size > max_bytes)
      corrupt(fmt::format("a string of {} bytes, which may have {},", size, max_bytes));
    if (size > remaining()) cut_off();
    if (size > kShortStringBytes) charge(size + kBlockBytes);
    std::string value(size, '\0');
    read(std::as_writable_bytes(std::span(value)));
    return value;
  }

  // Called before memory is taken for what the file says.
  void charge(std::uint64_t bytes) {
    memory_bytes_ += bytes;
    if (memory_bytes_ <= kMaxGgufMemoryBytes) return;
    throw Error(ErrorKind::kExhausted,
                fmt::format("its header up to byte {} takes more than {} bytes of memory",
                            position_, kMaxGgufMemoryBytes));
  }

  [[noreturn]] void corrupt(const std::string& what) const {
    throw Error(ErrorKind::kCorrupt, fmt::format("{} before byte {}", what, position_));
  }

 private:
  [[noreturn]] void cut_off() const {
    if (end_ < file_bytes_)
      throw Error(ErrorKind::kExhausted,
                  fmt::format("its header has more than {} bytes, which is all that is read",
                              kMaxGgufHeaderBytes));
    throw Error(ErrorKind::kCorrupt,
                fmt::format("the file ends at byte {}, in its header", file_bytes_));
  }

  void fill() {
    begin_ = position_;
    filled_ = file_.read_at(begin_, window_);
    if (filled_ == 0) cut_off();
  }

  const ReadableFile& file_;
  std::uint64_t end_;
  std::uint64_t file_bytes_;
  std::uint64_t position_ = 0;
  std::uint64_t memory_bytes_ = 0;
  std::uint64_t begin_ = 0;
  std::size_t filled_ = 0;
  std::vector<std::byte> window_ = std::vector<std::byte>(1u << 16);
};

bool is_unsigned(GgufType type) {
  return type == GgufType::kU8 || type == GgufType::kU16 || type == GgufType::kU32 ||
         type == GgufType::kU64 || type == GgufType::kBool;
}
bool is_float(GgufType type) {
  return type == GgufType::kF32 || type == GgufType::kF64;
}

std::uint64_t smallest_bytes(GgufType type) {
  switch (type) {
    case GgufType::kU8:
    case GgufType::kI8:
    case GgufType::kBool:
      return 1;
    case GgufType::kU16:
    case GgufType::kI16:
      return 2;
    case GgufType::kU32:
    case GgufType::kI32:
    case GgufType::kF32:
      return 4;
    default:
      return 8;
  }
}

std::uint64_t read_unsigned(Cursor& in, GgufType type) {
  switch (type) {
    case GgufType::kU8:
      return in.number<std::uint8_t>();
    case GgufType::kBool:
      return in.number<std::uint8_t>() != 0 ? 1 : 0;
    case GgufType::kU16:
      return in.number<std::uint16_t>();
    case GgufType::kU32:
      return in.number<std::uint32_t>();
    default:
      return in.number<std::uint64_t>();
  }
}

std::int64_t read_signed(Cursor& in, GgufType type) {
  switch (type) {
    case GgufType::kI8:
      return in.number<std::int8_t>();
    case GgufType::kI16:
      return in.number<std::int16_t>();
    case GgufType::kI32:
      return in.number<std::int32_t>();
    default:
      return in.number<std::int64_t>();
  }
}

double read_float(Cursor& in, GgufType type) {
  return type == GgufType::kF32 ? double{in.number<float>()} : in.number<double>();
}

GgufType read_type(Cursor& in) {
  const auto id = in.number<std::uint32_t>();
  if (id > static_cast<std::uint32_t>(GgufType::kF64))
    in.corrupt(fmt::format("an unknown value type {}", id));
  return static_cast<GgufType>(id);
}

template <typename Read>
auto read_elements(Cursor& in, std::uint64_t count, Read read) {
  std::vector<decltype(read())> values;
  in.charge(count * sizeof(decltype(read())));
  values.reserve(count);
  for (std::uint64_t i = 0; i < count; ++i) values.push_back(read());
  return values;
}

void read_array(Cursor& in, GgufValue& value) {
  value.element = read_type(in);
  const GgufType element = value.element;
  const auto count = in.number<std::uint64_t>();
  if (element == GgufType::kArray) in.corrupt("an array of arrays");
  if (count > in.remaining() / smallest_bytes(element))
    in.corrupt(fmt::format("an array of {} elements, more than the file can hold,", count));
  if (element == GgufType::kString)
    value.value = read_elements(in, count, [&] { return in.text(kMaxGgufHeaderBytes); });
  else if (is_unsigned(element))
    value.value = read_elements(in, count, [&] { return read_unsigned(in, element); });
  else if (is_float(element))
    value.value = read_elements(in, count, [&] { return read_float(in, element); });
  else
    value.value = read_elements(in, count, [&] { return read_signed(in, element); });
}

GgufValue read_value(Cursor& in) {
  GgufValue value;
  value.type = read_type(in);
  if (value.type == GgufType::kString) {
    value.value = in.text(kMaxGgufHeaderBytes);
  } else if (is_unsigned(value.type)) {
    value.value = read_unsigned(in, value.type);
  } else if (is_float(value.type)) {
    value.value = read_float(in, value.type);
  } else if (value.type != GgufType::kArray) {
    value.value = read_signed(in, value.type);
  } else {
    read_array(in, value);
  }
  return value;
}

GgufMetadata read_pairs(Cursor& in, std::uint64_t count) {
  GgufMetadata metadata;
  std::set<std::string, std::less<>> keys;
  for (std::uint64_t i = 0; i < count; ++i) {
    GgufPair pair;
    in.charge(kPairBytes);
    pair.key = in.text(kMaxGgufKeyBytes);
    if (pair.key.empty()) in.corrupt("an empty key");
    in.charge(pair.key.size());
    if (!keys.insert(pair.key).second) in.corrupt(fmt::format("the key {} twice", shown(pair.key)));
    pair.value = with_context("key " + shown(pair.key), [&] { return read_value(in); });
    metadata.push_back(std::move(pair));
  }
  return metadata;
}

GgufTensor read_tensor_info(Cursor& in, std::uint64_t file_bytes) {
  GgufTensor tensor;
  in.charge(kTensorBytes);
  tensor.name = in.text(kMaxGgufNameBytes);
  if (tensor.name.empty()) in.corrupt("a tensor without a name");
  const std::string name = shown(tensor.name);
  const auto dimensions = in.number<std::uint32_t>();
  if (dimensions == 0 || dimensions > kMaxGgufDimensions)
    in.corrupt(fmt::format("tensor {} with {} dimensions", name, dimensions));
  std::optional<std::uint64_t> rows = 1;
  for (std::uint32_t i = 0; i < dimensions; ++i) {
    const auto extent = in.number<std::int64_t>();
    if (extent <= 0) in.corrupt(fmt::format("tensor {} with a dimension of {}", name, extent));
    tensor.shape.push_back(static_cast<std::uint64_t>(extent));
    if (i > 0 && rows) rows = checked_mul(*rows, tensor.shape.back());
  }
  const auto type_id = in.number<std::uint32_t>();
  const auto dtype = dtype_from_gguf_id(type_id);
  if (!dtype)
    throw Error(ErrorKind::kUnsupported,
                fmt::format("tensor {} has type {}, which qbuild does not read", name, type_id));
  tensor.dtype = *dtype;
  const auto row = row_bytes(tensor.dtype, tensor.shape[0]);
  if (tensor.shape[0] % dtype_info(tensor.dtype).block_values != 0)
    in.corrupt(fmt::format("tensor {} of type {} with rows of {} values, no whole blocks,", name,
                           dtype_name(tensor.dtype), tensor.shape[0]));
  const auto bytes = rows && row ? checked_mul(*rows, *row) : std::nullopt;
  if (!bytes || *bytes > file_bytes)
    in.corrupt(fmt::format("tensor {} larger than the file", name));
  tensor.size_bytes = *bytes;
  tensor.offset = in.number<std::uint64_t>();
  return tensor;
}

std::uint64_t alignment_of(const GgufMetadata& metadata) {
  const GgufValue* const value = find_value(metadata, "general.alignment");
  if (value == nullptr) return kGgufAlignment;
  const auto* const number = std::get_if<std::uint64_t>(&value->value);
  if (value->type != GgufType::kU32 || number == nullptr || !std::has_single_bit(*number))
    throw Error(ErrorKind::kCorrupt, "general.alignment is no u32 power of two");
  return *number;
}

// Offsets must be the running sum of padded sizes; then they are made absolute.
void place_tensors(std::vector<GgufTensor>& tensors, std::uint64_t data_begin,
                   std::uint64_t alignment, std::uint64_t file_bytes) {
  std::uint64_t expected = 0;
  for (GgufTensor& tensor : tensors) {
    if (tensor.offset != expected)
      throw Error(ErrorKind::kCorrupt,
                  fmt::format("tensor {} begins at byte {} of the data instead of {}",
                              shown(tensor.name), tensor.offset, expected));
    const auto end = checked_add(data_begin + tensor.offset, tensor.size_bytes);
    if (!end || *end > file_bytes)
      throw Error(ErrorKind::kCorrupt,
                  fmt::format("tensor {} ends past the file, which has {} bytes; it was cut off",
                              shown(tensor.name), file_bytes));
    expected = align_up(expected + tensor.size_bytes, alignment);
    tensor.offset += data_begin;
  }
}

}  // namespace

bool is_gguf(const ReadableFile& file) {
  std::array<std::byte, 4> magic{};
  return file.read_at(0, magic) == magic.size() && as_text(magic) == kMagic;
}

GgufReader GgufReader::open(FileSystem& file_system, const fs::path& path) {
  GgufReader reader;
  reader.path_ = path;
  reader.file_ = file_system.open(path);
  reader.file_bytes_ = reader.file_->stat().size_bytes;
  std::array<std::byte, 32> beginning{};
  const std::size_t got = reader.file_->read_at(0, beginning);
  refuse_lfs_pointer(as_text(Bytes(beginning).first(got)), path);
  return with_context(path.string(), [&] {
    if (!is_gguf(*reader.file_))
      throw Error(ErrorKind::kCorrupt, "it is no GGUF file (it does not begin with \"GGUF\")");
    Cursor in(*reader.file_, reader.file_bytes_);
    (void)in.number<std::uint32_t>();
    const auto version = in.number<std::uint32_t>();
    if (version != 2 && version != kGgufVersion)
      throw Error(ErrorKind::kUnsupported,
                  version != 0 && (version & 0xffffu) == 0
                      ? std::string("it is a big-endian GGUF, which qbuild does not read")
                      : fmt::format("it has GGUF version {}; 2 and 3 are read", version));
    const auto tensor_count = in.number<std::int64_t>();
    const auto pair_count = in.number<std::int64_t>();
    if (tensor_count < 0 || static_cast<std::uint64_t>(tensor_count) > kMaxGgufTensors ||
        pair_count < 0 || static_cast<std::uint64_t>(pair_count) > kMaxGgufPairs)
      in.corrupt(fmt::format("{} tensors and {} keys, of which at most {} and {} are read,",
                             tensor_count, pair_count, kMaxGgufTensors, kMaxGgufPairs));
    reader.metadata_ = read_pairs(in, static_cast<std::uint64_t>(pair_count));
    for (std::int64_t i = 0; i < tensor_count; ++i)
      reader.tensors_.push_back(read_tensor_info(in, reader.file_bytes_));
    reader.index_names();
    const std::uint64_t alignment = alignment_of(reader.metadata_);
    place_tensors(reader.tensors_, align_up(in.position(), alignment), alignment,
                  reader.file_bytes_);
    return std::move(reader);
  });
}

void GgufReader::index_names() {
  by_name_.resize(tensors_.size());
  std::iota(by_name_.begin(), by_name_.end(), 0U);
  std::sort(by_name_.begin(), by_name_.end(),
            [&](std::uint32_t a, std::uint32_t b) { return tensors_[a].name < tensors_[b].name; });
  for (std::size_t i = 1; i < by_name_.size(); ++i) {
    const std::string& name = tensors_[by_name_[i]].name;
    if (name == tensors_[by_name_[i - 1]].name)
      throw Error(ErrorKind::kCorrupt, fmt::format("there are two tensors {}", shown(name)));
  }
}

const GgufTensor* GgufReader::find(std::string_view name) const {
  const auto found =
      std::lower_bound(by_name_.begin(), by_name_.end(), name,
                       [&](std::uint32_t i, std::string_view n) { return tensors_[i].name < n; });
  if (found == by_name_.end() || tensors_[*found].name != name) return nullptr;
  return &tensors_[*found];
}

void GgufReader::read(const GgufTensor& tensor, std::uint64_t offset, MutableBytes out) const {
  if (offset > tensor.size_bytes || out.size() > tensor.size_bytes - offset)
    throw Error(ErrorKind::kInternal, fmt::format("tensor {} has no bytes {} to {}",
                                                  shown(tensor.name), offset, offset + out.size()));
  with_context(fmt::format("{}: tensor {}", path_.string(), shown(tensor.name)),
               [&] { read_exactly(*file_, tensor.offset + offset, out); });
}

}  // namespace qbuild::formats
