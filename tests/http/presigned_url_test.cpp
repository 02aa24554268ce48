// Links to an S3-compatible store.
#include "http/presigned_url.hpp"

#include <doctest/doctest.h>

using namespace ota::http;

namespace {

// The example of the store's documentation.
const StoreKey kExampleKey{.id = "AKIAIOSFODNN7EXAMPLE",
                           .secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
                           .region = "us-east-1",
                           .life = std::chrono::seconds(86'400)};
const Time kExampleTime = parse_time("2013-05-24T00:00:00Z").time;
const std::string kExampleUrl = "https://examplebucket.s3.amazonaws.com/test.txt";

std::string signature_of(const std::string& url) { return url.substr(url.rfind('=') + 1); }

}  // namespace

TEST_CASE("a presigned link is the one of the store's documentation") {
  CHECK(presigned("GET", kExampleUrl, kExampleKey, kExampleTime) ==
        kExampleUrl +
            "?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request"
            "&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host"
            "&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404");
}

TEST_CASE("a presigned link is of one method, object, host, time and key alone; the scheme's own port is none") {
  const auto signature = signature_of(presigned("GET", kExampleUrl, kExampleKey, kExampleTime));
  const auto differs = [&](const std::string& url) { return signature_of(url) != signature; };
  CHECK(differs(presigned("HEAD", kExampleUrl, kExampleKey, kExampleTime)));
  CHECK(differs(presigned("GET", kExampleUrl + "x", kExampleKey, kExampleTime)));
  CHECK(differs(presigned("GET", "https://other.example/test.txt", kExampleKey, kExampleTime)));
  CHECK(differs(presigned("GET", "https://examplebucket.s3.amazonaws.com:9000/test.txt", kExampleKey, kExampleTime)));
  CHECK(differs(presigned("GET", kExampleUrl, kExampleKey, kExampleTime + std::chrono::seconds(1))));
  auto other = kExampleKey;
  other.region = "eu-central-1";
  CHECK(differs(presigned("GET", kExampleUrl, other, kExampleTime)));
  CHECK_FALSE(differs(presigned("GET", "https://examplebucket.s3.amazonaws.com:443/test.txt", kExampleKey, kExampleTime)));
}
