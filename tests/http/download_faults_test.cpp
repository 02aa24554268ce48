// Whose fault is it that a download failed? (decision 8)
#include "http/download_faults.hpp"

#include <doctest/doctest.h>

#include "tests/http/story.hpp"

namespace ota::http {
namespace {

using domain::FailureKind;
using domain::UpdateStatus;
using nlohmann::json;
using domain::kind_in_words;
using domain::name_kind;
using Fault = domain::DownloadFault;

struct Failure {
  std::vector<std::string> details = {};
  std::optional<std::int32_t> code = {};
};

domain::Report named(const Failure& failure, std::optional<Fault> seen, UpdateStatus status = UpdateStatus::kDownloading) {
  domain::Report report;
  report.kind = domain::Report::Kind::kFailure;
  report.details = failure.details;
  report.code = failure.code;
  const auto fault = seen ? std::optional(domain::SeenFault{*seen, "it was seen here"}) : std::nullopt;
  name_kind(report, status, fault);
  return report;
}

FailureKind kind(const Failure& failure, std::optional<Fault> seen, UpdateStatus status = UpdateStatus::kDownloading) {
  return named(failure, seen, status).failure;
}

TEST_CASE("the words of clients tell the network from a server, and everything else from both") {
  for (const char* line : {"Download failed: Timeout was reached", "Could not resolve host name", "Connection RESET by peer",
                           "curl: (18) transfer closed with 93 bytes remaining", "read: ETIMEDOUT",
                           "Failure when receiving data from the peer", "connect: No route to host"}) {
    CAPTURE(line);
    CHECK(kind_in_words(line) == FailureKind::kTransport);
  }
  CHECK(kind_in_words("nginx: 503 Service Unavailable") == FailureKind::kService);
  for (const char* line : {"", "no space left on device", "signature verification failed", "timeout", "wrong hardware",
                           "slot B is 503 sectors long"}) {
    CAPTURE(line);
    CHECK_FALSE(kind_in_words(line));
  }
}

TEST_CASE("decision 8: a failure is the device's, unless its words or what was seen here say otherwise") {
  CHECK(kind({}, {}) == FailureKind::kDevice);
  CHECK(kind({{"no space"}}, {}) == FailureKind::kDevice);
  CHECK(kind({{"downloading", "Timeout was reached"}}, {}) == FailureKind::kTransport);
  CHECK(kind({{"downloading", "Timeout was reached", ""}}, {}) == FailureKind::kTransport);
  // What happened on the way is not why it failed.
  CHECK(kind({{"Timeout was reached", "signature is wrong"}}, {}) == FailureKind::kDevice);
  // What was ours is ours, whatever it looked like from there.
  CHECK(kind({}, Fault::kOurs) == FailureKind::kService);
  CHECK(kind({{"HTTP error 404"}}, Fault::kOurs) == FailureKind::kService);
  // It broke off: but clients do that, too, when they dislike what comes.
  CHECK(kind({}, Fault::kBrokenOff) == FailureKind::kTransport);
  CHECK(kind({{}, 17}, Fault::kBrokenOff) == FailureKind::kDevice);
  CHECK(kind({{"signature is wrong"}}, Fault::kBrokenOff) == FailureKind::kDevice);
  CHECK(kind({{"Timeout was reached", "installation failed"}}, Fault::kBrokenOff) == FailureKind::kTransport);
}

TEST_CASE("decision 8: once it has its bytes, a failure is the device's, whatever it says") {
  for (const auto status : {UpdateStatus::kVerifying, UpdateStatus::kInstalling, UpdateStatus::kRebooting}) {
    CHECK(kind({{"Timeout was reached"}}, Fault::kOurs, status) == FailureKind::kDevice);
  }
  CHECK(kind({}, Fault::kOurs, UpdateStatus::kInProgress) == FailureKind::kService);
  domain::Report success;
  success.kind = domain::Report::Kind::kSuccess;
  name_kind(success, UpdateStatus::kDownloading, domain::SeenFault{Fault::kOurs, ""});
  CHECK(success.failure == FailureKind::kDevice);
}

TEST_CASE("a failure without words of its own gets some that say what was seen") {
  const auto silent = named({}, Fault::kOurs);
  CHECK(silent.error_code == "service_failure");
  CHECK(silent.error_message == "it was seen here");
  const auto spoken = named({{"Timeout was reached"}, 28}, {});
  CHECK(spoken.error_code.empty());
  CHECK(spoken.error_message.empty());
  CHECK(named({{"Timeout was reached"}}, {}).error_code == "transport_failure");
}

TEST_CASE("what was seen is of one action, is forgotten, and does not grow without end") {
  DownloadFaults faults;
  faults.note("a", {7}, {Fault::kBrokenOff, "x"});
  CHECK(faults.find("a", {7})->fault == Fault::kBrokenOff);
  CHECK_FALSE(faults.find("a", {8}));
  CHECK_FALSE(faults.find("b", {7}));
  faults.note("a", {7}, {Fault::kOurs, "y"});
  faults.note("a", {7}, {Fault::kBrokenOff, "x"});
  CHECK(faults.find("a", {7})->fault == Fault::kOurs);
  faults.note("a", {8}, {Fault::kBrokenOff, "x"});
  CHECK_FALSE(faults.find("a", {7}));
  faults.note("a", {7}, {Fault::kOurs, "a late end"});
  CHECK(faults.find("a", {8}));
  faults.forget("a", {7});
  CHECK(faults.find("a", {8}));
  faults.forget("a", {8});
  CHECK(faults.size() == 0);
  for (std::size_t i = 0; i < DownloadFaults::kDevicesMax + 10; ++i) {
    faults.note(std::to_string(i), {7}, {Fault::kOurs, "x"});
  }
  CHECK(faults.size() == DownloadFaults::kDevicesMax);
  // Those that fail now are the ones that matter.
  for (std::size_t i = 0; i < DownloadFaults::kDevicesMax / 2; ++i) faults.note(std::to_string(i) + "new", {7}, {Fault::kOurs, "x"});
  for (std::size_t i = 0; i < DownloadFaults::kDevicesMax / 2; ++i) REQUIRE(faults.find(std::to_string(i) + "new", {7}));
  CHECK(faults.find(std::to_string(DownloadFaults::kDevicesMax + 9), {7}));
  CHECK_FALSE(faults.find("11", {7}));
  CHECK(faults.size() == DownloadFaults::kDevicesMax);
}

constexpr const char* kJustFailed = R"({"status":{"execution":"closed","result":{"finished":"failure"}}})";

// A device that is to download, and the kind that its failure then has.
struct Downloading : test::Story {
  Downloading() {
    stage.device("d");
    campaign = started({"d"}, {{"max_retries", 2}});
    action = begin("d");
    url = stage.ddi("GET", action).json()["deployment"]["chunks"][0]["artifacts"][0]["_links"]["download-http"]["href"];
    url = url.substr(url.find("/d/softwaremodules"));
  }
  // 1 device, 2 transport, 3 service: as the log has it (in words).
  int fails(const char* feedback = kJustFailed) {
    report("d", action, feedback);
    const auto ended = get("/audit/events?device_id=d&type=update.attempt_ended")["events"].back()["data"];
    static const std::map<std::string, int> kinds{{"device", 1}, {"transport", 2}, {"service", 3}};
    return kinds.at(ended["kind"]);
  }
  json update() { return update_of(campaign, "d"); }
  std::string campaign;
  std::string action;
  std::string url;
};

TEST_CASE("decision 8: bytes that we cannot give are the service's fault") {
  Downloading d;
  SUBCASE("the store cannot be read") {
    d.stage.artifacts().set(test::MemoryArtifacts::Fault::kUnreadable);
    CHECK(d.stage.download(d.url).status == 503);
  }
  SUBCASE("the stored bytes are damaged") {
    d.stage.artifacts().set(test::MemoryArtifacts::Fault::kCutShort);
    CHECK(d.stage.download(d.url).status == 404);
  }
  SUBCASE("the door has too much to do") {
    d.stage.refuse_download("/d/deploymentBase");   // is no download
    d.stage.refuse_download("/e" + d.url.substr(2));  // nor is this the device's
    d.stage.refuse_download(d.url);
  }
  SUBCASE("and a part of them later changes nothing") {
    d.stage.artifacts().set(test::MemoryArtifacts::Fault::kUnreadable);
    CHECK(d.stage.download(d.url).status == 503);
    d.stage.artifacts().set(test::MemoryArtifacts::Fault::kNone);
    CHECK(d.stage.download(d.url, "Range: bytes=0-3\r\n").status == 206);
  }
  CHECK(d.fails() == 3);
  CHECK(d.update()["status"] == "scheduled");
  CHECK(d.update()["retry_count"] == 0);
  CHECK(d.update()["error_code"] == "service_failure");
}

TEST_CASE("decision 8: a download that breaks off is the network's fault, and what fails later is not") {
  Downloading d;
  CHECK(d.stage.ddi("GET", d.url).status == 200);   // and reads none of it
  SUBCASE("it gives up") {
    CHECK(d.fails() == 2);
    CHECK(d.update()["retry_count"] == 0);
    CHECK(d.update()["error_message"] == "a download broke off");
  }
  SUBCASE("it says what it dislikes") { CHECK(d.fails(test::kFailed) == 1); }
  SUBCASE("it resumes, and fails behind that") {
    CHECK(d.stage.download(d.url, "Range: bytes=3-\r\n").status == 206);
    CHECK(d.fails() == 1);
    CHECK(d.update()["retry_count"] == 1);
  }
  SUBCASE("it fails in the next attempt, for a reason of its own") {
    CHECK(d.fails() == 2);
    d.stage.advance(std::chrono::hours(2));
    d.action = d.begin("d");
    CHECK(d.fails() == 1);
  }
}

TEST_CASE("decision 8: a device may say that it was the network") {
  Downloading d;
  CHECK(d.fails(R"({"status":{"execution":"closed","result":{"finished":"failure"},
                    "details":["Download failed: Timeout was reached"]}})") == 2);
  CHECK(d.update()["error_message"] == "Download failed: Timeout was reached");
  d.stage.advance(std::chrono::hours(2));
  d.action = d.begin("d");
  d.report("d", d.action, test::kDownloaded);
  CHECK(d.fails(R"({"status":{"execution":"closed","result":{"finished":"failure"},
                    "details":["Download failed: Timeout was reached"]}})") == 1);
}

}  // namespace
}  // namespace ota::http
