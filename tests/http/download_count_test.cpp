// What counts as a download (BR-OTA-010, decision 15), over a socket: only there a download can break off.
#include <doctest/doctest.h>

#include "http/front_door.hpp"
#include "tests/http/raw_client.hpp"
#include "tests/http/story.hpp"

namespace ota::http::test {
namespace {

struct Downloads : Story {
  Downloads()
      : door(on_free_port(), [this](RequestContext& context) { stage.router().handle(context); }) {
    door.start();
  }
  static FrontDoorOptions on_free_port() {
    FrontDoorOptions options;
    options.port = 0;
    options.handler_threads = 4;
    return options;
  }
  // It is counted behind the answer.
  bool becomes(int count) {
    const bool became = ApiStage::eventually([&] {
      stage.service().settle();
      return get("/firmware/" + v2)["download_count"] == count;
    });
    if (!became) MESSAGE(get("/firmware/" + v2).dump(1));
    return became;
  }
  std::string content() const { return "/api/v1/ota/firmware/" + v2 + "/content"; }
  FrontDoor door;
};

TEST_CASE("decision 15: a download counts when its last byte has left, whole or as the last part") {
  Downloads d;
  RawClient client(d.door.port());
  CHECK(d.get("/firmware/" + d.v2)["download_count"] == 0);
  const auto whole = client.get(d.content());
  CHECK(whole.status == 200);
  CHECK(whole.body == "bytes of 2.0.0");
  CHECK(d.becomes(1));
  // The beginning of it, its head, and what is not here again: none of these. The next one that counts is the second.
  CHECK(client.get(d.content(), "Range: bytes=0-4\r\n").body == "bytes");
  client.request("HEAD", d.content());
  CHECK(client.read(true).status == 200);
  CHECK(client.get(d.content(), "If-None-Match: " + whole.header("etag") + "\r\n").status == 304);
  CHECK(client.get(d.content(), "Range: bytes=99-\r\n").status == 416);
  const auto rest = client.get(d.content(), "Range: bytes=5-\r\n");
  CHECK(rest.status == 206);
  CHECK(rest.body == " of 2.0.0");
  CHECK(d.becomes(2));
}

TEST_CASE("BR-OTA-010: a device's download counts once, with its update, however it fetches the bytes") {
  Downloads d;
  d.stage.device("d");
  const auto campaign = d.started({"d"});
  const auto action = d.begin("d");
  const auto artifact = d.stage.ddi("GET", action).json()["deployment"]["chunks"][0]["artifacts"][0];
  std::string path = artifact["_links"]["download-http"]["href"];
  path.erase(0, path.find("/DEFAULT"));
  RawClient client(d.door.port());
  CHECK(client.get(path, "Range: bytes=0-4\r\n").status == 206);
  CHECK(client.get(path, "Range: bytes=5-\r\n").status == 206);
  CHECK(client.get(path).status == 200);
  d.report("d", action, kDownloaded);
  CHECK(d.becomes(1));
  d.report("d", action, kSucceeded);
  REQUIRE(d.Story::becomes(campaign, "completed"));
  CHECK(d.get("/firmware/" + d.v2)["download_count"] == 1);
}

}  // namespace
}  // namespace ota::http::test
