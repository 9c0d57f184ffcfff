#pragma once
// The table of commands: help comes from it, and so will whatever else lists commands.

#include <cstdint>
#include <span>
#include <string_view>

namespace qbuild::cli {

enum class CommandId : std::uint8_t {
  kBuild,
  kPublish,
  kPlan,
  kWhy,
  kCheck,
  kGraph,
  kInspect,
  kStatus,
  kLog,
  kStoreStats,
  kStoreVerify,
  kStorePath,
};

enum class Operands : std::uint8_t { kTargets, kOneTarget, kOneFile, kNone };

struct CommandInfo {
  CommandId id;
  std::string_view group;  // "store" for `qbuild store stats`, else empty
  std::string_view name;
  std::string_view summary;  // one line of `qbuild --help`
  std::string_view details;  // below it in `qbuild NAME --help`
  Operands operands;
};

[[nodiscard]] std::span<const CommandInfo> all_commands();

}  // namespace qbuild::cli
