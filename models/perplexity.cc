#include "models/perplexity.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "kernels/math.h"
#include "kernels/softmax.h"

namespace qbuild::models {
namespace {

// Sums in f64, token after token in the order of the text.
class Likelihood {
 public:
  void add(double nll) {
    sum_ += nll;
    squares_ += nll * nll;
    ++count_;
  }
  [[nodiscard]] double mean() const { return sum_ / static_cast<double>(count_); }
  [[nodiscard]] double perplexity() const { return kernels::exact_exp(mean()); }
  [[nodiscard]] double standard_error() const {
    if (count_ < 2) return 0;
    const double variance = squares_ / static_cast<double>(count_) - mean() * mean();
    return perplexity() * std::sqrt(std::max(0.0, variance) / static_cast<double>(count_ - 1));
  }
  [[nodiscard]] std::uint64_t count() const { return count_; }

 private:
  double sum_ = 0;
  double squares_ = 0;
  std::uint64_t count_ = 0;
};

std::uint32_t chunk_count(std::size_t tokens, const PerplexityOptions& options,
                          const Network& network) {
  const std::uint32_t context = options.context;
  if (context < kMinPerplexityContext || context > network.hyper_parameters().context) {
    throw Error(ErrorKind::kInvalidInput,
                fmt::format("perplexity: a context of {} is not between {} and the {} of the model",
                            context, kMinPerplexityContext, network.hyper_parameters().context));
  }
  if (tokens < 2 * static_cast<std::size_t>(context)) {
    throw Error(
        ErrorKind::kInvalidInput,
        fmt::format(
            "perplexity: the text has {} tokens, and at least {} are needed for a context of "
            "{}; use a longer text or a smaller context",
            tokens, 2 * static_cast<std::size_t>(context), context));
  }
  const std::size_t whole = tokens / context;
  return static_cast<std::uint32_t>(
      options.chunks == 0 ? whole : std::min<std::size_t>(whole, options.chunks));
}

// As many as are asked for, unless their logits would fill the memory of a small machine.
std::uint32_t chunks_at_once(const PerplexityOptions& options, const Network& network) {
  constexpr std::uint64_t kMaxLogitBytes = 256ULL << 20U;
  const std::uint64_t chunk =
      options.context / 2 * network.hyper_parameters().vocabulary * sizeof(float);
  const std::uint64_t fitting = std::max<std::uint64_t>(1, kMaxLogitBytes / chunk);
  return static_cast<std::uint32_t>(
      std::clamp<std::uint64_t>(options.chunks_per_batch, 1, fitting));
}

class Measurement {
 public:
  Measurement(const Network& network, ThreadPool& pool, std::span<const std::int32_t> tokens,
              const PerplexityOptions& options)
      : network_(network), pool_(pool), tokens_(tokens), options_(options) {
    for (std::uint32_t i = options.context / 2; i + 1 < options.context; ++i) scored_.push_back(i);
  }

  // Evaluates chunks [first, first + count) together.
  void run(std::uint32_t first, std::uint32_t count, PerplexityResult& result) {
    const std::size_t context = options_.context;
    while (caches_.size() < count) caches_.push_back(network_.make_cache(context));
    std::vector<std::vector<std::int32_t>> texts(count);
    std::vector<SequenceInput> inputs(count);
    for (std::uint32_t c = 0; c < count; ++c) {
      const auto from = tokens_.subspan((first + c) * context, context);
      texts[c].assign(from.begin(), from.end());
      if (options_.first_token) texts[c].front() = *options_.first_token;
      caches_[c].clear();
      inputs[c] = {&caches_[c], texts[c], scored_};
    }
    const std::vector<float> logits = network_.forward(inputs, pool_, Products::kDefined);
    std::vector<double> nll(count * scored_.size());
    const std::size_t vocabulary = network_.hyper_parameters().vocabulary;
    pool_.parallel_for(nll.size(), 1, [&](std::size_t begin, std::size_t end) {
      for (std::size_t i = begin; i < end; ++i) {
        const std::size_t at = (first + i / scored_.size()) * context + scored_[i % scored_.size()];
        nll[i] = kernels::negative_log_likelihood(
            network_.options().backend, std::span(logits).subspan(i * vocabulary, vocabulary),
            static_cast<std::size_t>(tokens_[at + 1]));
      }
    });
    for (std::size_t i = 0; i < nll.size(); ++i) {
      if (!std::isfinite(nll[i])) {
        const std::size_t chunk = first + i / scored_.size() + 1;
        throw Error(
            ErrorKind::kInvalidInput,
            fmt::format(
                "perplexity is not a number: logits of chunk {} at position {} are not finite; "
                "the model's weights are broken",
                chunk, scored_[i % scored_.size()]));
      }
      likelihood_.add(nll[i]);
      if ((i + 1) % scored_.size() == 0) result.running.push_back(likelihood_.perplexity());
    }
  }

  [[nodiscard]] const Likelihood& likelihood() const { return likelihood_; }

 private:
  const Network& network_;
  ThreadPool& pool_;
  std::span<const std::int32_t> tokens_;
  const PerplexityOptions& options_;
  std::vector<std::uint32_t> scored_;
  std::vector<KvCache> caches_;
  Likelihood likelihood_;
};

}  // namespace

PerplexityResult measure_perplexity(
    const Network& network, ThreadPool& pool, std::span<const std::int32_t> tokens,
    const PerplexityOptions& options, const std::stop_token& stop,
    const std::function<void(const PerplexityProgress&)>& progress) {
  const std::uint32_t chunks = chunk_count(tokens.size(), options, network);
  const auto vocabulary = static_cast<std::int64_t>(network.hyper_parameters().vocabulary);
  for (std::size_t i = 0; i < chunks * static_cast<std::size_t>(options.context); ++i) {
    if (tokens[i] < 0 || tokens[i] >= vocabulary) {
      throw Error(
          ErrorKind::kInvalidInput,
          fmt::format(
              "perplexity: token {} of the text is {}, outside the model's vocabulary of {}", i,
              tokens[i], vocabulary));
    }
  }
  PerplexityResult result;
  result.chunks = chunks;
  result.context = options.context;
  Measurement measurement(network, pool, tokens, options);
  const std::uint32_t batch = chunks_at_once(options, network);
  for (std::uint32_t done = 0; done < chunks;) {
    if (stop.stop_requested()) throw Error(ErrorKind::kCancelled, "perplexity: cancelled");
    const std::uint32_t count = std::min(batch, chunks - done);
    measurement.run(done, count, result);
    for (std::uint32_t c = 0; progress && c < count; ++c) {
      progress({done + c + 1, chunks, result.running[done + c]});
    }
    done += count;
  }
  const Likelihood& likelihood = measurement.likelihood();
  result.perplexity = likelihood.perplexity();
  result.standard_error = likelihood.standard_error();
  result.mean_nll = likelihood.mean();
  result.tokens_scored = likelihood.count();
  return result;
}

}  // namespace qbuild::models
