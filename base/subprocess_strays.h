#pragma once
// Processes that a child left behind outside of its group (setsid, setpgid): no signal to the group
// reaches them. A process that adopts orphans becomes their parent when their own parents end, and
// so finds them: they are the children that it did not start. Linux only, by /proc.

#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "base/subprocess.h"

namespace qbuild {

// Which children of this process were started by it. Any thread.
class OwnChildren {
 public:
  // From now on orphans among this process's descendants become its children
  // (PR_SET_CHILD_SUBREAPER) instead of those of the system's first process. For good, and for the
  // whole process. Children that are there already, as those of a script that became this program
  // (exec), count as own. Once is enough.
  void adopt_orphans();

  // Held while a child is started and added, and while one is reaped and forgotten: a newborn is no
  // stray, and neither is another process under a number that became free.
  [[nodiscard]] std::unique_lock<std::mutex> lock() { return std::unique_lock(mutex_); }
  // Both under the lock.
  void add(int pid) { own_.insert(pid); }
  void forget(int pid) { own_.erase(pid); }

  // Ends (SIGKILL) and reaps every child that was not added, with what it started in turn, and
  // names those that had left `group`. Waits at most kStrayGrace for them to end; one that does not
  // (another user's, by setuid) is said to be running still.
  //   group  of which everything was killed a moment ago
  [[nodiscard]] std::vector<Stray> end_strays(int group);

 private:
  std::mutex mutex_;
  std::set<int> own_;
  bool is_adopting_ = false;
};

}  // namespace qbuild
