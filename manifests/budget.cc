#include "manifests/budget.h"

#include <fmt/core.h>

#include "manifests/limits.h"

namespace qbuild::manifests {

bool Budget::work(const Place& at, std::size_t bytes) {
  work_ += bytes;
  if (work_ > kMaxWorkBytes)
    refuse(at, fmt::format("the models with the defaults under them are more than {} MiB; take "
                           "several manifests",
                           kMaxWorkBytes >> 20U));
  return !is_spent_;
}

bool Budget::keep(const Place& at, std::size_t bytes) {
  kept_ += bytes;
  if (kept_ > kMaxKeptBytes)
    refuse(at, fmt::format("the models take more than {} MiB of memory; take several manifests",
                           kMaxKeptBytes >> 20U));
  return !is_spent_;
}

void Budget::refuse(const Place& at, std::string_view message) {
  if (!is_spent_) diagnostics_.add(at, message);
  is_spent_ = true;
}

}  // namespace qbuild::manifests
