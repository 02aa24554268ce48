// A device of an import and the lines about it: what they make of the device as it is known.
//
// Everything is decided by domain/ on the device's state, as its actor would; what is known already leads to nothing.
#pragma once

#include <vector>

#include "actors/device_import.hpp"
#include "eventstore/types.hpp"

namespace ota::actors {

enum class ImportOutcome : std::uint8_t { kRegistered, kChanged, kUnchanged, kReturned, kFailed };

struct DecidedLine {
  ImportLine said;
  ImportOutcome outcome = ImportOutcome::kUnchanged;
};

struct ImportItem {
  explicit ImportItem(ImportLine line) : first{std::move(line)} {}

  DecidedLine first;
  std::vector<DecidedLine> more;          // in their order
  domain::Device state;                   // what is decided on; it follows the lines
  eventstore::Position read_at;           // nothing newer is in `state`
  std::optional<domain::Ordinal> ordinal;   // given to a device that is new or returns

  const domain::DeviceId& device() const { return first.said.device; }
  bool is_here() const { return state.registered && !state.deleted; }
  template <class Visit>
  void each_line(const Visit& visit) {
    visit(first);
    for (auto& line : more) visit(line);
  }
};

// The device as the line says that it is, to be registered or brought back.
domain::RegisterDevice registration(const domain::ChangeAttributes& change, domain::Ordinal ordinal);

// The events that a line of the item leads to, and its outcome with them; an error leaves the item as it was.
domain::Decision decide(ImportItem& item, DecidedLine& line, const domain::Context& context);

}  // namespace ota::actors
