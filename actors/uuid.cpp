#include <openssl/rand.h>

#include <chrono>
#include <stdexcept>

#include "actors/service.hpp"

namespace ota::actors {

std::string random_bytes(std::size_t count) {
  std::string bytes(count, '\0');
  if (RAND_bytes(reinterpret_cast<unsigned char*>(bytes.data()), static_cast<int>(count)) != 1) {
    throw std::runtime_error("the system has no random numbers to give");
  }
  return bytes;
}

domain::Bytes16 new_uuid(domain::Time now) {
  domain::Bytes16 id{};
  const auto random = random_bytes(10);
  const auto ms = static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch()).count());
  for (std::size_t i = 0; i < 6; ++i) id[i] = static_cast<std::uint8_t>(ms >> (40 - 8 * i));
  for (std::size_t i = 0; i < 10; ++i) id[6 + i] = static_cast<std::uint8_t>(random[i]);
  id[6] = static_cast<std::uint8_t>((id[6] & 0x0f) | 0x70);  // version 7
  id[8] = static_cast<std::uint8_t>((id[8] & 0x3f) | 0x80);  // variant of RFC 9562
  return id;
}

}  // namespace ota::actors
