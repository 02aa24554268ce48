// What the log proves of itself over REST: every proof is checked here as an auditor would, from the answer's bytes alone.
#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "eventstore/base64.hpp"
#include "eventstore/checkpoint.hpp"
#include "eventstore/database.hpp"
#include "eventstore/merkle.hpp"
#include "tests/http/api_stage.hpp"

namespace ota::http::test {
namespace {

using eventstore::Hash;
using nlohmann::json;

void sign_the_log(actors::ServiceOptions& options) { options.key_directory = options.data_directory / "keys"; }

struct SignedLog {
  ApiStage stage{ApiStage::open_to_devices(), sign_the_log};
  SignedLog() {
    for (const char* device : {"a", "b", "c"}) stage.device(device);
  }
  json get(const std::string& path) {
    const auto answer = stage.admin("GET", path);
    CHECK_MESSAGE(answer.status == 200, path, " ", answer.body);
    return answer.json();
  }
  std::uint64_t head() { return stage.service().log().head().value; }
};

Hash hash_of_text(const json& text) {
  const auto bytes = eventstore::from_base64(text.get<std::string>());
  REQUIRE(bytes);
  Hash hash{};
  REQUIRE(bytes->size() == hash.size());
  std::copy(bytes->begin(), bytes->end(), hash.begin());
  return hash;
}
std::vector<Hash> path_of(const json& texts) {
  std::vector<Hash> path;
  for (const auto& text : texts) path.push_back(hash_of_text(text));
  return path;
}
eventstore::merkle::Tree tree_of(const json& tree) { return {tree["size"], hash_of_text(tree["root"])}; }

eventstore::SignedCheckpoint read_note(const std::string& note) {
  auto parsed = eventstore::parse_checkpoint(note);
  REQUIRE_MESSAGE(std::holds_alternative<eventstore::SignedCheckpoint>(parsed), note);
  return std::get<eventstore::SignedCheckpoint>(std::move(parsed));
}
eventstore::VerifierKey key_of(const json& key) {
  const auto parsed = eventstore::VerifierKey::parse(key["key"].get<std::string>());
  REQUIRE(parsed);
  return *parsed;
}

// Makes a log whose index of streams has a damaged block. Nothing that a start reads.
std::filesystem::path flip_a_bit_of_the_streams(const std::filesystem::path& directory) {
  {
    const auto log = eventstore::Log::open(directory);
    eventstore::Journal journal(log, {}, {});
    for (int i = 0; i < 300; ++i) {
      eventstore::Append append;
      append.events.push_back({fmt::format("xs{}", i), 65'000, {}, std::string(100, 'p'), {}});  // a type that nobody knows
      journal.append(std::move(append), {});
    }
  }
  const auto database = eventstore::Database::open(directory, std::make_shared<eventstore::Head>(), nullptr);
  REQUIRE(database->db().Flush({}, database->family(eventstore::Family::kStreams)).ok());
  // In a table that RocksDB has no reason to write anew soon: who merges would find the bit first.
  rocksdb::CompactRangeOptions whole;
  whole.bottommost_level_compaction = rocksdb::BottommostLevelCompaction::kForce;
  REQUIRE(database->db().CompactRange(whole, database->family(eventstore::Family::kStreams), nullptr, nullptr).ok());
  std::vector<rocksdb::LiveFileMetaData> files;
  database->db().GetLiveFilesMetaData(&files);
  const auto found = std::find_if(files.begin(), files.end(), [](const auto& file) { return file.column_family_name == "streams"; });
  REQUIRE(found != files.end());
  const auto table = directory / found->name.substr(1);
  std::fstream bytes(table, std::ios::in | std::ios::out | std::ios::binary);
  bytes.seekg(20);
  const char byte = static_cast<char>(bytes.peek() ^ 2);
  bytes.seekp(20);
  bytes.put(byte);
  return table;
}

}  // namespace

TEST_CASE("the checkpoint holds all that is in the log, and is signed by the key that is shown") {
  SignedLog log;
  const auto answer = log.stage.admin("GET", "/audit/checkpoint");
  CHECK(answer.status == 200);
  CHECK(answer.header("Content-Type") == "text/plain; charset=utf-8");
  const auto note = read_note(answer.body);
  CHECK(note.checkpoint.tree.size == log.head());
  const auto keys = log.get("/audit/keys")["keys"];
  REQUIRE(keys.size() == 1);
  CHECK(note.is_signed_by(key_of(keys[0])));
  CHECK(keys[0]["change"] == "first");
  CHECK(keys[0]["position"] == 1);
  CHECK(keys[0]["until"] == nullptr);
  CHECK(keys[0]["actor"] == nullptr);
  const auto listed = log.get("/audit/checkpoints");
  CHECK(listed["more"] == false);
  CHECK(listed["checkpoints"].back()["note"] == answer.body);
  CHECK(listed["checkpoints"].back()["size"] == log.head());
  CHECK(listed["next_after"] == log.head());
  CHECK(log.get("/audit/checkpoints?after=" + std::to_string(log.head()))["checkpoints"].empty());
  CHECK(log.get("/audit/checkpoints?limit=1")["checkpoints"].size() == 1);
}

TEST_CASE("every event is proven to be in the log, to a checkpoint that is signed") {
  SignedLog log;
  const auto head = log.head();
  eventstore::Sha256 sha;
  for (std::uint64_t position = 1; position <= head; ++position) {
    const auto proof = log.get("/audit/events/" + std::to_string(position) + "/proof");
    CHECK(proof["position"] == position);
    CHECK(proof["leaf_index"] == position - 1);
    CHECK(proof["event"]["position"] == position);
    const auto leaf = eventstore::leaf_of_record(sha, *eventstore::from_base64(proof["record"].get<std::string>()));
    CHECK(hash_of_text(proof["leaf_hash"]) == leaf);
    const auto tree = tree_of(proof["tree"]);
    CHECK(eventstore::merkle::proves_inclusion(sha, leaf, position - 1, tree.size, path_of(proof["path"]), tree.root));
    const auto note = read_note(proof["checkpoint"]);
    CHECK(note.checkpoint.tree.size == tree.size);
    CHECK(note.checkpoint.tree.root == tree.root);
    CHECK(note.is_signed_by(key_of(proof["keys"][0])));
  }
  // To an older tree there is a path as well, but only a checkpoint that was kept.
  const auto older = log.get("/audit/events/2/proof?size=3");
  CHECK(tree_of(older["tree"]).size == 3);
  CHECK(older["checkpoint"] == nullptr);
}

TEST_CASE("the log of today is proven to begin with that of then") {
  SignedLog log;
  const auto then = read_note(log.stage.admin("GET", "/audit/checkpoint").body).checkpoint.tree;
  log.stage.device("d");
  const auto proof = log.get("/audit/consistency?from=" + std::to_string(then.size));
  const auto now = tree_of(proof["to"]);
  eventstore::Sha256 sha;
  CHECK(tree_of(proof["from"]).root == then.root);
  CHECK(now.size >= then.size);
  CHECK(eventstore::merkle::proves_consistency(sha, then, now, path_of(proof["path"])));
  CHECK(log.get("/audit/consistency?from=2&to=5")["to"]["size"] == 5);
}

TEST_CASE("a key is rotated once for one Idempotency-Key, by somebody") {
  SignedLog log;
  const std::string fields = "Idempotency-Key: k1\r\nX-User-Id: ada\r\n";
  const auto rotated = log.stage.admin("POST", "/audit/keys", "", fields);
  CHECK(rotated.status == 201);
  CHECK(rotated.json()["change"] == "rotated");
  CHECK(rotated.json()["vouched"] == true);
  CHECK(rotated.json()["actor"] == "ada");
  CHECK(log.stage.admin("POST", "/audit/keys", "", fields).body == rotated.body);
  const auto keys = log.get("/audit/keys")["keys"];
  REQUIRE(keys.size() == 2);
  CHECK(keys[1] == rotated.json());
  CHECK(keys[0]["until"] == keys[1]["position"]);
  log.stage.device("e");
  CHECK(read_note(log.stage.admin("GET", "/audit/checkpoint").body).is_signed_by(key_of(keys[1])));
  CHECK(log.get("/audit/events?type=service.log_key_adopted")["events"].size() == 2);
  CHECK(log.get("/audit/events?stream=service&actor=ada")["events"].size() == 1);
}

TEST_CASE("what cannot be proven says why") {
  SignedLog log;
  const auto head = std::to_string(log.head());
  const auto ask = [&](const std::string& path) { return log.stage.admin("GET", path); };
  CHECK(ask("/audit/events/0/proof").status == 422);
  CHECK(ask("/audit/events/-1/proof").status == 422);
  CHECK(ask("/audit/events/x/proof").body.find("'x' is no position") != std::string::npos);
  CHECK(ask("/audit/events/" + std::to_string(log.head() + 1) + "/proof").status == 404);
  CHECK(ask("/audit/events/5/proof?size=4").body.find("must be at least the event's position 5, got 4") != std::string::npos);
  CHECK(ask("/audit/events/5/proof?size=999999").body.find("the log ends at " + head + ", got 999999") != std::string::npos);
  CHECK(ask("/audit/consistency").faults() == "from: missing\n");
  CHECK(ask("/audit/consistency?from=3&to=2").body.find("must be at most 'to' (2), got 3") != std::string::npos);
  CHECK(ask("/audit/consistency?from=x").faults() == "from: int_parsing\n");
  CHECK(ask("/audit/checkpoints?limit=0").status == 422);
  REQUIRE(ask("/audit/checkpoint").status == 200);  // the first one gives way to it
  CHECK(ask("/audit/checkpoint?size_at_most=1").status == 404);
}

TEST_CASE("the log is verified when somebody asks, and says what it has found") {
  SignedLog log;
  CHECK(log.get("/audit/verification")["last"] == nullptr);
  const auto asked = log.stage.admin("POST", "/audit/verification");
  CHECK(asked.status == 202);
  const auto ended = [&] {
    const auto state = log.get("/audit/verification");
    return state["running"] == nullptr && state["last"] != nullptr;
  };
  REQUIRE(ApiStage::eventually(ended));
  const auto last = log.get("/audit/verification")["last"];
  CHECK(last["sound"] == true);
  CHECK(last["findings"].empty());
  CHECK(last["events"] == log.head());
  CHECK(last["checkpoints"] >= 1);
  CHECK(log.stage.ask_as({}, "GET", "/health/detailed").json()["dependencies"]["log"]["verified_at"] != nullptr);
}

TEST_CASE("a bit that flips in a table is found without anybody's asking: the log is damaged, in health and in the metrics") {
  std::filesystem::path table;
  ApiStage stage(ApiStage::open_to_devices(), [&](actors::ServiceOptions& options) {
    options.verify_every = std::chrono::milliseconds(5);
    table = flip_a_bit_of_the_streams(options.data_directory / "log");
  });
  const auto health = [&] { return stage.ask_as({}, "GET", "/health/detailed").json()["dependencies"]["log"]; };
  REQUIRE(ApiStage::eventually([&] { return health()["verified_at"] != nullptr; }));
  CHECK(health()["status"] == "damaged");
  CHECK(health()["damage"].get<std::string>().find(table.filename().string()) != std::string::npos);
  CHECK(stage.ask_as({}, "GET", "/metrics").body.find("\nota_log_verified_sound 0\n") != std::string::npos);
}

TEST_CASE("a log that nobody signs has paths, and no checkpoints") {
  ApiStage stage;
  stage.device("a");
  CHECK(stage.admin("GET", "/audit/checkpoint").status == 404);
  CHECK(stage.admin("POST", "/audit/keys").status == 503);
  CHECK(stage.admin("GET", "/audit/keys").json()["keys"].empty());
  const auto proof = stage.admin("GET", "/audit/events/1/proof").json();
  CHECK(proof["checkpoint"] == nullptr);
  CHECK(proof["tree"]["size"] == stage.service().log().head().value);
}

}  // namespace ota::http::test
