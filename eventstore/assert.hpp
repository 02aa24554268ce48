// Assertions for programmers' errors. They stay on in every build type: a store that goes on after
// a broken assumption writes its consequences down for ever. Never for input: what people or peers
// cause is a value.
#pragma once

namespace ota::eventstore {

// Prints "file:line: assertion failed: expression" and aborts.
[[noreturn]] void assertion_failed(const char* file, int line, const char* expression) noexcept;

}  // namespace ota::eventstore

#define OTA_ASSERT(expression) \
  ((expression) ? (void)0 : ::ota::eventstore::assertion_failed(__FILE__, __LINE__, #expression))
