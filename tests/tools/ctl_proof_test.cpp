// A proof is checked from its own bytes: whatever is changed in it, it proves nothing any more, and says why.
#include "tools/otactl/proof_check.hpp"

#include <doctest/doctest.h>

#include "domain/codec/codec.hpp"
#include "domain/streams.hpp"
#include "eventstore/base64.hpp"
#include "eventstore/bytes.hpp"
#include "eventstore/merkle.hpp"
#include "eventstore/record.hpp"

using namespace ota;
using namespace ota::ctl;
using nlohmann::json;

namespace {

constexpr std::uint64_t kEvents = 13;
constexpr std::uint64_t kProven = 6;

domain::Event event_of(std::uint64_t position) { return domain::FirmwareRestored{"reason " + std::to_string(position)}; }

std::string record_of(std::uint64_t position, const domain::Event& written) {
  const auto encoded = domain::encode(written);
  eventstore::NewEvent event;
  event.stream = domain::stream_name(domain::ServiceStream{});
  event.type = encoded.type;
  event.payload = encoded.payload;
  std::string record(eventstore::kRecordTimeBytes + eventstore::body_bytes(event), '\0');
  eventstore::RecordedEvent view;
  eventstore::encode_body(event, record.data() + eventstore::kRecordTimeBytes, view);
  eventstore::stamp_record(record.data(), eventstore::Timestamp(std::chrono::microseconds(1'000'000 * position)));
  return record;
}

struct Made {
  eventstore::SigningKey key = eventstore::SigningKey::make();
  eventstore::VerifierKey verifier{"ota-log/test", key.public_key()};
  json proof;

  explicit Made(const domain::Event& event = event_of(kProven)) {
    eventstore::Sha256 sha;
    std::vector<eventstore::Hash> leaves;
    for (std::uint64_t position = 1; position <= kEvents; ++position) {
      leaves.push_back(eventstore::leaf_of_record(sha, record_of(position, position == kProven ? event : event_of(position))));
    }
    const eventstore::merkle::Subtrees subtree = [&](unsigned height, std::uint64_t index) {
      eventstore::merkle::Builder builder;
      for (std::uint64_t i = index << height; i < (index + 1) << height; ++i) builder.add(leaves[i]);
      return builder.root();
    };
    const eventstore::merkle::Tree tree{kEvents, eventstore::merkle::root(sha, kEvents, subtree)};
    json path = json::array();
    for (const auto& step : eventstore::merkle::inclusion_path(sha, kProven - 1, kEvents, subtree)) path.push_back(text_of(step));
    proof = {{"position", kProven},
             {"record", eventstore::base64_of(record_of(kProven, event))},
             {"path", path},
             {"checkpoint", eventstore::sign_checkpoint({"ota-log/test", tree, {}}, key)},
             {"keys", json::array({json{{"key", verifier.text()}}})}};
  }
  static std::string text_of(const eventstore::Hash& hash) {
    return eventstore::base64_of({reinterpret_cast<const char*>(hash.data()), hash.size()});
  }
  std::string why_not(const std::function<void(json&)>& change, const std::vector<eventstore::VerifierKey>& trusted = {}) const {
    auto changed = proof;
    change(changed);
    const auto checked = check_proof(changed, trusted);
    return std::holds_alternative<std::string>(checked) ? std::get<std::string>(checked) : "proven";
  }
};

void nothing(json&) {}

}  // namespace

TEST_CASE("what a proof says for people to read must be what it proves") {
  const Made made;
  const auto shown = [&](const json& event) {
    return made.why_not([&](json& proof) {
      proof["leaf_index"] = kProven - 1;
      proof["event"] = event;
    });
  };
  const json data{{"reason", "reason 6"}};
  const json event{{"position", kProven},  {"time", "1970-01-01T00:00:06.000000Z"}, {"type", "firmware.restored"}, {"stream", "service"},
                   {"tags", json::array()}, {"correlation_id", nullptr},            {"causation", nullptr},        {"data", data}};
  CHECK(shown(event) == "proven");
  for (const auto& [name, value] : event.items()) {
    auto changed = event;
    changed[name] = "other";
    CHECK(shown(changed).find("its field event." + name + (name == "data" ? "" : " is")) != std::string::npos);
  }
  CHECK(made.why_not([](json& proof) { proof["leaf_index"] = 7; }).find("its field leaf_index is not") != std::string::npos);
  CHECK(made.why_not([](json& proof) { proof["leaf_hash"] = "7"; }).find("its field leaf_hash is not") != std::string::npos);
  CHECK(made.why_not([](json& proof) { proof["tree"] = {{"size", 14}, {"root", ""}}; }).find("its field tree is not") != std::string::npos);
}

TEST_CASE("what a proof says and its record does not is found, too") {
  domain::DeviceRegistered registered;
  registered.owner = {0x1234};
  registered.attributes = {{"group", "user:beta"}};
  const Made made(registered);
  const auto with = [&](const std::function<void(json&)>& change) {
    return made.why_not([&](json& proof) {
      proof["event"] = {{"actor", nullptr}, {"data", {{"owner", "ada"}, {"attributes", {{"group", "user:beta"}}}}}};
      change(proof);
    });
  };
  const auto changed = [&](const char* pointer, const json& value) {
    return with([&](json& proof) { proof[json::json_pointer(pointer)] = value; });
  };
  CHECK(with(nothing) == "proven");
  CHECK(changed("/event/data/owner", nullptr) == "proven");           // a person who is forgotten
  CHECK(changed("/event/data/owner", 7).find("its field event.data.owner is not") != std::string::npos);
  CHECK(changed("/event/data/attributes/group", "user:omega").find("its field event.data.attributes.group is not") != std::string::npos);
  CHECK(changed("/event/data/attributes/added", "evil").find("does not prove its field event.data.attributes.added:") != std::string::npos);
  CHECK(changed("/event/data/extra", 0).find("does not prove its field event.data.extra:") != std::string::npos);
  CHECK(changed("/event/approved", true).find("does not prove its field event.approved:") != std::string::npos);
  CHECK(changed("/approved", true).find("does not prove its field approved:") != std::string::npos);
  CHECK(changed("/event/actor", "mallory").find("its field event.actor is not") != std::string::npos);
  CHECK(changed("/event", 7).find("its field event is not") != std::string::npos);
}

TEST_CASE("a number in a proof is the very number, and a member is there once") {
  domain::UpdateRequested requested;
  requested.plan.download_size = 9'007'199'254'740'993;
  const Made made(requested);
  const auto said = [&](const json& size) {
    return made.why_not([&](json& proof) { proof["event"]["data"]["plan"]["download_size"] = size; });
  };
  CHECK(said(9'007'199'254'740'993) == "proven");
  CHECK(said(9'007'199'254'740'992.0).find("data.plan.download_size is not") != std::string::npos);
  CHECK(made.why_not([](json& proof) { proof["leaf_index"] = double(kProven - 1); }).find("leaf_index is not") != std::string::npos);
  const auto text = made.proof.dump();
  CHECK(std::holds_alternative<Proven>(check_proof(parse_proof(text), {})));
  const auto twice = R"({"position":7,)" + text.substr(1);
  CHECK(std::get<std::string>(check_proof(parse_proof(twice), {})) == "this is no proof: it is no JSON object, says a member twice, or has more than 100 levels");
  CHECK(parse_proof(R"({"a":[{"b":1},{"b":2}],"c":{"a":1}})").is_object());
  CHECK(parse_proof(R"({"a":{"b":1,"b":1}})").is_discarded());
  const auto nested = [&](std::size_t levels) { return R"({"remark":)" + std::string(levels, '[') + std::string(levels, ']') + "," + text.substr(1); };
  CHECK(std::get<std::string>(check_proof(parse_proof(nested(90)), {})).find("does not prove its field remark:") != std::string::npos);
  CHECK(std::get<std::string>(check_proof(parse_proof(nested(1'000'000)), {})).find("or has more than 100 levels") != std::string::npos);
  CHECK(parse_proof(R"({"a":)" + std::string(200, '[') + R"({"b":{"c":1}})" + std::string(200, ']') + R"(,"d":1})").is_discarded());
}

TEST_CASE("of the keys a proof says no more than what the log's keys are shown with") {
  const Made made;
  const auto with = [&](const json& key) { return made.why_not([&](json& proof) { proof["keys"].push_back(key); }); };
  const auto text = made.verifier.text();
  CHECK(with({{"key", text}, {"actor", "ada"}, {"vouched", true}}) == "proven");
  CHECK(with({{"key", text}, {"remark", "approved"}}).find("does not prove its field keys.1.remark") != std::string::npos);
  CHECK(with({{"key", text}, {"actor", {{"remark", "approved"}}}}).find("does not prove its field keys.1.actor") != std::string::npos);
  CHECK(with({{"key", "the boss approves"}}).find("its field keys.1 is no key") != std::string::npos);
}

TEST_CASE("a proof shows the event that is proven, and by whose word") {
  const Made made;
  const auto checked = check_proof(made.proof, {});
  REQUIRE(std::holds_alternative<Proven>(checked));
  const auto& proven = std::get<Proven>(checked);
  CHECK(proven.position == kProven);
  CHECK(proven.type == "firmware.restored");
  CHECK(proven.stream == "service");
  CHECK(proven.time == "1970-01-01T00:00:06.000000Z");
  CHECK(proven.data == R"({"reason":"reason 6"})");
  CHECK(proven.signer == made.verifier.text());
  CHECK(proven.key_is_from_proof);
  CHECK(proven.checkpoint.checkpoint.tree.size == kEvents);
  CHECK_FALSE(std::get<Proven>(check_proof(made.proof, {made.verifier})).key_is_from_proof);
}

TEST_CASE("what was changed in a proof is said") {
  const Made made;
  const auto changed = [&](const char* name, const json& value) {
    return made.why_not([&](json& proof) { proof[name] = value; });
  };
  const std::string no_path = "the path does not lead from the record, as event 6, to the checkpoint of 13 events";
  CHECK(made.why_not(nothing) == "proven");
  CHECK(changed("position", std::uint64_t{7}) == "the path does not lead from the record, as event 7, to the checkpoint of 13 events");
  CHECK(changed("position", std::uint64_t{14}).find("as event 14") != std::string::npos);
  CHECK(changed("position", 0) == "this is no proof: it has no position");
  CHECK(changed("record", eventstore::base64_of(record_of(7, event_of(7)))) == no_path);
  CHECK(changed("record", "?") == "this is no proof: its record is not base64");
  CHECK(changed("record", "AAAA") == "the record of the proof is damaged: its time at byte 0");
  CHECK(changed("path", json::array()) == no_path);
  CHECK(changed("path", "x") == "this is no proof: its path is no list of hashes in base64");
  CHECK(changed("path", json::array({"AAAA"})) == "this is no proof: its path is no list of hashes in base64");
  CHECK(changed("checkpoint", nullptr) == "the proof has no checkpoint: its path leads to a tree that nobody signed");
  CHECK(changed("checkpoint", "x").starts_with("in the proof: this is no checkpoint"));
  CHECK(changed("keys", json::array()) == "the checkpoint is signed by no key that the proof names");
  CHECK(std::get<std::string>(check_proof(json::array(), {})) == "this is no proof: it is no JSON object, says a member twice, or has more than 100 levels");
  CHECK(std::get<std::string>(check_proof(json::parse("{", nullptr, false), {})) ==
        "this is no proof: it is no JSON object, says a member twice, or has more than 100 levels");
}

TEST_CASE("a proof that another key has signed is none to who knows the right one") {
  const Made made;
  const Made other;
  CHECK(made.why_not(nothing, {other.verifier}) == "the checkpoint is not signed by the key that is trusted");
  CHECK(made.why_not(nothing, {other.verifier, made.verifier}) == "proven");
}
