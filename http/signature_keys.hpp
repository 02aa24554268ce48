// Who may sign firmware: Ed25519 public keys that an operator has configured. Immutable; any thread.
//
// A signature is over the 32 bytes of the firmware's SHA-256, so that whoever builds it need not hand out the bytes.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "domain/events/firmware.hpp"
#include "http/problem.hpp"

struct evp_pkey_st;

namespace ota::http {

class SignatureKeys {
 public:
  SignatureKeys() = default;
  // PEM files, each with one public key. `required`: nothing is registered without a signature that one of them verifies.
  // Throws std::runtime_error that names the file that holds none.
  SignatureKeys(const std::vector<std::filesystem::path>& files, bool required);

  // Verifies the record's signature, and notes with which key. A signature that no key verifies is 422; so is none, where
  // one is required. Without any keys every signature is kept as it is.
  std::optional<Problem> check(domain::FirmwareRegistered& record) const;
  std::size_t size() const { return keys_.size(); }

 private:
  struct Key {
    std::string id;  // 8 bytes of the SHA-256 of the raw key
    std::shared_ptr<evp_pkey_st> key;
  };
  std::vector<Key> keys_;
  bool required_ = false;
};

}  // namespace ota::http
