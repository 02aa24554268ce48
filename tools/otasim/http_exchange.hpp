// One request in flight: an easy handle of libcurl, reused for one request after the other. Used by
// HttpClient only.
#pragma once

#include <curl/curl.h>

#include <cstdint>
#include <memory>
#include <string>

#include "tools/otasim/http_message.hpp"

namespace ota::sim {

struct HttpSettings {
  std::string trusted_base;   // addresses that begin with it get the Authorization header
  std::string authorization;  // empty: none
  std::string ca_file;        // empty: the system's
  bool insecure = false;
};

class HttpExchange {
 public:
  explicit HttpExchange(const HttpSettings& settings);
  HttpExchange(const HttpExchange&) = delete;
  HttpExchange& operator=(const HttpExchange&) = delete;

  // Sets the handle up for one request; then it is ready to be added to the multi handle.
  void prepare(std::uint64_t id, HttpRequest request, OnAnswer on_answer);

  struct Outcome {
    HttpAnswer answer;
    OnAnswer on_answer;
    std::uint64_t connections_opened = 0;
  };
  // Answers what came of it; the exchange is free again.
  Outcome finish(CURLcode result);

  // Drops request and callback without an answer.
  void forget();

  CURL* easy() const { return easy_.get(); }
  std::uint64_t id() const { return id_; }

 private:
  static std::size_t took_header(char* bytes, std::size_t size, std::size_t count, void* self);
  static std::size_t took_body(char* bytes, std::size_t size, std::size_t count, void* self);
  void set_method();
  void set_limits();
  void set_headers();

  struct FreeEasy {
    void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
  };
  struct FreeList {
    void operator()(curl_slist* list) const { curl_slist_free_all(list); }
  };

  const HttpSettings& settings_;
  // Before easy_: a handle goes before what it points to.
  std::unique_ptr<curl_slist, FreeList> headers_;
  std::unique_ptr<CURL, FreeEasy> easy_;
  std::uint64_t id_ = 0;
  HttpRequest request_;
  OnAnswer on_answer_;
  HttpAnswer answer_;
};

}  // namespace ota::sim
