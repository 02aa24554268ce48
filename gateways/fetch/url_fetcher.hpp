// Brings the bytes of firmware that was registered by URL (decision 29).
//
//   log --tail()--> wakes --> threads: views.firmware_to_fetch() --> the source --> artifact store --> StoreContent
//
// What is to be fetched is a view, and what became of it an event: in between nothing is kept but a part of the file, in
// the artifact store under the name of its digest, with which the next try goes on, also after the process was killed.
// What may be over later (the network, a source that cannot now) is tried again for ever, with growing pauses. What is not
// the registered file is final, and so is a source that has said no for a day: GiveUpContent, an event that operators see.
// A mismatch of a file that came in several pieces is tried once more in one.
//
// Order of life: construct, open the Service with tail() among its tails, start(), ..., stop(), destroy the Service,
// destroy this.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "actors/ports/artifact_store.hpp"
#include "actors/ports/content_fetcher.hpp"
#include "actors/service.hpp"
#include "eventstore/journal.hpp"
#include "gateways/fetch/http_fetch.hpp"

namespace ota::gateways {

struct UrlFetcherOptions {
  fetch::Patience patience;
  std::chrono::milliseconds retry_min = fetch::limits::kRetryMin;
  std::chrono::milliseconds retry_max = fetch::limits::kRetryMax;
  // How long a source may say no, in this life of the service, before that is final.
  std::chrono::milliseconds refusals_max = fetch::limits::kRefusals;
};

class UrlFetcher final : public actors::ContentFetcher {
 public:
  explicit UrlFetcher(actors::ArtifactStore& artifacts, UrlFetcherOptions options = {});
  ~UrlFetcher() override;  // stops

  // Informed of every committed group; wakes a thread if there may be something new to fetch.
  eventstore::Tail& tail();
  // Starts the threads; returns at once. Once.
  void start(actors::Service& service);
  // Ends them within about a second; what they were about is gone on with after the next start. Idempotent.
  void stop();

  std::optional<actors::FetchState> state(domain::FirmwareId firmware) const override;

  // For health; from any thread.
  struct Summary {
    std::size_t running = 0;
    std::size_t waiting = 0;              // for their turn, or for another try
    std::uint64_t brought = 0;            // files, since the start
    std::string last_error;               // a sentence; empty: none yet
  };
  Summary summary() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace ota::gateways
