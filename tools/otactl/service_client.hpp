// The REST API over HTTP: one request at a time, repeated when the connection fails.
//
// Every POST carries an Idempotency-Key, one for all its tries, so a repeated one has no second
// effect. PUT and DELETE are idempotent by themselves. A file is streamed from disk. One thread.
#pragma once

#include <curl/curl.h>

#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace ota::ctl {

struct ServiceSettings {
  std::string server = "http://127.0.0.1:8216";
  std::string user;     // X-User-Id
  std::string token;    // Authorization: Bearer
  std::string api_key;  // X-API-Key
  std::string ca_file;
  bool insecure = false;
  std::string as_of;                // a time or a position: what was so then is asked for; empty: the present
  long seconds_max = 120;  // of one try; an upload may last longer, but not stall so long
};

struct Reply {
  long status = 0;
  std::string body;
  bool ok() const { return status >= 200 && status < 300; }
};

// Bytes sent so far and in all.
using OnProgress = std::function<void(std::int64_t, std::int64_t)>;

class ServiceClient {
 public:
  explicit ServiceClient(ServiceSettings settings);
  ServiceClient(const ServiceClient&) = delete;
  ServiceClient& operator=(const ServiceClient&) = delete;
  ~ServiceClient();

  // Paths begin behind /api/v1/ota ("/campaigns"); from_root takes those of the server itself
  // ("/health"). Each throws Failure(kExitUnreachable) when no try brought an answer; an error
  // status is an answer. What is asked for as of an earlier moment is never changed: Failure(kExitUsage).
  Reply get(const std::string& path);
  Reply get_from_root(const std::string& path);
  Reply post(const std::string& path, const nlohmann::json& body);
  Reply remove(const std::string& path);

  // Sends `metadata` (JSON text) and the file as multipart/form-data.
  Reply upload(const std::string& path, const std::string& metadata, const std::string& file,
               OnProgress on_progress);

  // Sends the file as the body, of this media type.
  Reply send_file(const std::string& path, const std::string& type, const std::string& file,
                  OnProgress on_progress);

  // Gets an answer that has no end, once, from behind the event that is named, and hands on what comes of it, until `take`
  // answers that it has had enough (false), or it breaks off: then `why` says how. The reply is of an error status, or has no
  // body; status 0: there was no answer. What `take` throws ends it and is thrown here.
  struct Streamed {
    Reply reply;
    std::string why;
    bool had_enough = false;
  };
  Streamed stream(const std::string& path, const std::string& last_event_id,
                  const std::function<bool(std::string_view)>& take);

  // How often a request is tried; the watcher, which polls anyway, takes 1.
  void set_tries(unsigned tries) { tries_ = tries; }

 private:
  struct Request;
  std::string asked(const std::string& path) const;
  void refuse_past(std::string_view method) const;
  Reply perform(const Request& request);
  CURLcode try_once(const Request& request, const std::string& idempotency_key, Reply& reply,
                    std::string& error);
  void set_up(const Request& request, Reply& reply);
  curl_slist* headers(const Request& request, const std::string& idempotency_key) const;

  struct FreeEasy {
    void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
  };

  const ServiceSettings settings_;
  std::unique_ptr<CURL, FreeEasy> easy_;
  unsigned tries_ = 3;
};

// Answers the parsed body of a good answer; throws Failure with the service's words for an error
// status, and for a body that is not JSON.
nlohmann::json expect_json(const Reply& reply);

}  // namespace ota::ctl
