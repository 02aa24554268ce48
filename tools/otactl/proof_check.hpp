// Checks a proof as `GET /audit/events/{position}/proof` hands it out, from its own bytes alone. Pure.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "eventstore/checkpoint.hpp"

namespace ota::ctl {

struct Proven {
  std::uint64_t position = 0;
  std::string type;                       // of the event, read from its record
  std::string stream;
  std::string time;
  std::string data;                       // JSON
  eventstore::SignedCheckpoint checkpoint;
  std::string signer;                     // the key that counts, as auditors keep it
  bool key_is_from_proof = false;         // nobody said which key to trust: it is the proof's own
};

// A proof as text. Discarded if it is no JSON, has more levels than any proof, or has a member twice: a reader would see the one,
// and a program the other.
nlohmann::json parse_proof(const std::string& text);

// A sentence if it proves nothing. `trusted`: keys that count; none: those that the proof names.
std::variant<Proven, std::string> check_proof(const nlohmann::json& proof, const std::vector<eventstore::VerifierKey>& trusted);

}  // namespace ota::ctl
