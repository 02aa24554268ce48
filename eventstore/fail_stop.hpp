// The end of a process whose disk has failed.
#pragma once

#include <string>

namespace ota::eventstore {

// Prints why, and ends the process with exit code 70: nobody is answered any more.
[[noreturn]] void stop_process(const std::string& why);

}  // namespace ota::eventstore
