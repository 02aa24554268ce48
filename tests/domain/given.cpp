#include "tests/domain/given.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "domain/codec/codec.hpp"

namespace ota::domain::testing {
namespace {

// Where an event of this type is written, unless the test says so.
Stream home_of(const Event& event, const UpdateId& update) {
  const std::string_view name = event_name(event_type(event));
  if (name.starts_with("firmware.")) return kFirmware;
  if (name.starts_with("device.")) return kDevice;
  if (name.starts_with("campaign.")) return kCampaign;
  if (name.starts_with("directory.")) return DirectoryStream{};
  if (name.starts_with("downloads.")) return DownloadsStream{kFirmware};
  return update;
}

// The events of a device and of its updates name the device.
std::optional<DeviceId> device_of(const Stream& stream) {
  if (const auto* device = std::get_if<DeviceId>(&stream)) return *device;
  if (std::holds_alternative<UpdateId>(stream)) return kDevice;
  return std::nullopt;
}

std::string at_line(const std::source_location& where) {
  return fmt::format("{}:{}", where.file_name(), where.line());
}

}  // namespace

Fact in(Stream stream, Fact fact) {
  fact.stream = std::move(stream);
  return fact;
}

Fact at(Time time, Fact fact) {
  fact.time = time;
  return fact;
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

void Outcome::compare(std::initializer_list<Fact> expected) const {
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

void Outcome::then(std::initializer_list<Fact> expected, std::source_location where) const {
  INFO("expected at " << at_line(where));
  compare(expected);
  if (expected.size() == 0) return;
  const auto again = again_(decision_.value());
  CHECK_MESSAGE((!again || again.value().empty()), "decided once more, it writes once more:\n"
                                                       << text_of(again.value()));
}

void Outcome::then_each_time(std::initializer_list<Fact> expected,
                             std::source_location where) const {
  INFO("expected at " << at_line(where));
  compare(expected);
}

void Outcome::then_nothing(std::source_location where) const { then({}, where); }

DomainError Outcome::then_error(ErrorCode code, std::source_location where) const {
  INFO("expected at " << at_line(where));
  if (decision_) FAIL("allowed, with the events:\n" << text_of(decision_.value()));
  CHECK(decision_.error().code == code);
  CHECK_FALSE(decision_.error().message.empty());
  return decision_.error();
}

// One reaction may lead to the next (aborted, then closed): the tests follow that chain themselves.
Outcome Given::own_events() const {
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
