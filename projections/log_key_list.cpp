#include "projections/log_key_list.hpp"

#include <fmt/format.h>

#include <utility>

#include "domain/codec/codec.hpp"
#include "domain/streams.hpp"
#include "projections/decoded.hpp"

namespace ota::projections {

std::string vouching_text(const eventstore::VerifierKey& key) { return fmt::format("ota-log key\n{}\n", key.text()); }

std::vector<LogKey> log_keys(const eventstore::Log& log) {
  std::vector<LogKey> keys;
  log.read_stream(domain::stream_name(domain::ServiceStream{}), {}, [&](const eventstore::RecordedEvent& event) {
    const auto decoded = domain::decode(event.type, event.payload);
    const auto* adopted = decoded ? std::get_if<domain::LogKeyAdopted>(&*decoded) : nullptr;
    if (!adopted) return true;
    LogKey key{event.position, {}, event.time, to_domain(event.caller), adopted->change, {adopted->origin, adopted->key},
               false};
    if (!keys.empty()) {
      keys.back().until = event.position;
      key.vouched = eventstore::is_signature(keys.back().key.key, vouching_text(key.key), domain::view_of(adopted->signature));
    }
    keys.push_back(std::move(key));
    return true;
  });
  return keys;
}

std::vector<eventstore::TrustedKey> trusted(const std::vector<LogKey>& keys) {
  std::vector<eventstore::TrustedKey> all;
  all.reserve(keys.size());
  for (const auto& key : keys) all.push_back({key.key, key.position, key.until, /*is_in_log=*/true});
  return all;
}

}  // namespace ota::projections
