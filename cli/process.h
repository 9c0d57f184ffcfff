#pragma once
// What this program sees to in the process that it was given, before anything else.

namespace qbuild::cli {

// Standard streams that are closed become /dev/null: else the next file that is opened, a blob of
// the store say, would get the number of one, and a message would be written into it. Writing to a
// reader that is gone, or beyond the limit on a file's size, is an error of the call and no signal
// that ends the process. The limit on open files is raised to what the system allows, within
// reason; what is started inherits it.
void prepare_process();

// How many actions may be at work at once with that limit: `wanted` (0: as many as fit), or fewer.
[[nodiscard]] unsigned jobs_within_open_files(unsigned wanted);
// How many actions may run together in one worker (engine/builder.h) when so many jobs run at once.
[[nodiscard]] unsigned together_within_open_files(unsigned jobs);

}  // namespace qbuild::cli
