// Decoding, the poll index, the offers: what stands beside the rows.
#include <doctest/doctest.h>

#include "domain/codec/codec.hpp"
#include "projections/decoded.hpp"
#include "projections/offers.hpp"
#include "projections/device_view.hpp"
#include "projections/poll_index.hpp"
#include "projections/row_cache.hpp"
#include "tests/projections/support.hpp"

namespace ota::projections {
namespace {

using namespace testing;

// ---- row cache ----------------------------------------------------------------------------------

class RowsInMemory final : public Rows {
 public:
  bool get(std::string_view key, std::string& value) const override {
    ++searched;
    const auto found = rows.find(std::string(key));
    if (found != rows.end()) value = found->second;
    return found != rows.end();
  }
  void put(std::string_view key, std::string_view value) override { rows[std::string(key)] = value; }
  void erase(std::string_view key) override { rows.erase(std::string(key)); }

  std::map<std::string, std::string> rows;
  mutable std::size_t searched = 0;
};

TEST_CASE("a row that is known to be new is not searched for, and then is one like any other") {
  RowsInMemory rows;
  RowCache<std::string> cache(rows, 10);
  cache.make("d1") = "one";
  CHECK(*cache.find("d1") == "one");
  CHECK(rows.searched == 0);
  cache.commit();
  CHECK(rows.rows.at("d1") == "one");
  *cache.edit("d1") = "two";
  cache.erase("d1");
  CHECK(cache.find("d1") == nullptr);
  CHECK(cache.make("d1").empty());          // within the group that erased it
  cache.commit();
  CHECK(rows.rows.at("d1").empty());
}

// ---- decoding -----------------------------------------------------------------------------------

TEST_CASE("an event of an update is decoded with the device that its tag names") {
  const auto id = domain::UpdateId::in_campaign(campaign_id(1), {7});
  const auto payload = domain::encode(domain::Event(domain::AttemptStarted{1, kBegin}));
  const auto stream = domain::stream_name(id);
  const auto tag = domain::stream_name(device_id(7));
  const auto gate = domain::gate_tag(campaign_id(1));
  eventstore::RecordedEvent raw;
  raw.position = {9};
  raw.time = kBegin;
  raw.stream = stream;
  raw.type = payload.type;
  raw.tags = {gate, tag};
  raw.payload = payload.payload;
  raw.caller.bytes = {1, 2, 3, 4, 5, 6, 7, 8};
  const auto event = decode(raw);
  CHECK(event.position.value == 9);
  CHECK(event.time == kBegin);
  CHECK(event.stream == domain::Stream(id));
  CHECK(event.device == device_id(7));
  CHECK(event.caller.token == 0x0102030405060708ULL);
  CHECK(std::get<domain::AttemptStarted>(event.event).attempt == 1);
}

TEST_CASE("what this version cannot read is an unknown event of the directory") {
  const auto payload = domain::encode(domain::Event(domain::CampaignPaused{"why"}));
  const auto stream = domain::stream_name(campaign_id(1));
  eventstore::RecordedEvent raw;
  raw.position = {3};
  raw.stream = stream;
  raw.type = payload.type;
  raw.payload = payload.payload;
  const auto is_unknown = [](const eventstore::RecordedEvent& r) {
    const auto event = decode(r);
    return std::holds_alternative<domain::UnknownEvent>(event.event) &&
           std::holds_alternative<domain::DirectoryStream>(event.stream) && !event.device &&
           event.position.value == 3;
  };
  CHECK_FALSE(is_unknown(raw));
  auto other_type = raw;
  other_type.type = 999;
  CHECK(is_unknown(other_type));
  auto damaged = raw;
  damaged.payload = std::string_view("\xff\xff\xff", 3);
  CHECK(is_unknown(damaged));
  auto other_stream = raw;
  other_stream.stream = "Zwhat";
  CHECK(is_unknown(other_stream));
  other_stream.stream = "";
  CHECK(is_unknown(other_stream));
}

TEST_CASE("a caller's token is the same number there and back") {
  eventstore::SubjectToken token;
  token.bytes = {0xff, 0, 1, 2, 0x80, 3, 4, 0xee};
  CHECK(to_store(to_domain(token)) == token);
  CHECK(to_domain(eventstore::SubjectToken{}) == domain::Caller{});
}

// ---- polls --------------------------------------------------------------------------------------

domain::Device registered() {
  domain::Device d;
  d.registered = true;
  d.id = device_id(7);
  d.ordinal = {7};
  return d;
}

TEST_CASE("a device with nothing to do is asked for nothing") {
  const auto record = poll_record(registered());
  CHECK(record.ordinal.value == 7);
  CHECK(record.active.value == 0);
  CHECK(record.installed.value == 0);
  CHECK_FALSE(record.deleted);
  CHECK(record.ask_at == domain::Time::max());
  CHECK(record.wants_attributes_from == domain::Time::max());
}

TEST_CASE("a poll record says what is active, installed, wanted and when to ask again") {
  auto d = registered();
  d.deleted = true;
  d.installed_action = domain::ActionId{11};
  d.wants_attributes_from = kBegin;
  auto& active = d.updates[domain::UpdateId::in_campaign(campaign_id(1), {7})];
  active.status = domain::UpdateStatus::kInProgress;
  active.action = {12};
  active.cancelling = true;
  auto& retry = d.updates[domain::UpdateId::in_campaign(campaign_id(2), {7})];
  retry.next_retry_at = kBegin + minutes(9);
  auto record = poll_record(d);
  CHECK(record.deleted);
  CHECK(record.active.value == 12);
  CHECK(record.installed.value == 11);
  CHECK(record.cancelling);
  CHECK(record.wants_attributes_from == kBegin);
  CHECK(record.ask_at == kBegin + minutes(9));
  d.updates[direct_id(1)].requested_at = kBegin + minutes(1);
  CHECK(poll_record(d).ask_at == kBegin + minutes(1));
}

TEST_CASE(
    "a campaign's update that lapsed before its first attempt waits for an offer, not for the "
    "device") {
  auto d = registered();
  d.updates[domain::UpdateId::in_campaign(campaign_id(1), {7})].attempt = 1;
  CHECK(poll_record(d).ask_at == domain::Time::max());
}

TEST_CASE("the poll index finds what was put last, and forgets") {
  PollIndex index;
  CHECK_FALSE(index.find("pump"));
  PollRecord record;
  record.ordinal = {1};
  index.put("pump", record);
  record.ordinal = {2};
  index.put("pump", record);
  index.put("valve", record);
  CHECK(index.find("pump")->ordinal.value == 2);
  CHECK(index.size() == 2);
  index.clear();
  CHECK(index.size() == 0);
  CHECK_FALSE(index.find("valve"));
}

TEST_CASE("a device is at an attempt until it has said how that ended") {
  auto d = registered();
  CHECK_FALSE(underway(d));
  const auto id = domain::UpdateId::in_campaign(campaign_id(1), {7});
  auto& update = d.updates[id];
  update.attempt = 2;
  CHECK_FALSE(underway(d));
  update.status = domain::UpdateStatus::kInProgress;
  update.action = {12};
  const auto found = underway(d);
  REQUIRE(found);
  CHECK(found->action.value == 12);
  CHECK(found->ref.update == id);
  CHECK(found->ref.attempt == 2);
  update.awaits_version = true;
  CHECK_FALSE(underway(d));
}

TEST_CASE("what a device is at is found by its action alone, and gone with the next record that has none") {
  PollIndex index;
  const Underway at{{12}, {domain::UpdateId::in_campaign(campaign_id(1), {7}), 2}};
  index.put("pump", {}, at);
  REQUIRE(index.underway("pump", {12}));
  CHECK(index.underway("pump", {12})->attempt == 2);
  CHECK_FALSE(index.underway("pump", {11}));
  CHECK_FALSE(index.underway("valve", {12}));
  index.put("pump", {}, Underway{{13}, at.ref});
  CHECK_FALSE(index.underway("pump", {12}));
  CHECK(index.underway("pump", {13}));
  index.put("pump", {});
  CHECK_FALSE(index.underway("pump", {13}));
  index.put("pump", {}, at);
  index.clear();
  CHECK_FALSE(index.underway("pump", {12}));
}

// ---- offers -------------------------------------------------------------------------------------

OfferPtr offer(std::uint8_t n, domain::Priority priority, domain::Duration age,
               const domain::Bitmap& hopeful) {
  return std::make_shared<Offer>(campaign_id(n), priority, kBegin - age, hopeful);
}

TEST_CASE("an offer knows who may hope, one by one") {
  const auto o = offer(1, domain::Priority::kNormal, hours(1), set_of({0, 63, 64, 200}));
  for (const std::uint32_t ordinal : {0U, 63U, 64U, 200U}) CHECK(o->is_hopeful(ordinal));
  for (const std::uint32_t ordinal : {1U, 62U, 65U, 199U, 201U, 255U, 256U, 4'000'000'000U}) {
    CHECK_FALSE(o->is_hopeful(ordinal));
  }
  o->set_hopeful(63, false);
  CHECK_FALSE(o->is_hopeful(63));
  CHECK(o->is_hopeful(64));
  o->set_hopeful(100, true);
  CHECK(o->is_hopeful(100));
  o->set_hopeful(4'000'000'000U, true);  // beyond what it was made for: stays no
  CHECK_FALSE(o->is_hopeful(4'000'000'000U));
  CHECK_FALSE(offer(1, domain::Priority::kLow, hours(1), {})->is_hopeful(0));
}

TEST_CASE("a device may hope only where there is room") {
  Offers offers;
  const auto o = offer(1, domain::Priority::kNormal, hours(1), set_of({5}));
  offers.publish(o);
  CHECK_FALSE(offers.any_for({{5}}));
  o->set_room({false, true, false});
  CHECK_FALSE(offers.any_for({{5}}));
  CHECK(o->has_room_for_retries());
  o->set_room({true, false, false});
  CHECK(offers.any_for({{5}}));
  CHECK_FALSE(offers.any_for({{6}}));
  offers.withdraw(campaign_id(1));
  CHECK_FALSE(offers.any_for({{5}}));
}

TEST_CASE("decision 29: an offer for pushed devices alone is none for a device that polls") {
  Offers offers;
  const auto o = offer(1, domain::Priority::kNormal, hours(1), set_of({5}));
  offers.publish(o);
  o->set_room({true, true, true, true, true});
  CHECK_FALSE(offers.any_for({{5}}));
  CHECK_FALSE(offers.any_hope({{5}}));
  CHECK_FALSE(offers.any_asking({{5}}));
  CHECK(offers.any_for({{5}, true}));
  CHECK(offers.any_hope({{5}, true}));
  CHECK(offers.any_asking({{5}, true}));
  CHECK_FALSE(offers.any_for({{6}, true}));
}

TEST_CASE("offers are in the order in which a device tries them, and one per campaign") {
  Offers offers;
  offers.publish(offer(1, domain::Priority::kNormal, hours(1), {}));
  offers.publish(offer(2, domain::Priority::kNormal, hours(2), {}));
  offers.publish(offer(3, domain::Priority::kHigh, hours(0), {}));
  const auto held = offers.all();
  offers.publish(offer(1, domain::Priority::kEmergency, hours(1), {}));
  const auto order = [](const auto& list) {
    std::vector<domain::CampaignId> ids;
    for (const auto& o : *list) ids.push_back(o->campaign());
    return ids;
  };
  CHECK((order(held) == std::vector{campaign_id(3), campaign_id(2), campaign_id(1)}));
  CHECK((order(offers.all()) == std::vector{campaign_id(1), campaign_id(3), campaign_id(2)}));
}

}  // namespace
}  // namespace ota::projections
