// qbuild-worker: runs batches of heavy actions for an engine. Users never start it.

#include <fmt/core.h>

#include <exception>
#include <string_view>

#include "base/error.h"
#include "cli/logits.h"
#include "engine/worker_loop.h"
#include "rules/heavy_rules.h"

int main(int argc, char** argv) {
  try {
    constexpr int kLogitsArguments = 5;
    if (argc == kLogitsArguments && std::string_view(argv[1]) == "--logits" &&
        std::string_view(argv[3]) == "--text")
      return qbuild::cli::print_logits(argv[2], argv[4]);
    return qbuild::engine::run_worker(qbuild::rules::all_rules());
  } catch (const qbuild::Error& error) {
    fmt::print(stderr, "{}\n", error.message());
  } catch (const std::exception& error) {
    fmt::print(stderr, "internal error: {}\n", error.what());
  }
  return 2;
}
