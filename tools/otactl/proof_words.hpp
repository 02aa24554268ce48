// What a proof says beside the bytes that prove it, for people to read: nothing that those do not say. Pure.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "eventstore/merkle.hpp"
#include "eventstore/types.hpp"

namespace ota::ctl {

// A sentence about the first field of the proof that says another thing than its record, or one that the record does not say at
// all; empty: there is none. What the record says need not be said there. Persons are tokens in the record and names there:
// which name is a token's, no record proves. Nor what is said of the keys: they count by their signature alone.
std::string unproven_words(const nlohmann::json& proof, const eventstore::RecordedEvent& event, const eventstore::Hash& leaf,
                           const eventstore::merkle::Tree& tree);

}  // namespace ota::ctl
