#include "rules/tensor_stream.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <optional>
#include <utility>

#include "base/error.h"
#include "kernels/codec.h"
#include "models/tensor_names.h"
#include "rules/row_encoder.h"

namespace qbuild::rules {
namespace {

// Values in one slab: as they are stored and encoded, of which there is room for a few, and large
// enough to keep system calls rare.
constexpr std::uint64_t kSlabValues = 4u << 20;
// Values that are decoded and then encoded in each type: as floats they stay in a core's own
// caches.
constexpr std::uint64_t kRunValues = 16u << 10;

constexpr std::size_t kReadBytes = 256u << 10;

std::uint64_t rows_of_values(std::uint64_t values, std::uint64_t row_length) {
  return std::max<std::uint64_t>(1, values / row_length);
}

std::uint64_t stored_row_bytes(const WeightTensor& tensor) {
  const auto bytes = row_bytes(tensor.stored, tensor.row_length());
  if (!bytes)
    throw Error(ErrorKind::kInvalidInput,
                fmt::format("rows of {} values are no whole blocks", tensor.row_length()));
  return *bytes;
}

// How a tensor is divided: into whole heads, if its rows are permuted.
class Slabs {
 public:
  explicit Slabs(const WeightTensor& tensor) {
    if (tensor.shape.empty() || tensor.values() == 0)
      throw Error(ErrorKind::kCorrupt, "its shape holds no values");
    rows_ = tensor.values() / tensor.row_length();
    const std::uint64_t unit = std::max<std::uint64_t>(tensor.permuted_head_dim, 1);
    if (rows_ % unit != 0)
      throw Error(ErrorKind::kInvalidInput,
                  fmt::format("{} rows are no whole heads of {}", rows_, unit));
    most_rows_ = rows_of_values(kSlabValues, tensor.row_length() * unit) * unit;
  }

  [[nodiscard]] std::uint64_t rows() const { return rows_; }
  [[nodiscard]] RowRange at(std::uint64_t row) const {
    return {row, std::min(most_rows_, rows_ - row)};
  }

 private:
  std::uint64_t rows_;
  std::uint64_t most_rows_;
};

// Not-a-number counts as nothing: whoever encodes it says where it is.
float largest_of(std::span<const float> values) {
  float largest = 0;
  for (const float value : values) largest = std::max(largest, std::abs(value));
  return largest;
}

}  // namespace

TensorStream::TensorStream(const WeightSource& source, kernels::Backend backend, ThreadPool& pool)
    : source_(source),
      backend_(backend),
      pool_(pool),
      workspaces_(pool.threads()),
      buffers_(std::make_shared<BufferPool>()) {}

TensorStream::~TensorStream() = default;

std::string TensorStream::convert(
    std::size_t tensor_index, std::span<const Encoding> wanted,
    const std::function<void(std::size_t wanted, const EncodedPiece& piece)>& emit) {
  const WeightTensor& tensor = source_.tensors()[tensor_index];
  std::optional<RowEncoders> encoders;
  return read(tensor_index, tensor_index + 1, [&](const RowRange& slab) {
    if (!encoders) encoders.emplace(tensor, wanted, backend_);
    std::vector<std::shared_ptr<BufferPool::Buffer>> buffers;
    for (const RowEncoder& encoder : encoders->all()) {
      buffers.push_back(buffers_->take());
      buffers.back()->resize(slab.rows * encoder.row_bytes());
    }
    in_runs(tensor, slab, [&](const RowRange& rows, Workspace& workspace) {
      const Bytes stored = ordered(tensor, slab, rows, workspace);
      if (encoders->want_values()) decode(tensor, stored, rows.rows, workspace);
      for (std::size_t i = 0; i < buffers.size(); ++i) {
        const std::uint64_t row = encoders->all()[i].row_bytes();
        encoders->all()[i].encode(
            rows.first_row, stored, workspace.values, workspace.divided,
            MutableBytes(*buffers[i])
                .subspan((rows.first_row - slab.first_row) * row, rows.rows * row));
      }
    });
    for (std::size_t i = 0; i < wanted.size(); ++i) emit(i, buffers[encoders->index_of(i)]);
  });
}

std::string TensorStream::checksum(std::size_t tensor) {
  return read(tensor, source_.tensors().size(), [](const RowRange& /*slab*/) {});
}

TensorStream::Survey TensorStream::survey(std::size_t tensor_index, std::uint64_t matrices) {
  const WeightTensor& tensor = source_.tensors()[tensor_index];
  std::vector<float> largest(matrices, 0.0F);
  std::vector<float> of_row;
  const auto take = [&](const RowRange& slab) {
    of_row.resize(slab.rows);
    in_runs(tensor, slab, [&](const RowRange& rows, Workspace& workspace) {
      decode(tensor, ordered(tensor, slab, rows, workspace), rows.rows, workspace);
      for (std::uint64_t i = 0; i < rows.rows; ++i)
        of_row[rows.first_row - slab.first_row + i] = largest_of(
            std::span(workspace.values).subspan(i * tensor.row_length(), tensor.row_length()));
    });
    const std::uint64_t rows_of_matrix = tensor.values() / tensor.row_length() / matrices;
    for (std::uint64_t row = 0; row < slab.rows; ++row) {
      float& here = largest[(slab.first_row + row) / rows_of_matrix];
      here = std::max(here, of_row[row]);
    }
  };
  // It is read again to be encoded.
  std::string checksum = read(tensor_index, tensor_index, take);
  return {std::move(checksum), std::move(largest)};
}

std::string TensorStream::read(std::size_t tensor_index, std::size_t next,
                               const std::function<void(const RowRange& slab)>& take) {
  const WeightTensor& tensor = source_.tensors()[tensor_index];
  return with_context(fmt::format("tensor {} ({})", tensor.name, tensor.stored_name), [&] {
    const Slabs slabs(tensor);
    begin_reading(tensor_index, slabs.at(0));
    std::string checksum;
    for (std::uint64_t row = 0; row < slabs.rows();) {
      const RowRange slab = slabs.at(row);
      row += slab.rows;
      reading_.finish();
      stored_.swap(arrived_);
      bytes_read_ += stored_.size();
      if (row < slabs.rows()) {
        start_reading(tensor_index, slabs.at(row));
      } else {
        checksum = checksum_.hex();
        read_ahead(next);
      }
      take(slab);
    }
    return checksum;
  });
}

void TensorStream::begin_reading(std::size_t tensor, const RowRange& first) {
  if (std::exchange(ahead_, std::nullopt) == tensor) return;
  try {
    reading_.finish();
  } catch (const Error&) {
    // Of what nobody asked for; whoever does hears of it.
  }
  checksum_ = Xxh3();
  start_reading(tensor, first);
}

void TensorStream::read_ahead(std::size_t tensor) {
  if (tensor >= source_.tensors().size()) return;
  try {
    begin_reading(tensor, Slabs(source_.tensors()[tensor]).at(0));
    ahead_ = tensor;
  } catch (const Error&) {
    // It is refused when it is asked for.
  }
}

void TensorStream::start_reading(std::size_t tensor_index, const RowRange& slab) {
  const std::uint64_t row = stored_row_bytes(source_.tensors()[tensor_index]);
  arrived_.resize(slab.rows * row);
  reading_.run([this, tensor_index, offset = slab.first_row * row] {
    // Each part is hashed while it is in the caches.
    for (std::size_t at = 0; at < arrived_.size(); at += kReadBytes) {
      const MutableBytes part = MutableBytes(arrived_).subspan(
          at, std::min<std::size_t>(kReadBytes, arrived_.size() - at));
      source_.read(tensor_index, offset + at, part);
      checksum_.update(part);
    }
  });
}

void TensorStream::in_runs(
    const WeightTensor& tensor, const RowRange& slab,
    const std::function<void(const RowRange& rows, Workspace& workspace)>& work) {
  const std::uint64_t most = rows_of_values(kRunValues, tensor.row_length());
  const std::uint64_t runs = (slab.rows + most - 1) / most;
  pool_.parallel_each(runs, [&](std::size_t run, std::size_t thread) {
    const std::uint64_t first = run * most;
    work({slab.first_row + first, std::min(most, slab.rows - first)}, workspaces_[thread]);
  });
}

Bytes TensorStream::ordered(const WeightTensor& tensor, const RowRange& slab, const RowRange& rows,
                            Workspace& workspace) const {
  const std::uint64_t row = stored_row_bytes(tensor);
  const std::uint64_t first = rows.first_row - slab.first_row;
  if (tensor.permuted_head_dim == 0) return Bytes(stored_).subspan(first * row, rows.rows * row);
  // A slab has whole heads.
  workspace.ordered.resize(rows.rows * row);
  for (std::uint64_t i = 0; i < rows.rows; ++i)
    std::memcpy(workspace.ordered.data() + i * row,
                stored_.data() + models::checkpoint_row(first + i, tensor.permuted_head_dim) * row,
                row);
  return workspace.ordered;
}

void TensorStream::decode(const WeightTensor& tensor, Bytes stored, std::uint64_t rows,
                          Workspace& workspace) const {
  workspace.values.resize(rows * tensor.row_length());
  kernels::decode_rows(backend_, tensor.stored, stored, workspace.values);
}

}  // namespace qbuild::rules
