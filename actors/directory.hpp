// The directory: the only allocator of device ordinals (design 4).
//
// An id has one ordinal, whoever asks first: from the view, else from what was given and is not committed yet, else
// the next number. What was given and never committed is forgotten at a restart: the next number is the highest in
// the log + 1. Lists of unknown ids are reserved by events, in chunks, so that a poll never waits long.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <caf/actor.hpp>
#include <caf/fwd.hpp>

#include "actors/request.hpp"
#include "domain/bitmap.hpp"
#include "domain/ids.hpp"

namespace ota::actors {

struct World;

struct OrdinalAsk {
  domain::DeviceId device;
  Reply<domain::Result<domain::Ordinal>> reply;
};
using OrdinalAskPtr = std::shared_ptr<OrdinalAsk>;

// Numbers for devices that are about to be registered or return, in their order; nothing is written for them.
struct NumbersAsk {
  std::vector<std::string> devices;
  Reply<domain::Result<std::vector<domain::Ordinal>>> reply;
};
using NumbersAskPtr = std::shared_ptr<NumbersAsk>;
// These are in the views with the numbers that they were given: the directory need not remember them.
struct NumbersSettled {
  std::vector<std::pair<std::string, domain::Ordinal>> devices;
};

// Ordinals for a list of ids, at most limits::kReserveChunk: unknown ids are reserved, durably, before the answer.
struct ListAsk {
  std::vector<std::string> devices;
  Meta meta;
  Reply<domain::Result<domain::Bitmap>> reply;
};
using ListAskPtr = std::shared_ptr<ListAsk>;

caf::actor spawn_directory(caf::actor_system& system, World& world);

}  // namespace ota::actors

#include <caf/all.hpp>
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(ota::actors::OrdinalAskPtr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(ota::actors::NumbersAskPtr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(ota::actors::NumbersSettled)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(ota::actors::ListAskPtr)
