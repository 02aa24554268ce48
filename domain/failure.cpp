#include "domain/failure.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <string>

namespace ota::domain {
namespace {

struct Sign {
  std::string_view words;                   // in lower case
  FailureKind kind;
};

// What curl, OpenSSL, the C library and Zephyr call it when the network fails, and what proxies in front of us answer.
// Nothing here is said of a flash, a signature or a version. A new client's words are one line more.
constexpr auto kTransport = FailureKind::kTransport;
constexpr auto kService = FailureKind::kService;
constexpr std::array kSigns{
    Sign{"resolve host", kTransport},
    Sign{"name resolution", kTransport},
    Sign{"name or service not known", kTransport},
    Sign{"connect to server", kTransport},             // curl: Couldn't, Could not
    Sign{"failed to connect", kTransport},
    Sign{"connection refused", kTransport},
    Sign{"connection reset", kTransport},
    Sign{"connection aborted", kTransport},
    Sign{"connection closed", kTransport},
    Sign{"connection timed out", kTransport},
    Sign{"connection lost", kTransport},
    Sign{"operation timed out", kTransport},
    Sign{"download timed out", kTransport},
    Sign{"timeout was reached", kTransport},
    Sign{"transferred a partial file", kTransport},
    Sign{"transfer closed with", kTransport},
    Sign{"server returned nothing", kTransport},
    Sign{"empty reply from server", kTransport},
    Sign{"sending data to the peer", kTransport},
    Sign{"receiving data from the peer", kTransport},
    Sign{"network is unreachable", kTransport},
    Sign{"network is down", kTransport},
    Sign{"network error", kTransport},
    Sign{"no route to host", kTransport},
    Sign{"host is unreachable", kTransport},
    Sign{"ssl connect error", kTransport},
    Sign{"tls handshake", kTransport},
    Sign{"econnreset", kTransport},
    Sign{"econnrefused", kTransport},
    Sign{"econnaborted", kTransport},
    Sign{"etimedout", kTransport},
    Sign{"enetunreach", kTransport},
    Sign{"ehostunreach", kTransport},
    Sign{"429 too many requests", kService},
    Sign{"500 internal server error", kService},
    Sign{"502 bad gateway", kService},
    Sign{"503 service unavailable", kService},
    Sign{"504 gateway time", kService},
};

const std::string* last_words(const Report& report) {
  const auto& lines = report.details;
  const auto last = std::find_if(lines.rbegin(), lines.rend(), [](const auto& line) { return !line.empty(); });
  return last == lines.rend() ? nullptr : &*last;
}

std::optional<FailureKind> kind_of(const Report& report, const std::optional<SeenFault>& seen) {
  if (seen && seen->fault == DownloadFault::kOurs) return kService;
  const auto* words = last_words(report);
  if (words) {
    if (const auto named = kind_in_words(*words)) return named;
  }
  if (!seen) return std::nullopt;
  if (!words && !report.code) return kTransport;
  const bool names_network = std::any_of(report.details.begin(), report.details.end(),
                                         [](const auto& line) { return kind_in_words(line) == kTransport; });
  return names_network ? std::optional(kTransport) : std::nullopt;
}

}  // namespace

std::optional<FailureKind> kind_in_words(std::string_view line) {
  std::string lower(line);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](char c) { return static_cast<char>(std::tolower(static_cast<unsigned char>(c))); });
  for (const auto& sign : kSigns) {
    if (lower.find(sign.words) != std::string::npos) return sign.kind;
  }
  return std::nullopt;
}

void name_kind(Report& report, UpdateStatus status, const std::optional<SeenFault>& seen) {
  if (report.kind != Report::Kind::kFailure || status > UpdateStatus::kDownloading) return;
  const auto kind = kind_of(report, seen);
  if (!kind) return;
  report.failure = *kind;
  if (report.error_code.empty() && !report.code) {
    report.error_code = *kind == kService ? "service_failure" : "transport_failure";
  }
  if (report.error_message.empty() && !last_words(report) && seen) report.error_message = seen->what;
}

}  // namespace ota::domain
