#pragma once
// What the models of a load may still cost. A few lines can ask for anything: defaults times a
// matrix, sets of sets. So whoever makes something of a tree charges it here first, and stops when
// the budget is spent.

#include <cstddef>
#include <string_view>

#include "manifests/diagnostic.h"

namespace qbuild::manifests {

class Budget {
 public:
  explicit Budget(Diagnostics& diagnostics) : diagnostics_(diagnostics) {}

  // Bytes that are looked at or copied. True: go on. False once more than kMaxWorkBytes were
  // charged; the first time a diagnostic says so.
  [[nodiscard]] bool work(const Place& at, std::size_t bytes);
  // The same for bytes that the Manifest will hold, and kMaxKeptBytes.
  [[nodiscard]] bool keep(const Place& at, std::size_t bytes);
  // Spends all of it, for the reason that becomes a diagnostic unless it is spent already.
  void refuse(const Place& at, std::string_view message);

  [[nodiscard]] bool is_spent() const { return is_spent_; }

 private:
  Diagnostics& diagnostics_;
  std::size_t work_ = 0;
  std::size_t kept_ = 0;
  bool is_spent_ = false;
};

}  // namespace qbuild::manifests
