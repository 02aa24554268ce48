// Takes devices in by the thousand, line by line: POST /devices/import.
//
// Lines are gathered, read against the views, decided by domain/ and handed to the journal some hundred in one append,
// several appends in flight: each device on the condition that nothing newer is tagged with it than what was decided on.
// On a conflict (it polled meanwhile) the device's actor decides. Lines of one device take effect in their order; what
// changes nothing writes nothing, so that an import may be repeated. Used by one thread; memory does not grow with the
// number of lines.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "actors/request.hpp"
#include "domain/device/device.hpp"

namespace ota::actors {

class Service;
struct World;

// What is known of a device: taken as it is registered or returns, else as a change of what was known.
struct ImportLine {
  std::uint64_t number = 0;               // in its file, for whoever reports on it
  domain::DeviceId device;
  domain::ChangeAttributes change;        // by an operator
  std::string person;                     // whose device it is; empty: see `change`
};

// What became of the lines: each counts once.
struct ImportCounts {
  std::uint64_t registered = 0;
  std::uint64_t changed = 0;
  std::uint64_t unchanged = 0;
  std::uint64_t returned = 0;             // the device had been deleted (decision 22)
  std::uint64_t failed = 0;
  bool operator==(const ImportCounts&) const = default;
};

class DeviceImport {
 public:
  // Called on the importing thread for each line that is refused.
  using OnFailed = std::function<void(std::uint64_t line, const domain::DomainError& error)>;

  DeviceImport(Service& service, World& world, Meta meta, OnFailed on_failed);
  // What was handed to the journal takes effect, whether finish() was called or not.
  ~DeviceImport();
  DeviceImport(const DeviceImport&) = delete;
  DeviceImport& operator=(const DeviceImport&) = delete;

  // Takes a line; waits while too many are in work. Throws what the views and the subjects throw.
  void add(ImportLine line);
  // Answers when all lines are durable and visible in the views, or have failed.
  ImportCounts finish();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace ota::actors
