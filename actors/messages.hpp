// What travels in mailboxes. Only within the process: none of it is ever serialised by CAF.
#pragma once

#include <memory>

#include <caf/all.hpp>

#include "actors/request.hpp"
#include "actors/router.hpp"
#include "eventstore/types.hpp"

namespace ota::actors {

// The outcome of an append, to the actor that asked for it. `ticket` is the actor's own number for it.
struct AppendDone {
  std::uint64_t ticket = 0;
  eventstore::AppendOutcome outcome;
};
// The answer to a question that an actor asked another; `ticket` as above.
struct Answered {
  std::uint64_t ticket = 0;
  std::shared_ptr<const Answer> answer;
};
struct GrantAnswered {
  std::uint64_t ticket = 0;
  std::shared_ptr<const domain::Result<GrantOutcome>> outcome;
};
struct OrdinalGiven {
  std::uint64_t ticket = 0;
  std::optional<domain::Ordinal> ordinal;   // empty: the directory could not say
};
// Its shard asks an entity to rest.
struct Rest {};
struct Tick {};

}  // namespace ota::actors

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(ota::actors::AppendDone)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(ota::actors::Answered)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(ota::actors::GrantAnswered)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(ota::actors::OrdinalGiven)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(ota::actors::Rest)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(ota::actors::Tick)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(ota::actors::RequestPtr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(ota::actors::DeliveryPtr)
