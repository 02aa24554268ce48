// Firmware registered by URL, in a whole service: its bytes come, come later, or are given up (decision 29).
#include "gateways/fetch/url_fetcher.hpp"

#include <doctest/doctest.h>

#include "gateways/artifact_digester.hpp"
#include "gateways/artifact_files.hpp"
#include "tests/gateways/file_server.hpp"
#include "tests/gateways/nats_support.hpp"

using namespace ota;
using namespace ota::gateways::testing;
using gateways::UrlFetcher;
using gateways::UrlFetcherOptions;

namespace {

const std::string kFrame = "the bytes of a frame";
constexpr std::chrono::milliseconds kAtOnce{1};

actors::ArtifactDigests digests_of(std::string_view bytes) {
  gateways::ArtifactDigester digester;
  digester.update(bytes);
  return digester.finish();
}

// The service with its fetcher, in the order of life that url_fetcher.hpp asks for.
class Site {
 public:
  Site() {
    options_.retry_min = kAtOnce;
    options_.retry_max = kAtOnce;
    open();
  }
  explicit Site(UrlFetcherOptions options) : options_(options) { open(); }
  ~Site() { close(); }
  Site(const Site&) = delete;
  Site& operator=(const Site&) = delete;

  void open() {
    fetcher_ = std::make_unique<UrlFetcher>(*artifacts_, options_);
    actors::ServiceOptions options;
    options.data_directory = folder_.path() / "data";
    options.tails = {&fetcher_->tail()};
    service_ = actors::Service::open(std::move(options));
    fetcher_->start(*service_);
  }
  void close() {
    if (fetcher_) fetcher_->stop();
    service_.reset();
    fetcher_.reset();
  }

  static domain::FirmwareId id(std::uint8_t number) {
    domain::FirmwareId id;
    id.bytes[0] = number;
    return id;
  }
  // The firmware of this number; its bytes are at this URL.
  domain::FirmwareId put(std::uint8_t number, const std::string& url, bool kept_elsewhere = false,
                         std::optional<std::array<std::uint8_t, 20>> sha1 = {}) {
    domain::RegisterFirmware command;
    auto& r = command.record;
    r.id = id(number);
    r.name = "Frame";
    r.manufacturer = "Acme";
    r.facts.version = std::to_string(number) + ".0.0";
    r.facts.device_model = "SF-100";
    r.facts.file_size = kFrame.size();
    r.file_name = "f.bin";
    r.file_url = url;
    r.kept_elsewhere = kept_elsewhere;
    r.sha256 = digests_of(kFrame).sha256;
    command.sha1 = sha1;
    actors::Meta meta;
    meta.caller = service_->caller_of("anna");
    REQUIRE(service_->firmware(r.id, std::move(command), meta).ok());
    return r.id;
  }
  domain::Firmware firmware(domain::FirmwareId id) const { return service_->views().firmware(id).value().firmware; }
  void until_here(domain::FirmwareId id) const {
    wait_for([&] { return firmware(id).content_here; });
    wait_for([&] { return !fetcher_->state(id); });
  }
  void until_failed(domain::FirmwareId id) const {
    wait_for([&] { return !firmware(id).content_error.empty(); });
    wait_for([&] { return !fetcher_->state(id); });
  }
  bool holds_file() const { return artifacts_->contains(digests_of(kFrame).sha256); }

  actors::Service& service() { return *service_; }
  UrlFetcher& fetcher() { return *fetcher_; }

 private:
  TempFolder folder_;
  UrlFetcherOptions options_;
  std::unique_ptr<actors::ArtifactStore> artifacts_ = gateways::open_artifact_files(folder_.path() / "artifacts");
  std::unique_ptr<UrlFetcher> fetcher_;
  std::unique_ptr<actors::Service> service_;
};

// Sends half of the file, and then nothing.
void stall_half_way(const FileServer::Question&, const FileServer::Wire& wire) {
  const auto whole = file(kFrame);
  wire.send(whole.substr(0, whole.size() - kFrame.size() / 2));
  wire.stall();
}

UrlFetcherOptions impatient() {
  UrlFetcherOptions options;
  options.retry_min = options.retry_max = kAtOnce;
  options.refusals_max = std::chrono::milliseconds(0);
  return options;
}

}  // namespace

TEST_CASE("decision 29: the bytes of firmware registered by URL are fetched, and its record says so") {
  const FileServer server(good_source(kFrame));
  Site site;
  const auto id = site.put(1, server.url());
  site.until_here(id);
  const auto firmware = site.firmware(id);
  CHECK(firmware.sha1 == digests_of(kFrame).sha1);
  CHECK(firmware.record.md5 == digests_of(kFrame).md5);
  CHECK(firmware.revision == 2);
  CHECK(site.holds_file());
  CHECK(site.fetcher().summary().brought == 1);
  CHECK(server.questions().size() == 1);
  // Because of its registration, and in nobody's name.
  site.service().log().read_one(projections::to_store(firmware.position), [&](const eventstore::RecordedEvent& event) {
    CHECK(event.causation.value == firmware.position.value - 1);
    CHECK(event.caller.empty());
    return false;
  });
}

TEST_CASE("decision 29: what was not fetched when the service ended is fetched after the next start") {
  std::atomic<bool> good{false};
  const FileServer server([&](const auto& question, const auto& wire) {
    good ? wire.send(file_or_part(question, kFrame)) : stall_half_way(question, wire);
  });
  Site site;
  const auto id = site.put(1, server.url());
  wait_for([&] {
    const auto state = site.fetcher().state(id);
    return state && state->running && state->received == kFrame.size() / 2;
  });
  CHECK(site.fetcher().summary().running == 1);
  site.close();
  good = true;
  site.open();
  site.until_here(id);
  CHECK(server.questions().back().from == kFrame.size() / 2);
}

TEST_CASE("decision 29: a source that cannot now is asked until it can") {
  std::atomic<int> asked{0};
  const FileServer server([&](const auto& question, const auto& wire) {
    switch (asked++) {
      case 0: return wire.send(answer("503 Unavailable", "Content-Length: 0\r\n"));
      case 1: return wire.send(answer("200 OK", "Content-Length: 20\r\n", kFrame.substr(0, 5)));
      case 2: return;
      default: return wire.send(file_or_part(question, kFrame));
    }
  });
  Site site;
  site.until_here(site.put(1, server.url()));
  CHECK(asked == 4);
}

TEST_CASE("decision 29: who is told `no such file` asks again, and shows it meanwhile") {
  std::atomic<bool> there{false};
  const FileServer server([&](const auto&, const auto& wire) {
    wire.send(there ? file(kFrame) : answer("404 Not Found", "Content-Length: 0\r\n"));
  });
  Site site;
  const auto id = site.put(1, server.url());
  wait_for([&] { return server.questions().size() >= 3; });
  CHECK(site.fetcher().state(id)->last_error == "the source answered HTTP 404");
  CHECK(site.fetcher().summary().last_error.find("the source answered HTTP 404") != std::string::npos);
  CHECK(domain::content_of(site.firmware(id)) == domain::Content::kPending);
  there = true;
  site.until_here(id);
}

TEST_CASE("decision 29: a source that has said no for long is given up, until the firmware is registered once more") {
  const FileServer server(good_source(kFrame));
  const FileServer empty([](const auto&, const auto& wire) { wire.send(answer("404 Not Found", "Content-Length: 0\r\n")); });
  Site site(impatient());
  const auto id = site.put(1, empty.url());
  site.until_failed(id);
  CHECK(site.firmware(id).content_error == "the source answered HTTP 404");
  CHECK(empty.questions().size() == 1);
  site.put(1, server.url("/elsewhere/f.bin"));
  site.until_here(id);
  CHECK(site.firmware(id).content_error.empty());
}

TEST_CASE("decision 29: other bytes than those that were registered are for good") {
  const FileServer server([](const auto& question, const auto& wire) {
    wire.send(question.path == "/short.bin" ? file("short") : file("the bytes of a brick"));
  });
  Site site;
  const auto short_one = site.put(1, server.url("/short.bin"));
  site.until_failed(short_one);
  CHECK(site.firmware(short_one).content_error == "a file of 5 bytes is there, 20 were announced");
  const auto brick = site.put(2, server.url("/brick.bin"));
  site.until_failed(brick);
  CHECK(site.firmware(brick).content_error.find("SHA256 checksum mismatch") == 0);
  CHECK_FALSE(site.holds_file());
  CHECK(server.questions().size() == 2);
  // The right ones are there now: asked to, it looks again.
  const FileServer mended(good_source(kFrame));
  site.put(2, mended.url());
  site.until_here(brick);
  CHECK(domain::content_of(site.firmware(short_one)) == domain::Content::kFailed);
}

TEST_CASE("decision 29: a source that never has the rest of the file is given up") {
  // Every answer is another file: no two pieces fit.
  std::atomic<int> asked{0};
  const FileServer server([&](const auto& question, const auto& wire) {
    const std::string other(kFrame.size(), static_cast<char>('a' + asked++ % 2));
    if (question.from) return wire.send(file_or_part(question, other));
    wire.send(answer("200 OK", "Content-Length: 20\r\n", other.substr(0, 5)));
  });
  Site site;
  const auto id = site.put(1, server.url());
  site.until_failed(id);
  CHECK(site.firmware(id).content_error.find("SHA256 checksum mismatch") == 0);
}

TEST_CASE("decision 29: with fetch false nobody asks for the bytes") {
  const FileServer server(good_source(kFrame));
  Site site;
  const auto elsewhere = site.put(1, server.url("/elsewhere.bin"), true);
  const auto here = site.put(2, server.url("/here.bin"));
  site.until_here(here);
  CHECK_FALSE(site.fetcher().state(elsewhere));
  CHECK(server.questions().size() == 1);
  CHECK(server.questions()[0].path == "/here.bin");
  // Now they are wanted: the very bytes are here, of the other firmware.
  site.put(1, server.url("/elsewhere.bin"));
  site.until_here(elsewhere);
  CHECK(server.questions().size() == 1);
}

TEST_CASE("a fetch that nobody waits for any more ends") {
  const FileServer server(stall_half_way);
  Site site;
  const auto id = site.put(1, server.url());
  wait_for([&] { return site.fetcher().state(id) && site.fetcher().state(id)->running; });
  SUBCASE("the firmware is recalled") {
    REQUIRE(site.service().firmware(id, domain::RecallFirmware{"bad"}, {}).ok());
    wait_for([&] { return !site.fetcher().state(id); });
    CHECK_FALSE(site.firmware(id).content_here);
  }
  SUBCASE("its bytes are uploaded") {
    site.put(1, "", false, digests_of(kFrame).sha1);
    wait_for([&] { return !site.fetcher().state(id); });
    CHECK(site.firmware(id).content_here);
  }
  SUBCASE("they are to be had from somewhere else") {
    const FileServer better(good_source(kFrame));
    site.put(1, better.url());
    site.until_here(id);
  }
  CHECK(site.firmware(id).content_error.empty());
}

TEST_CASE("bytes that two firmwares share are brought once, and a stop waits for no source") {
  const FileServer slow(stall_half_way);
  Site site;
  const auto first = site.put(1, slow.url("/1.bin"));
  const auto second = site.put(2, slow.url("/2.bin"));
  wait_for([&] { return !slow.questions().empty(); });
  site.close();
  CHECK(slow.questions().size() == 1);
  site.open();
  wait_for([&] { return site.fetcher().state(first) && site.fetcher().state(second); });
}
