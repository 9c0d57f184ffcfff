#include "models/llama.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <optional>

#include "kernels/activation.h"
#include "kernels/codec.h"
#include "kernels/dot.h"
#include "kernels/matmul.h"
#include "kernels/matmul_attention.h"
#include "kernels/norm.h"

namespace qbuild::models {
namespace {

using kernels::ActivationForm;
using kernels::PackedActivations;

// Rows of one width, one per token.
struct Rows {
  Rows(std::size_t count, std::size_t row_width) : width(row_width), values(count * row_width) {}
  [[nodiscard]] std::span<float> row(std::size_t index) {
    return std::span(values).subspan(index * width, width);
  }
  [[nodiscard]] std::size_t count() const { return values.size() / width; }

  std::size_t width;
  std::vector<float> values;
};

// The input of one or several products: packed once for each form that their weights ask for.
class Operand {
 public:
  Operand(const NetworkOptions& options, ThreadPool& pool, Rows& rows)
      : options_(options), pool_(pool), rows_(rows) {}

  const PackedActivations& packed(ActivationForm form) {
    auto& slot = packs_[static_cast<std::size_t>(form)];
    if (!slot)
      slot.emplace(options_.backend, pool_, form, rows_.values, rows_.count(), rows_.width);
    return *slot;
  }
  [[nodiscard]] Rows& rows() { return rows_; }

 private:
  const NetworkOptions& options_;
  ThreadPool& pool_;
  Rows& rows_;
  std::array<std::optional<PackedActivations>, 6> packs_;
};

class Pass {
 public:
  Pass(const LlamaModel& model, std::span<const SequenceInput> sequences, ThreadPool& pool,
       Products products)
      : model_(model),
        p_(model.parameters),
        backend_(model.options.backend),
        sequences_(sequences),
        pool_(pool),
        fast_(products == Products::kFast &&
              model.options.activations == kernels::ActivationMode::kReference) {
    shape_ = {p_.heads, p_.kv_heads, p_.head_dim,
              1.0F / std::sqrt(static_cast<float>(p_.head_dim))};
  }

  std::vector<float> run() {
    Rows x = embed();
    for (std::size_t i = 0; i < model_.weights.layers.size(); ++i) {
      const LayerWeights& layer = model_.weights.layers[i];
      Rows attended = attend(layer, i, x);
      // Of the last layer only the rows are computed whose logits are wanted.
      if (i + 1 == model_.weights.layers.size()) {
        attended = wanted(attended);
        x = wanted(x);
        if (x.values.empty()) break;
      }
      add_product(layer.attention_output, attended, x);
      feed_forward(layer, x);
    }
    for (const SequenceInput& sequence : sequences_)
      sequence.cache->advance(sequence.tokens.size());
    return logits(x);
  }

 private:
  template <typename Body>
  void for_tokens(std::size_t count, const Body& body) {
    // A few rows are done before another thread has woken.
    constexpr std::size_t kWorthThreads = 8;
    if (count < kWorthThreads) {
      for (std::size_t t = 0; t < count; ++t) body(t);
      return;
    }
    pool_.parallel_for(count, 1, [&](std::size_t begin, std::size_t end) {
      for (std::size_t t = begin; t < end; ++t) body(t);
    });
  }

  Rows embed() {
    std::vector<std::int32_t> tokens;
    for (const SequenceInput& s : sequences_)
      tokens.insert(tokens.end(), s.tokens.begin(), s.tokens.end());
    const Matrix& table = model_.weights.embedding;
    const std::size_t row = table.bytes.size() / table.rows;
    Rows x(tokens.size(), p_.hidden);
    for_tokens(tokens.size(), [&](std::size_t t) {
      const auto id = static_cast<std::size_t>(tokens[t]);
      kernels::decode_rows(backend_, table.dtype, Bytes(table.bytes).subspan(id * row, row),
                           x.row(t));
    });
    return x;
  }

  Rows norm(Rows& x, const std::vector<float>& weight) {
    Rows h(x.count(), x.width);
    for_tokens(x.count(), [&](std::size_t t) {
      kernels::rms_norm(backend_, x.row(t), weight, static_cast<float>(p_.norm_epsilon), h.row(t));
    });
    return h;
  }

  Rows product(const Matrix& weight, Operand& input) {
    Rows out(input.rows().count(), weight.rows);
    if (fast_ && out.count() == 1) {
      kernels::matvec(backend_, pool_, weight.view(), input.rows().values, out.values);
    } else {
      const auto form = kernels::activation_form(weight.dtype, model_.options.activations);
      kernels::matmul(backend_, pool_, weight.view(), input.packed(form), out.values);
    }
    if (weight.scale != 1)
      for_tokens(out.count(), [&](std::size_t t) {
        for (float& value : out.row(t)) value *= weight.scale;
      });
    return out;
  }

  Rows product(const Linear& linear, Operand& input) {
    Rows out = product(linear.weight, input);
    if (!linear.bias.empty()) {
      for_tokens(out.count(),
                 [&](std::size_t t) { kernels::add(backend_, linear.bias, out.row(t)); });
    }
    return out;
  }

  void add_product(const Linear& linear, Rows& input, Rows& x) {
    Operand operand(model_.options, pool_, input);
    Rows y = product(linear, operand);
    for_tokens(x.count(), [&](std::size_t t) { kernels::add(backend_, y.row(t), x.row(t)); });
  }

  // Norm, query, key and value, rotation, cache, attention.
  Rows attend(const LayerWeights& layer, std::size_t index, Rows& x) {
    Rows h = norm(x, layer.attention_norm);
    Operand input(model_.options, pool_, h);
    Rows query = product(layer.query, input);
    Rows key = product(layer.key, input);
    Rows value = product(layer.value, input);
    Rows out(query.count(), query.width);
    std::size_t first = 0;
    for (const SequenceInput& sequence : sequences_) {
      attend_sequence(sequence, index, first, query, key, value, out);
      first += sequence.tokens.size();
    }
    return out;
  }

  // first: the sequence's first row in the batch.
  void attend_sequence(const SequenceInput& sequence, std::size_t layer, std::size_t first,
                       Rows& query, Rows& key, Rows& value, Rows& out) {
    const std::size_t count = sequence.tokens.size();
    const std::size_t start = sequence.cache->length();
    const std::span<float> keys = sequence.cache->keys(layer);
    const std::span<float> values = sequence.cache->values(layer);
    const kernels::RopeTable table(p_.rope, start, count);
    for_tokens(count, [&](std::size_t t) {
      kernels::apply_rope(backend_, table, p_.rope_layout, start + t, p_.heads, p_.head_dim,
                          query.row(first + t));
      kernels::apply_rope(backend_, table, p_.rope_layout, start + t, p_.kv_heads, p_.head_dim,
                          key.row(first + t));
      const std::size_t at = (start + t) * key.width;
      std::copy_n(key.row(first + t).begin(), key.width,
                  keys.begin() + static_cast<std::ptrdiff_t>(at));
      std::copy_n(value.row(first + t).begin(), value.width,
                  values.begin() + static_cast<std::ptrdiff_t>(at));
    });
    const std::span<float> q =
        std::span(query.values).subspan(first * query.width, count * query.width);
    const std::span<float> o = std::span(out.values).subspan(first * out.width, count * out.width);
    if (fast_ && count == 1) {
      kernels::attend_one(backend_, shape_, q, start + 1, keys, values, o);
    } else {
      kernels::attention(backend_, pool_, shape_, q, count, start, keys, values, o);
    }
  }

  void feed_forward(const LayerWeights& layer, Rows& x) {
    Rows h = norm(x, layer.feed_forward_norm);
    Operand input(model_.options, pool_, h);
    Rows gate = product(layer.gate, input);
    Rows up = product(layer.up, input);
    for_tokens(gate.count(),
               [&](std::size_t t) { kernels::silu_multiply(backend_, up.row(t), gate.row(t)); });
    add_product(layer.down, gate, x);
  }

  // The rows of all sequences' wanted tokens.
  Rows wanted(Rows& all) {
    std::size_t count = 0;
    for (const SequenceInput& sequence : sequences_) count += sequence.wanted.size();
    Rows out(count, all.width);
    std::size_t first = 0;
    std::size_t to = 0;
    for (const SequenceInput& sequence : sequences_) {
      for (const std::uint32_t index : sequence.wanted) {
        const std::span<float> from = all.row(first + index);
        std::copy(from.begin(), from.end(), out.row(to++).begin());
      }
      first += sequence.tokens.size();
    }
    return out;
  }

  std::vector<float> logits(Rows& x) {
    if (x.values.empty()) return {};
    Rows h = norm(x, model_.weights.output_norm);
    Operand input(model_.options, pool_, h);
    return std::move(
        product(p_.tied_output ? model_.weights.embedding : model_.weights.output, input).values);
  }

  const LlamaModel& model_;
  const HyperParameters& p_;
  kernels::Backend backend_;
  std::span<const SequenceInput> sequences_;
  ThreadPool& pool_;
  bool fast_;
  kernels::AttentionShape shape_;
};

}  // namespace

std::vector<float> llama_forward(const LlamaModel& model, std::span<const SequenceInput> sequences,
                                 ThreadPool& pool, Products products) {
  return Pass(model, sequences, pool, products).run();
}

}  // namespace qbuild::models
