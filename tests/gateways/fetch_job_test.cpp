// From a source into the artifact store: only the registered bytes, in one piece or in several.
#include "gateways/fetch/fetch_job.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>

#include "gateways/artifact_digester.hpp"
#include "gateways/artifact_files.hpp"
#include "tests/gateways/file_server.hpp"
#include "tests/gateways/nats_support.hpp"

using namespace ota;
using namespace ota::gateways::fetch;
using namespace ota::gateways::testing;

namespace {

namespace fs = std::filesystem;

const std::string kFile = "the bytes of a frame";

actors::ArtifactDigests digests_of(std::string_view bytes) {
  gateways::ArtifactDigester digester;
  digester.update(bytes);
  return digester.finish();
}

domain::Firmware registered(const std::string& url, std::string_view bytes = kFile) {
  domain::Firmware firmware;
  firmware.exists = true;
  firmware.record.file_url = url;
  firmware.record.sha256 = digests_of(bytes).sha256;
  firmware.record.facts.file_size = bytes.size();
  return firmware;
}

struct Store {
  Brought bring(const domain::Firmware& firmware) {
    return gateways::fetch::bring(firmware, *artifacts, {}, [](std::uint64_t) { return true; });
  }
  std::vector<fs::path> files() const {
    std::vector<fs::path> found;
    for (const auto& entry : fs::recursive_directory_iterator(folder.path())) {
      if (entry.is_regular_file()) found.push_back(entry.path());
    }
    return found;
  }
  fs::path part_of(std::string_view bytes) const {
    return folder.path() / "incoming" / ("fetch-" + domain::to_hex(domain::view_of(digests_of(bytes).sha256)) + ".part");
  }
  void leave_part(std::string_view of, std::string_view bytes) const {
    std::ofstream(part_of(of), std::ios::binary) << bytes;
  }
  bool holds(std::string_view bytes) const {
    const auto artifact = artifacts->open(digests_of(bytes).sha256);
    if (!artifact || artifact->size() != bytes.size()) return false;
    std::string there(bytes.size(), '\0');
    return artifact->read(0, there.data(), there.size()) == there.size() && there == bytes;
  }

  TempFolder folder;
  std::unique_ptr<actors::ArtifactStore> artifacts = gateways::open_artifact_files(folder.path());
};

// Hangs up after so many bytes of the whole; answers parts to the end.
FileServer::Source cuts_after(std::size_t count) {
  return [count](const FileServer::Question& question, const FileServer::Wire& wire) {
    const auto whole = file_or_part(question, kFile);
    wire.send(question.from ? whole : whole.substr(0, whole.size() - kFile.size() + count));
  };
}

}  // namespace

TEST_CASE("the registered bytes are stored, and all three digests told") {
  Store store;
  const FileServer server(good_source(kFile));
  const auto brought = store.bring(registered(server.url()));
  REQUIRE(brought.content);
  const auto expected = digests_of(kFile);
  CHECK(brought.content->size == kFile.size());
  CHECK(brought.content->md5 == expected.md5);
  CHECK(brought.content->sha1 == expected.sha1);
  CHECK(brought.content->sha256 == expected.sha256);
  CHECK(store.holds(kFile));
  CHECK(store.files().size() == 1);
}

TEST_CASE("a try that was cut off leaves a part, and the next one goes on with it") {
  Store store;
  const FileServer server(cuts_after(7));
  CHECK(store.bring(registered(server.url())).ending.end == End::kAgain);
  CHECK(fs::file_size(store.part_of(kFile)) == 7);
  CHECK(store.bring(registered(server.url())).content);
  CHECK(server.questions().back().from == 7);
  CHECK(store.holds(kFile));
  CHECK(store.files().size() == 1);
}

TEST_CASE("other bytes of the same size are for good, and nothing of them stays") {
  Store store;
  const FileServer server(good_source("the bytes of a brick"));
  const auto wrong = store.bring(registered(server.url()));
  CHECK_FALSE(wrong.content);
  CHECK(wrong.ending.end == End::kOther);
  CHECK(wrong.ending.why.find("SHA256 checksum mismatch: " + domain::to_hex(domain::view_of(digests_of(kFile).sha256))) == 0);
  CHECK(store.files().empty());
}

TEST_CASE("an MD5 that was registered must be that of the bytes, too") {
  Store store;
  const FileServer server(good_source(kFile));
  auto firmware = registered(server.url());
  firmware.record.md5 = digests_of(kFile).md5;
  firmware.record.md5[0] ^= 1;
  const auto wrong = store.bring(firmware);
  CHECK(wrong.ending.end == End::kOther);
  CHECK(wrong.ending.why.find("MD5 checksum mismatch") == 0);
  CHECK(store.files().empty());
  firmware.record.md5 = digests_of(kFile).md5;
  CHECK(store.bring(firmware).content);
  // Whether they come from there or are here already.
  firmware.record.md5[0] ^= 1;
  CHECK(store.bring(firmware).ending.end == End::kOther);
}

TEST_CASE("pieces that do not fit together are no verdict about the source: the file is fetched once more in one") {
  Store store;
  const FileServer server(good_source(kFile));
  store.leave_part(kFile, "THE BYTES");
  const auto mixed = store.bring(registered(server.url()));
  CHECK(mixed.ending.end == End::kStartAnew);
  CHECK(store.files().empty());
  CHECK(store.bring(registered(server.url())).content);
  CHECK(store.holds(kFile));
}

TEST_CASE("a part that cannot be gone on with is left behind") {
  Store store;
  SUBCASE("it is longer than the file") {
    store.leave_part(kFile, kFile + kFile);
    const FileServer server(good_source(kFile));
    CHECK(store.bring(registered(server.url())).content);
    CHECK_FALSE(server.questions()[0].from);
  }
  SUBCASE("the source sends all of it once more") {
    store.leave_part(kFile, "THE BYTES");
    const FileServer server([](const auto&, const auto& wire) { wire.send(file(kFile)); });
    CHECK(store.bring(registered(server.url())).content);
  }
  SUBCASE("the source has a shorter file now") {
    store.leave_part(kFile, kFile.substr(0, 9));
    const FileServer server([](const auto& question, const auto& wire) {
      wire.send(question.from ? answer("416 Range Not Satisfiable", "Content-Length: 0\r\n") : file("short"));
    });
    CHECK(store.bring(registered(server.url())).ending.end == End::kStartAnew);
    CHECK(store.bring(registered(server.url())).ending.end == End::kOther);
    CHECK(store.files().empty());
    return;
  }
  CHECK(store.holds(kFile));
  CHECK(store.files().size() == 1);
}

TEST_CASE("who ended between the last byte and the store asks nobody again") {
  Store store;
  const FileServer server(good_source(kFile));
  SUBCASE("before the commit") { store.leave_part(kFile, kFile); }
  SUBCASE("behind it") {
    const auto upload = store.artifacts->begin_upload();
    upload->write(kFile);
    upload->finish();
    upload->commit();
  }
  const auto brought = store.bring(registered(server.url()));
  REQUIRE(brought.content);
  CHECK(brought.content->sha1 == digests_of(kFile).sha1);
  CHECK(server.questions().empty());
  CHECK(store.holds(kFile));
  CHECK(store.files().size() == 1);
}

TEST_CASE("a whole part of wrong bytes is thrown away, and asked for once more") {
  Store store;
  const FileServer server(good_source(kFile));
  store.leave_part(kFile, std::string(kFile.size(), 'x'));
  CHECK(store.bring(registered(server.url())).ending.end == End::kStartAnew);
  CHECK(store.bring(registered(server.url())).content);
}

TEST_CASE("an upload can be gone on with under its name, by one at a time, and is swept when it is old") {
  Store store;
  {
    const auto upload = store.artifacts->resume_upload("fetch-x");
    CHECK(upload->held() == 0);
    upload->write("the bytes");
    CHECK_THROWS_AS(store.artifacts->resume_upload("fetch-x"), actors::ArtifactError);
  }
  {
    const auto upload = store.artifacts->resume_upload("fetch-x");
    CHECK(upload->held() == 9);
    store.artifacts->sweep(0, [](const auto&) { return true; });  // somebody is at it
    upload->write(" of a frame");
    const auto digests = upload->finish();
    CHECK(digests.sha256 == digests_of(kFile).sha256);
    CHECK(digests.size == kFile.size());
  }
  CHECK(store.files().size() == 1);
  store.artifacts->sweep(0, [](const auto&) { return true; });
  CHECK(store.files().empty());
  store.artifacts->resume_upload("fetch-x");  // nothing was written: nothing is left
  CHECK(store.files().empty());
}
