#include "cli/logits.h"

#include <fmt/core.h>

#include <cstdio>

#include "base/file_system.h"
#include "base/json.h"
#include "base/machine.h"
#include "base/thread_pool.h"
#include "models/network.h"
#include "models/tokenizer.h"

namespace qbuild::cli {

int print_logits(const std::string& model, const std::string& text) {
  const auto files = make_posix_file_system();
  const auto tokenizer = models::load_tokenizer(*files, model);
  const auto network = models::Network::load(
      *files, model,
      {.backend = kernels::best_backend(), .activations = kernels::ActivationMode::kF32});
  const auto tokens = tokenizer.encode(text, models::AddSpecial::kYes);
  ThreadPool pool(this_machine().cores);
  auto cache = network.make_cache(tokens.size());
  std::vector<std::uint32_t> wanted(tokens.size());
  for (std::uint32_t i = 0; i < wanted.size(); ++i) wanted[i] = i;
  const models::SequenceInput input{.cache = &cache, .tokens = tokens, .wanted = wanted};
  const auto logits = network.forward(std::span(&input, 1), pool);
  Json token_list = Json::array();
  for (const std::int32_t token : tokens) token_list.push_back(token);
  const std::size_t vocabulary = network.hyper_parameters().vocabulary;
  Json rows = Json::array();
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    Json row = Json::array();
    for (std::size_t j = 0; j < vocabulary; ++j) row.push_back(double{logits[i * vocabulary + j]});
    rows.push_back(std::move(row));
  }
  fmt::print("{}\n",
             Json::object({{"tokens", std::move(token_list)}, {"logits", std::move(rows)}}).dump());
  return 0;
}

}  // namespace qbuild::cli
