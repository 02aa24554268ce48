#include "tests/domain/given.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "domain/codec/codec.hpp"
#include "domain/codec/readable.hpp"

namespace ota::domain::testing {
namespace {

// Where an event of this type is written, unless the test says so.
Stream home_of(const Event& event, const UpdateId& update) {
  const std::string_view name = event_name(event_type(event));
  if (name.starts_with("firmware.")) return kFirmware;
  if (name.starts_with("device.")) return kDevice;
  if (name.starts_with("campaign.")) return kCampaign;
  if (name.starts_with("directory.")) return DirectoryStream{};
  if (name.starts_with("service.")) return ServiceStream{};
  if (name.starts_with("audit.")) return AuditStream{};
  if (name.starts_with("downloads.")) return DownloadsStream{kFirmware};
  return update;
}

// The events of a device and of its updates name the device.
std::optional<DeviceId> device_of(const Stream& stream) {
  if (const auto* device = std::get_if<DeviceId>(&stream)) return *device;
  if (std::holds_alternative<UpdateId>(stream)) return kDevice;
  return std::nullopt;
}

// An aggregate that is named and has no events yet.
template <class State, class Id>
State unborn(const Id& id) {
  State state;
  state.id = id;
  return state;
}

std::string at_line(const std::source_location& where) {
  return fmt::format("{}:{}", where.file_name(), where.line());
}

}  // namespace

template <class Variant>
Variant moved_into(std::size_t index, void* value) {
  return [&]<class... Ts>(std::variant<Ts...>*) {
    using Make = Variant (*)(void*);
    constexpr Make makes[] = {[](void* of) { return Variant(std::in_place_type<Ts>, std::move(*static_cast<Ts*>(of))); }...};
    return makes[index](value);
  }(static_cast<Variant*>(nullptr));
}
template UpdateCommand moved_into<UpdateCommand>(std::size_t index, void* value);
template DeviceCommand moved_into<DeviceCommand>(std::size_t index, void* value);
template FirmwareCommand moved_into<FirmwareCommand>(std::size_t index, void* value);
template CampaignCommand moved_into<CampaignCommand>(std::size_t index, void* value);

Fact in(Stream stream, Fact fact) {
  fact.stream = std::move(stream);
  return fact;
}

Fact at(Time time, Fact fact) {
  fact.time = time;
  return fact;
}

Fact of(std::uint32_t ordinal, Fact fact) {
  return in(UpdateId::in_campaign(kCampaign, {ordinal}), std::move(fact));
}

std::string text_of(const Events& events) {
  std::string text;
  for (const auto& e : events) {
    text += fmt::format("{} {} {}", readable_name(stream_name(e.stream)),
                        event_name(event_type(e.event)), to_json_text(e.event));
    if (e.device) text += " of " + e.device->value;
    text += '\n';
  }
  return text;
}

void DecisionSeen::compare(std::initializer_list<Fact> expected) const {
  if (!decision_) FAIL("refused: " << decision_.error().message);
  Events events;
  for (const auto& fact : expected) {
    const Stream stream = fact.stream.value_or(home_of(fact.event, update_));
    events.push_back({stream, fact.event, device_of(stream)});
  }
  // By value: as text, equal maps may differ in order.
  const auto same = [](const Emitted& a, const Emitted& b) {
    return a.stream == b.stream && a.event == b.event && a.device == b.device;
  };
  const bool as_expected = std::equal(decision_.value().begin(), decision_.value().end(),
                                      events.begin(), events.end(), same);
  CHECK_MESSAGE(as_expected, "decided:\n"
                                 << text_of(decision_.value()) << "expected:\n"
                                 << text_of(events));
}

void DecisionSeen::then(std::initializer_list<Fact> expected, std::source_location where) const {
  INFO("expected at " << at_line(where));
  compare(expected);
  if (expected.size() == 0) return;
  const auto again = again_(decision_.value());
  CHECK_MESSAGE((!again || again.value().empty()), "decided once more, it writes once more:\n"
                                                       << text_of(again.value()));
}

void DecisionSeen::then_each_time(std::initializer_list<Fact> expected,
                             std::source_location where) const {
  INFO("expected at " << at_line(where));
  compare(expected);
}

void DecisionSeen::then_nothing(std::source_location where) const { then({}, where); }

DomainError DecisionSeen::then_error(ErrorCode code, std::source_location where) const {
  INFO("expected at " << at_line(where));
  if (decision_) FAIL("allowed, with the events:\n" << text_of(decision_.value()));
  CHECK(decision_.error().code == code);
  CHECK_FALSE(decision_.error().message.empty());
  return decision_.error();
}

// ---- what was decided, and what is folded ----------------------------------------------------------------------------

DecisionSeen::DecisionSeen(Decision decision, UpdateId update, Again again)
    : decision_(std::move(decision)), update_(update), again_(std::move(again)) {}
DecisionSeen::DecisionSeen(const DecisionSeen& other) = default;
DecisionSeen::DecisionSeen(DecisionSeen&& other) noexcept = default;
DecisionSeen::~DecisionSeen() = default;

Given::Given(std::vector<Fact> facts) : facts_(std::move(facts)) {}
Given::Given(const Given& other) = default;
Given::Given(Given&& other) noexcept = default;
Given& Given::operator=(const Given& other) = default;
Given& Given::operator=(Given&& other) noexcept = default;
Given::~Given() = default;
Given given(std::initializer_list<Fact> facts) { return Given(facts); }
Given given(std::vector<Fact> facts) { return Given(std::move(facts)); }

void Given::fold(DeviceUpdate& s, const Recorded& r) const { evolve(s, r); }
void Given::fold(Device& s, const Recorded& r) const { evolve(s, r, settings_); }
void Given::fold(Firmware& s, const Recorded& r) const { evolve(s, r); }
void Given::fold(Campaign& s, const Recorded& r) const { evolve(s, r); }

template <class State>
State Given::folded(State state) const {
  for (const auto& r : recorded()) fold(state, r);
  return state;
}
DeviceUpdate Given::update() const { return folded(unborn<DeviceUpdate>(update_)); }
Device Given::device() const { return folded(unborn<Device>(kDevice)); }
Firmware Given::firmware() const { return folded(Firmware{}); }
Campaign Given::campaign() const { return folded(unborn<Campaign>(kCampaign)); }

template <class State, class Command>
DecisionSeen Given::decided_by(State state, Command command) const {
  return {decide(state, command, context()), update_, [given = *this, state, command](const Events& events) {
            State later = state;
            for (const auto& e : events) given.fold(later, given.committed(e, later.position));
            return decide(later, command, given.context());
          }};
}
DecisionSeen Given::decided(UpdateCommand command) const { return decided_by(update(), std::move(command)); }
DecisionSeen Given::decided(DeviceCommand command) const { return decided_by(device(), std::move(command)); }
DecisionSeen Given::decided(FirmwareCommand command) const { return decided_by(firmware(), std::move(command)); }
DecisionSeen Given::decided(CampaignCommand command) const { return decided_by(campaign(), std::move(command)); }

Recorded Given::committed(const Emitted& emitted, Position after) const {
  return {{after.value + 1}, now_, emitted.stream, emitted.event, emitted.device, Caller{42}};
}

DueSeen Given::due(const Bitmap& told, std::size_t tells_max) const {
  return DueSeen(next(campaign(), told, tells_max, now_));
}

// One reaction may lead to the next (aborted, then closed): the tests follow that chain themselves.
DecisionSeen Given::own_events() const {
  return {next(campaign(), {}, 0, now_).own, update_,
          [](const Events&) { return Decision(Events{}); }};
}

std::vector<Recorded> Given::recorded() const {
  std::vector<Recorded> list;
  std::uint64_t position = 0;
  for (const auto& fact : facts_) {
    ++position;
    const Stream stream = fact.stream.value_or(home_of(fact.event, update_));
    const Time time = fact.time.value_or(kBefore + seconds(position));
    list.push_back({{position}, time, stream, fact.event, device_of(stream), Caller{7}});
  }
  return list;
}

DueSeen::DueSeen(Due due) : Due(std::move(due)) {
  for (const auto& tell : tells) {
    if (const auto* cancel = std::get_if<CancelUpdate>(&tell.command)) {
      cancels.push_back({tell.update, cancel->reach, cancel->cause});
    } else if (std::holds_alternative<ReleaseHold>(tell.command)) {
      releases.push_back(tell.update);
    }
  }
}

}  // namespace ota::domain::testing
