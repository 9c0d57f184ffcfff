#include <fmt/core.h>

#include <algorithm>

#include "base/error.h"
#include "base/text.h"
#include "rules/gates.h"
#include "rules/lowering.h"
#include "templates/builtin.h"
#include "templates/template.h"

namespace qbuild::rules {
namespace {

// Texts are looked at whole up to this size; of longer ones, their beginning.
constexpr std::uint64_t kMaxLookedAtBytes = 64u << 20;
constexpr std::uint64_t kMaxTemplateBytes = 4u << 20;

void check_positions(Lowering& lowering, const LoweringModel& model) {
  const std::uint64_t positions = model.source.context_length;
  const manifests::Benchmark& benchmark = model.model.benchmark;
  if (!model.source.cannot_run.empty()) return;
  for (const manifests::PerplexityText& text : benchmark.texts)
    if (text.context > positions)
      lowering.complain(text.context_at,
                        fmt::format("a context of {} tokens is beyond the {} positions of {} "
                                    "(max_position_embeddings)",
                                    text.context, positions, model.source.name));
  if (!benchmark.throughput) return;
  const manifests::Throughput& test = *benchmark.throughput;
  if (std::uint64_t{test.prompt} + test.generate > positions)
    lowering.complain(test.tokens_at,
                      fmt::format("a prompt of {} and {} generated tokens are beyond the {} "
                                  "positions of {} (max_position_embeddings)",
                                  test.prompt, test.generate, positions, model.source.name));
}

// The file, or its beginning without a character that is cut in two.
std::string beginning_of(FileSystem& files, const fs::path& path) {
  const auto file = files.open(path);
  const std::uint64_t size_bytes = file->stat().size_bytes;
  std::string text(static_cast<std::size_t>(std::min(size_bytes, kMaxLookedAtBytes)), '\0');
  text.resize(file->read_at(0, std::as_writable_bytes(std::span(text))));
  if (size_bytes <= kMaxLookedAtBytes) return text;
  const auto is_continuation = [](char c) {
    return (static_cast<unsigned char>(c) & 0xc0) == 0x80;
  };
  for (int i = 0; i < 3 && !text.empty() && is_continuation(text.back()); ++i) text.pop_back();
  if (!text.empty()) text.pop_back();
  return text;
}

// What is quantized by tables alone may be a network that nothing here runs.
void check_measurable(Lowering& lowering, const LoweringModel& model) {
  const manifests::Benchmark& benchmark = model.model.benchmark;
  const std::string& reason = model.source.cannot_run;
  if (reason.empty()) return;
  const std::string message = fmt::format(
      "{}; such a model can be quantized, not measured: write benchmark: false", reason);
  if (!benchmark.texts.empty()) lowering.complain(benchmark.texts.front().text.at, message);
  if (benchmark.throughput) lowering.complain(benchmark.throughput->tokens_at, message);
}

void check_texts(Lowering& lowering, const LoweringModel& model) {
  for (const manifests::PerplexityText& text : model.model.benchmark.texts) {
    try {
      const std::string content = beginning_of(lowering.files, text.text.path);
      if (content.empty())
        lowering.complain(text.text.at, fmt::format("the text {} is empty", text.text.text));
      else if (!is_utf8(content))
        lowering.complain(text.text.at,
                          fmt::format("the text {} is no UTF-8; convert it", text.text.text));
    } catch (const Error& error) {
      lowering.complain(text.text.at, error.message());
    }
  }
}

// A gate on what nothing measures would hold everything for ever.
void check_gates(Lowering& lowering, const LoweringModel& model) {
  const manifests::Benchmark& benchmark = model.model.benchmark;
  for (const manifests::Gate& gate : model.model.gates) {
    const MeasuredBy by = measured_by(gate.metric);
    if (by == MeasuredBy::kPerplexity && benchmark.texts.empty())
      lowering.complain(gate.at, fmt::format("the gate \"{}\" needs what is not measured; write "
                                             "benchmark: {{perplexity: {{text: FILE}}}}",
                                             gate.metric));
    if (by == MeasuredBy::kThroughput && !benchmark.throughput)
      lowering.complain(gate.at, fmt::format("the gate \"{}\" needs what is not measured; write "
                                             "benchmark: {{throughput: {{repeat: 5}}}}",
                                             gate.metric));
  }
}

// What a card's rendering would find at the very end: what the template says, and whom it includes.
void check_template(Lowering& lowering, const LoweringModel& model) {
  if (!model.model.card_template || !model.model.publish) return;
  const manifests::PathValue& file = *model.model.card_template;
  try {
    const auto parsed = templates::Template::parse(
        read_file(lowering.files, file.path, kMaxTemplateBytes), file.path.filename().string());
    for (const std::string& name : parsed.partial_names()) {
      if (templates::builtin_template(name)) continue;
      std::string known;
      for (const std::string_view one : templates::builtin_template_names())
        known += fmt::format("{}{}", known.empty() ? "" : ", ", one);
      lowering.complain(file.at, fmt::format("{}: there is no partial \"{}\"; there are {}",
                                             parsed.name(), name, known));
    }
  } catch (const Error& error) {
    lowering.complain(file.at, error.message());
  }
}

}  // namespace

void check_model(Lowering& lowering, const LoweringModel& model) {
  check_measurable(lowering, model);
  check_positions(lowering, model);
  check_texts(lowering, model);
  check_gates(lowering, model);
  check_template(lowering, model);
}

}  // namespace qbuild::rules
