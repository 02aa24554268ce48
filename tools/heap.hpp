// The memory that was freed and that the allocator keeps.
#pragma once

// tcmalloc's, where the program is linked with it.
extern "C" void MallocExtension_ReleaseFreeMemory() __attribute__((weak));

namespace ota::tools {

// Gives it back to the system: behind work that took much, and before memory is measured.
inline void give_back_free_memory() {
  if (MallocExtension_ReleaseFreeMemory != nullptr) MallocExtension_ReleaseFreeMemory();
}

}  // namespace ota::tools
