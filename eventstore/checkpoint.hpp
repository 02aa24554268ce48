// A checkpoint: the root of the log's proof tree at some size, signed. Who keeps one can have it proven later that every
// event of then is in the log of now, unchanged, in its place.
//
// Its text is a signed note in the form of the C2SP specifications tlog-checkpoint and signed-note, which tools of others
// read too:
//
//   ota-log/5b3c9f2a81d04e67            origin: which log; also the name of its key
//   20852163                            size of the tree = position of its newest event
//   CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2    root, base64
//   time 1795774530123456               of that event, microseconds since 1970 UTC, as its record has it
//                                       (an empty line ends what is signed)
//   — ota-log/5b3c9f2a81d04e67 Az3grl+...   name, base64 of 4 bytes of key id and 64 of signature
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "eventstore/merkle.hpp"
#include "eventstore/signing_key.hpp"
#include "eventstore/types.hpp"

namespace ota::eventstore {

// Whose signature counts, as auditors keep it: "name+5f2e81c0+Ab...", the key id in hex and base64 of 0x01 and the key.
struct VerifierKey {
  std::string name;
  PublicKey key{};

  std::string text() const;
  static std::optional<VerifierKey> parse(std::string_view text);
  bool operator==(const VerifierKey&) const = default;
};
// The first 4 bytes of SHA-256(name, newline, 0x01, key).
std::array<std::uint8_t, 4> key_id(const VerifierKey& key);

struct Checkpoint {
  std::string origin;
  merkle::Tree tree;
  Timestamp time;
};
// The whole note.
std::string sign_checkpoint(const Checkpoint& checkpoint, const SigningKey& key);
// Adds another key's signature, under the same name.
void add_signature(std::string& note, const Checkpoint& checkpoint, const SigningKey& key);

// Who signs for a log.
struct Signer {
  std::string origin;
  SigningKey key;
};

struct SignedCheckpoint {
  Checkpoint checkpoint;
  std::string signed_text;              // what the signatures are over
  struct Signature {
    std::string name;
    std::array<std::uint8_t, 4> key{};
    std::string bytes;
  };
  std::vector<Signature> signatures;    // of this log or of witnesses

  // One of the signatures is this key's, and right.
  bool is_signed_by(const VerifierKey& key) const;
};
// Reads a note of any origin; a sentence says what is wrong with it.
std::variant<SignedCheckpoint, std::string> parse_checkpoint(std::string_view note);

}  // namespace ota::eventstore
