// Fuzz target: any bytes as the files of .qbuild/: the state under a checksum that fits, the
// journal, and what is remembered of a target. Each may be damaged in any way; then it counts as
// absent or in part, and is written anew.

#include <cstddef>
#include <cstdint>
#include <string>

#include "base/clock.h"
#include "base/digest.h"
#include "base/fake_file_system.h"
#include "engine/journal.h"
#include "engine/last_run.h"
#include "engine/project_files.h"
#include "engine/stat_table.h"
#include "engine/state_file.h"
#include "tests/fuzz/attempt.h"

namespace {

constexpr std::int64_t kNow = 1'700'000'000'000'000'000;

void use_state(qbuild::FakeFileSystem& disk, const qbuild::fs::path& path) {
  using qbuild::engine::StateFile;
  qbuild::FakeClock clock(kNow);
  const qbuild::engine::WaitFor no_wait = [](std::int64_t) {};
  qbuild::engine::StatTable table(disk, clock, no_wait);
  StateFile state(disk, clock, path, no_wait);
  static_cast<void>(state.check_unchanged("f"));
  state.load_table(table);
  disk.put("/p/x", "x");
  disk.advance_ns(1'000'000'000);
  static_cast<void>(table.digest_file("/p/x"));
  state.forget("f");
  state.remember({.fingerprint = "g", .witnesses = {}, .exit_code = 3, .text = "t"});
  static_cast<void>(state.save(table));
  const auto unchanged = StateFile(disk, clock, path, no_wait).check_unchanged("g");
  qbuild::fuzz::require(unchanged && unchanged->exit_code == 3 && unchanged->text == "t");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string bytes(data, data + size);
  const auto project = qbuild::engine::ProjectFiles::of("/p");
  qbuild::FakeFileSystem disk(kNow);
  disk.put(project.state(), "qbuild-state 1\n" + qbuild::xxh3_hex(qbuild::as_bytes(bytes)) + bytes);
  use_state(disk, project.state());
  disk.put(project.state(), bytes);
  use_state(disk, project.state());

  disk.put(project.journal(), bytes);
  static_cast<void>(qbuild::engine::read_journal(disk, project.journal()));

  disk.put(project.last("t"), bytes);
  const auto last = qbuild::engine::read_last_run(disk, project, "t");
  if (!last) return 0;
  qbuild::engine::write_last_run(disk, project, "t", *last);
  qbuild::fuzz::require(qbuild::engine::read_last_run(disk, project, "t") == last);
  return 0;
}
