// Links to objects of an S3-compatible store that are good for a while, for whoever has them: AWS Signature Version 4, in the
// query. Pure; any thread.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "http/time_format.hpp"

namespace ota::http {

struct StoreKey {
  static constexpr std::chrono::hours kLifeMax{7 * 24};  // the store's

  std::string id;                   // empty: links are not signed
  std::string secret;
  std::string region = "us-east-1";
  std::chrono::seconds life{3'600};
};

// The link for `method`, which is signed with it. `url` has a path, percent-encoded as it is asked for, and no query.
std::string presigned(std::string_view method, const std::string& url, const StoreKey& key, Time now);

}  // namespace ota::http
