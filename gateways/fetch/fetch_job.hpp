// One try to bring one firmware's bytes into the artifact store, and to see that they are the registered ones.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "actors/ports/artifact_store.hpp"
#include "domain/firmware/firmware.hpp"
#include "gateways/fetch/http_fetch.hpp"

namespace ota::gateways::fetch {

// What a try came to: the file is here, or it ended and why.
struct Brought {
  std::optional<domain::StoreContent> content;
  Ending ending;                          // kOther: for good, kStartAnew: what was here is gone
};

// `on_bytes` is told how many of the file are here, and answers whether to go on. Throws ArtifactError.
Brought bring(const domain::Firmware& firmware, actors::ArtifactStore& artifacts, const Patience& patience,
              const std::function<bool(std::uint64_t here)>& on_bytes);

}  // namespace ota::gateways::fetch
