// The routes of the service: administration under /api/v1/ota (and /api/v1), devices under /{tenant}/controller/v1.
//
// A handler parses, turns the request into a command or a query, and renders the answer. It decides nothing.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "actors/ports/artifact_store.hpp"
#include "actors/ports/content_fetcher.hpp"
#include "actors/service.hpp"
#include "http/artifact_holds.hpp"
#include "http/at_most_every.hpp"
#include "http/device_auth.hpp"
#include "http/device_limits.hpp"
#include "http/download_faults.hpp"
#include "http/ip_networks.hpp"
#include "http/last_seen.hpp"
#include "http/limits.hpp"
#include "http/places.hpp"
#include "http/poll_pace.hpp"
#include "http/presigned_url.hpp"
#include "http/render.hpp"
#include "http/router.hpp"
#include "http/signature_keys.hpp"

namespace ota::http {

class LiveEvents;

// A neighbour as /health/detailed shows it.
struct DependencyHealth {
  std::string name;
  bool healthy = true;
  std::vector<std::pair<std::string, std::string>> facts;
};

struct ApiOptions {
  std::string tenant = "DEFAULT";
  std::vector<std::string> extra_formats;         // file extensions beside those of BR-OTA-002
  std::string version;
  // The gateways' part of /health/detailed; may be empty. An unhealthy neighbour makes the service degraded, not down.
  std::function<std::vector<DependencyHealth>()> neighbours;
  const actors::ContentFetcher* fetcher = nullptr;   // of firmware registered by URL; null: nobody fetches
  // Follows the log, as one of the service's tails: streams of events are served. Null: they are not.
  LiveEvents* live_events = nullptr;
  SignatureKeys signature_keys = {};
  std::string secret = {};                        // of Secrets::kBytes bytes; empty: made up, and gone with the process
  DeviceAuthOptions device_auth = {};
  DeviceRates device_rates = {};
  PollPaceOptions poll_pace = {};
  std::string client_attribute = "ddi_client";    // of a device: the name of its client's profile
  std::map<std::string, std::string> client_of_model = {};  // the same of all devices of a model that do not say it
  // Where the bytes are to be had besides ("https://cdn.example/fw/{sha256}/{file}"): devices whose client goes there are
  // sent there. Empty: they come from here.
  std::string redirect_url = {};
  StoreKey store_key = {};                        // with an id: that is a store of objects, and links to it are presigned
  IpNetworks blocked_addresses = {};              // devices there are answered 403, whoever they are
  // Whoever reads the audit is written into it (audit_record.hpp).
  bool record_audit_reads = false;
  // Reports on what is over: recorded as late and answered 200, or 410 to clients that can live with that.
  bool late_feedback_gone = false;
  // How long a question about the past waits for the views to show that moment.
  std::chrono::milliseconds views_wait = limits::kViewsWait;
};

// Everything a route needs. Must outlive the front door.
struct Api {
  actors::Service& service;
  actors::ArtifactStore& artifacts;
  ApiOptions options;
  LastSeen last_seen;                             // of devices; whoever opens and closes the service keeps it
  Renderer render;
  ArtifactHolds holds;                            // of uploads in progress
  AtMostEvery version_asks{std::chrono::minutes(1)};   // of devices: which version do you run? (decision 12)
  DownloadFaults download_faults;                 // of devices, while they download
  DeviceAuth auth;
  DeviceLimits limits;                            // how often a device, and an address, may ask
  PollPace pace;                                  // when devices ask next
  Places past_questions{limits::kPastQuestionsAtOnce};
  std::atomic<int> port{0};                       // of the door, once it is open; 0: not known

  Api(actors::Service& s, actors::ArtifactStore& a, ApiOptions o);
  void add_to(Router& router);
};

void add_firmware_routes(Router::Group& admin, Api& api);
void add_campaign_routes(Router::Group& admin, Api& api);
void add_update_routes(Router::Group& admin, Api& api);
void add_device_routes(Router::Group& admin, Api& api);
void add_device_token_routes(Router::Group& admin, Api& api);
void add_bulk_update_routes(Router::Group& admin, Api& api);
void add_import_routes(Router::Group& admin, Api& api);
void add_rollback_routes(Router::Group& admin, Api& api);
void add_why_routes(Router::Group& admin, Api& api);
void add_user_routes(Router::Group& admin, Api& api);
void add_service_routes(Router::Group& admin, Router& router, Api& api);
void add_audit_routes(Router::Group& admin, Api& api);
void add_story_routes(Router::Group& admin, Api& api);
void add_diff_routes(Router::Group& admin, Api& api);
void add_what_if_routes(Router::Group& admin, Api& api);
void add_event_stream_routes(Router::Group& admin, Api& api);
void add_proof_routes(Router::Group& admin, Api& api);
void add_backup_routes(Router::Group& admin, Api& api);
void add_views_routes(Router::Group& admin, Api& api);
void add_metrics_routes(Router& router, Api& api);
void add_ddi_routes(Router& router, Api& api);

// ---- shared by the routes ----------------------------------------------------------------------------------------

// The body as JSON, or answered with what is wrong.
std::optional<nlohmann::json> json_body(RequestContext& context, bool required = true);
// `fields` in one list: {"<plural>": [...], "count", "limit", "offset", "next_cursor", "filters"}.
struct ListAnswer {
  std::string_view plural;
  nlohmann::json rows;
  std::int64_t limit = 0;
  std::int64_t offset = 0;
  std::string next_cursor;
  nlohmann::json filters;
};
void answer_list(RequestContext& context, ListAnswer list);
void answer_resource(RequestContext& context, int status, const nlohmann::json& resource, std::uint32_t revision);

}  // namespace ota::http
