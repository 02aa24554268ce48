// A temporary directory that is gone when the program ends, however it ends.
//
// What measures runs in a child process of its own; its parent waits for it and for everything that
// it started, then removes the directory. An assertion, an exception or Ctrl-C thus leaves neither
// files nor processes behind. Call it first, while the process has one thread.
#pragma once

#include <filesystem>
#include <functional>

namespace ota::bench {

// The exit code when something could not be measured; 1 says that a goal was missed.
inline constexpr int kMeasurementFailed = 70;

using Work = std::function<int(const std::filesystem::path& directory)>;

// Runs `work` with a new directory below TMPDIR or /tmp; answers its exit code. Throws
// std::runtime_error if there can be no directory or no process.
int run_in_workspace(const Work& work);

}  // namespace ota::bench
