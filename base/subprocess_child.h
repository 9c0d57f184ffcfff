#pragma once
// The part of base/subprocess that talks to a child and waits for it: on system calls alone.

#include <memory>

#include "base/subprocess.h"
#include "base/subprocess_strays.h"
#include "base/unique_fd.h"

namespace qbuild {

struct StartedChild {
  int pid = 0;         // leads a group, and was added to `own`
  UniqueFd stdin_end;  // ours; none where the child's is no pipe
  UniqueFd stdout_end;
  std::shared_ptr<OwnChildren> own;
  bool end_strays = false;
};

[[nodiscard]] std::unique_ptr<ChildProcess> make_child(StartedChild started);

}  // namespace qbuild
