#include "http/artifact_response.hpp"

#include <doctest/doctest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <future>
#include <string>
#include <thread>
#include <vector>

#include <nlohmann/json.hpp>

#include "http/front_door.hpp"
#include "tests/http/raw_client.hpp"

using namespace ota::http;
using test::RawAnswer;
using test::RawClient;
using namespace std::chrono_literals;

namespace {

// Bytes in memory, with a descriptor or without.
class MemoryArtifact final : public ota::actors::Artifact {
 public:
  MemoryArtifact(std::string bytes, bool has_descriptor) : bytes_(std::move(bytes)) {
    if (!has_descriptor) return;
    descriptor_ = ::memfd_create("artifact", MFD_CLOEXEC);
    REQUIRE(descriptor_ >= 0);
    REQUIRE(::write(descriptor_, bytes_.data(), bytes_.size()) ==
            static_cast<ssize_t>(bytes_.size()));
  }
  ~MemoryArtifact() override {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  MemoryArtifact(const MemoryArtifact&) = delete;
  MemoryArtifact& operator=(const MemoryArtifact&) = delete;
  std::uint64_t size() const override { return bytes_.size(); }
  int descriptor() const override { return descriptor_; }
  std::size_t read(std::uint64_t offset, char* out, std::size_t length) const override {
    if (fails) throw ota::actors::ArtifactError("disk on fire");
    return bytes_.copy(out, length, offset);
  }
  bool fails = false;

 private:
  std::string bytes_;
  int descriptor_ = -1;
};

constexpr Time kFileModified = Time(std::chrono::microseconds(1767323045678901));

// Serves one artifact, and keeps what was reported of its deliveries.
struct Server {
  Server(std::string bytes, bool has_descriptor, bool errors_have_bodies = true,
         const FrontDoorOptions& chosen = options())
      : artifact(std::make_shared<MemoryArtifact>(std::move(bytes), has_descriptor)),
        door(chosen, [this, errors_have_bodies](RequestContext& context) {
          if (context.path() == "/other") return context.answer_text(200, "other", "text/plain");
          answer_artifact(context, artifact,
                          {.etag = "abc",
                           .last_modified = kFileModified,
                           .file_name = "fw 1.bin",
                           .errors_have_bodies = errors_have_bodies,
                           .on_end = [this](const Delivery& delivery) {
                             const std::lock_guard lock(mutex);
                             deliveries.push_back(delivery);
                             changed.notify_all();
                           }});
        }) {
    door.start();
  }

  static FrontDoorOptions options() {
    FrontDoorOptions chosen;
    chosen.port = 0;
    chosen.handler_threads = 1;
    chosen.stop_timeout = std::chrono::milliseconds(20);
    return chosen;
  }

  Delivery delivery(std::size_t number) {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return deliveries.size() > number; });
    return deliveries[number];
  }

  std::shared_ptr<MemoryArtifact> artifact;
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<Delivery> deliveries;
  FrontDoor door;
};

const std::string kBytes = "0123456789abcdefghijklmnopqrstuvwxyz";

}  // namespace

TEST_CASE(
    "an artifact is answered whole, in ranges or by its head, with and without a descriptor") {
  for (const bool has_descriptor : {true, false}) {
    CAPTURE(has_descriptor);
    Server server(kBytes, has_descriptor);
    RawClient client(server.door.port());

    const auto whole = client.get("/a");
    CHECK(whole.status == 200);
    CHECK(whole.body == kBytes);
    CHECK(whole.header("etag") == "\"abc\"");
    CHECK(whole.header("last-modified") == "Fri, 02 Jan 2026 03:04:05 GMT");
    CHECK(whole.header("accept-ranges") == "bytes");
    CHECK(whole.header("content-type") == "application/octet-stream");
    CHECK(whole.header("content-disposition") == "attachment;filename=\"fw 1.bin\"");
    CHECK(whole.header("x-content-type-options") == "nosniff");
    CHECK(server.delivery(0).complete);
    CHECK(server.delivery(0).last_byte_sent);

    const auto part = client.get("/a", "Range: bytes=10-12\r\n");
    CHECK(part.status == 206);
    CHECK(part.body == "abc");
    CHECK(part.header("content-range") == "bytes 10-12/36");
    CHECK(part.header("content-length") == "3");
    CHECK(server.delivery(1).status == 206);
    CHECK(server.delivery(1).complete);
    CHECK_FALSE(server.delivery(1).last_byte_sent);

    CHECK(client.get("/a", "Range: bytes=-3\r\n").body == "xyz");
    CHECK(server.delivery(2).last_byte_sent);
    CHECK(client.get("/a", "Range: bytes=30-\r\n").body == "uvwxyz");

    client.request("HEAD", "/a", "Range: bytes=0-3\r\n");
    const auto head = client.read(true);
    CHECK(head.status == 200);
    CHECK(head.header("content-length") == "36");
    CHECK(head.header("etag") == "\"abc\"");
    CHECK(client.get("/other").body == "other");
    CHECK(server.deliveries.size() == 4);
  }
}

TEST_CASE("several ranges are answered as one multipart body of the length announced") {
  for (const bool has_descriptor : {true, false}) {
    Server server(kBytes, has_descriptor);
    RawClient client(server.door.port());
    const auto answer = client.get("/a", "Range: bytes=34-,0-1, 10-12\r\n");
    CHECK(answer.status == 206);
    const std::string type = answer.header("content-type");
    REQUIRE(type.starts_with("multipart/byteranges; boundary="));
    const std::string boundary = type.substr(type.find('=') + 1);
    const auto part = [&](const std::string& range, const std::string& bytes) {
      return "--" + boundary +
             "\r\nContent-Type: application/octet-stream\r\nContent-Range: bytes " + range +
             "/36\r\n\r\n" + bytes + "\r\n";
    };
    CHECK(answer.body == part("0-1", "01") + part("10-12", "abc") + part("34-35", "yz") + "--" +
                             boundary + "--\r\n");
    CHECK(answer.headers.count("content-range") == 0);
    CHECK(server.delivery(0).last_byte_sent);
    CHECK(client.get("/other").body == "other");
  }
}

TEST_CASE("ranges that cannot be met are 416 with the size") {
  Server server(kBytes, true);
  RawClient client(server.door.port());
  for (const char* range : {"bytes=36-", "bytes=5-4", "bytes=0-9,5-6", "lines=1-2", "bytes=x"}) {
    const auto answer = client.get("/a", "Range: " + std::string(range) + "\r\n");
    CHECK(answer.status == 416);
    CHECK(answer.header("content-range") == "bytes */36");
    CHECK(nlohmann::json::parse(answer.body)["status_code"] == 416);
  }
  CHECK(server.deliveries.empty());

  Server silent(kBytes, true, false);
  RawClient device(silent.door.port());
  const auto answer = device.get("/a", "Range: bytes=36-\r\n");
  CHECK(answer.status == 416);
  CHECK(answer.body.empty());
  CHECK(answer.header("content-length") == "0");
  CHECK(device.get("/a", "If-Match: \"xyz\"\r\n").status == 412);
}

TEST_CASE("conditions decide between the part, the whole and nothing") {
  Server server(kBytes, true);
  RawClient client(server.door.port());
  const auto status = [&](const std::string& fields) { return client.get("/a", fields).status; };
  CHECK(status("Range: bytes=0-1\r\nIf-Range: \"abc\"\r\n") == 206);
  CHECK(status("Range: bytes=0-1\r\nIf-Range: \"old\"\r\n") == 200);
  CHECK(status("Range: bytes=99-\r\nIf-Range: \"old\"\r\n") == 200);
  CHECK(status("Range: bytes=0-1\r\nIf-Range: Fri, 02 Jan 2026 03:04:05 GMT\r\n") == 206);
  CHECK(status("Range: bytes=0-1\r\nIf-Range: Thu, 01 Jan 2026 03:04:05 GMT\r\n") == 200);
  CHECK(status("If-None-Match: \"abc\"\r\n") == 304);
  CHECK(status("If-None-Match: \"old\"\r\n") == 200);
  CHECK(status("If-Match: \"abc\"\r\n") == 200);
  CHECK(status("If-Match: \"old\", abc\r\n") == 200);
  CHECK(status("If-Match: \"old\"\r\n") == 412);
}

TEST_CASE("an empty artifact is an empty 200, and has no ranges") {
  for (const bool has_descriptor : {true, false}) {
    Server server("", has_descriptor);
    RawClient client(server.door.port());
    const auto answer = client.get("/a");
    CHECK(answer.status == 200);
    CHECK(answer.header("content-length") == "0");
    CHECK(server.delivery(0).last_byte_sent);
    CHECK(client.get("/a", "Range: bytes=0-\r\n").status == 416);
  }
}

TEST_CASE("a client that asked for it is closed on after its download") {
  for (const bool has_descriptor : {true, false}) {
    Server server(kBytes, has_descriptor);
    RawClient client(server.door.port());
    const auto answer = client.get("/a", "Connection: close\r\n");
    CHECK(answer.header("connection") == "close");
    CHECK(answer.body == kBytes);
    CHECK(client.is_closed_silently());
  }
}

TEST_CASE("a large artifact arrives byte for byte") {
  std::string bytes(30'000'001, '\0');
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(i * 7 + (i >> 13));
  for (const bool has_descriptor : {true, false}) {
    Server server(bytes, has_descriptor);
    RawClient client(server.door.port());
    CHECK(client.get("/a").body == bytes);
    CHECK(client.get("/a", "Range: bytes=1000000-\r\n").body == bytes.substr(1'000'000));
    CHECK(server.delivery(1).last_byte_sent);
  }
}

TEST_CASE("a download that the client breaks off is not complete") {
  for (const bool has_descriptor : {true, false}) {
    Server server(std::string(50'000'000, 'x'), has_descriptor);
    RawClient client(server.door.port());
    client.request("GET", "/a");
    client.close();
    CHECK_FALSE(server.delivery(0).complete);
    CHECK_FALSE(server.delivery(0).last_byte_sent);
  }
}

namespace {

constexpr int kSmallReceiveBuffer = 64 * 1024;

// Asks for the artifact, of which the most is then the kernel's, and reads nothing.
void ask_and_wait(RawClient& client) {
  client.receive_buffer(kSmallReceiveBuffer);
  client.request("GET", "/a");
  client.wait_for_bytes(kSmallReceiveBuffer / 4);
}

}  // namespace

TEST_CASE("decision 15: what the kernel has taken and the line has not is not sent") {
  const std::string bytes(1'000'000, 'x');
  Server server(bytes, true);
  RawClient gone(server.door.port());
  ask_and_wait(gone);
  gone.close();
  CHECK_FALSE(server.delivery(0).complete);

  // Who reads late is sent it all, and the connection is as good as before.
  RawClient late(server.door.port());
  for (std::size_t i = 1; i <= 2; ++i) {
    ask_and_wait(late);
    CHECK(late.read().body == bytes);
    CHECK(server.delivery(i).last_byte_sent);
  }
  CHECK(late.get("/other").body == "other");
}

TEST_CASE("who stands still with the last bytes in the kernel is ended, and was not sent them") {
  FrontDoorOptions options = Server::options();
  options.answer_pace = {.grace = 100ms, .silence_max = 100ms};
  Server server(std::string(1'000'000, 'x'), true, true, options);
  RawClient still(server.door.port());
  ask_and_wait(still);
  CHECK_FALSE(server.delivery(0).complete);
  while (server.door.counts().transfers != 0) std::this_thread::yield();
}

TEST_CASE("stopping the server cuts off who has not been sent the last bytes") {
  Server server(std::string(1'000'000, 'x'), true);
  RawClient still(server.door.port());
  ask_and_wait(still);
  server.door.stop();
  CHECK_FALSE(server.delivery(0).complete);
}

TEST_CASE("a download that stopping the server cuts off is not complete") {
  for (const bool has_descriptor : {true, false}) {
    Server server(std::string(50'000'000, 'x'), has_descriptor);
    RawClient client(server.door.port());
    client.request("GET", "/a");
    while (server.door.counts().requests == 0) std::this_thread::yield();
    server.door.stop();
    CHECK_FALSE(server.delivery(0).complete);
  }
}

TEST_CASE("an artifact that cannot be read breaks the connection off") {
  Server server(kBytes, false);
  server.artifact->fails = true;
  RawClient client(server.door.port());
  client.request("GET", "/a");
  CHECK(client.read_to_end().ends_with("\r\n\r\n"));
  CHECK_FALSE(server.delivery(0).complete);
}

TEST_CASE("downloads over thin lines leave the handlers free") {
  Server server(std::string(20'000'000, 'x'), true);
  std::vector<RawClient> thin;
  for (int i = 0; i < 50; ++i) {
    thin.emplace_back(server.door.port());
    thin.back().request("GET", "/a");
  }
  RawClient client(server.door.port());
  CHECK(client.get("/other").body == "other");
  while (server.door.counts().transfers != 50) std::this_thread::yield();
  while (server.door.counts().handlers != 0) std::this_thread::yield();
  CHECK(thin[49].read().body.size() == 20'000'000);
  CHECK(thin[49].get("/other").body == "other");
}

TEST_CASE("file names are cut and quoted") {
  CHECK(content_disposition("fw-1.2_3.swu") == "attachment;filename=fw-1.2_3.swu");
  CHECK(content_disposition("a \"b\"\\.bin") == "attachment;filename=\"a \\\"b\\\"\\\\.bin\"");
  CHECK(content_disposition("züri\n.bin") ==
        "attachment;filename=\"z__ri_.bin\";filename*=UTF-8''z%C3%BCri%0A.bin");
  CHECK(content_disposition(std::string(100, 'x')) ==
        "attachment;filename=" + std::string(78, 'x'));
}
