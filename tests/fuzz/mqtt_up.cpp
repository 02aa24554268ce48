// Feeds: what a device says over MQTT; and the level of a topic, which stands for its id.
//
// Claims: a message is read, or all that is wrong with it is named in text that an answer can hold;
// what is read keeps its bounds, and then everything of device_claims.hpp. A level of a topic stands
// for one text, and a text has one level, without a character that means something in a topic or in
// a subject; who speaks on a subject is whose topic it is.
#include <algorithm>
#include <string>

#include "gateways/mqtt/limits.hpp"
#include "gateways/mqtt/topics.hpp"
#include "gateways/mqtt/up_message.hpp"
#include "http/text.hpp"
#include "tests/fuzz/device_claims.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace ota;
using namespace ota::fuzz;
using namespace ota::gateways::mqtt;

namespace {

void check_message(const Hello& hello) {
  if (!hello.attributes) return;
  check_attributes(*hello.attributes);
  check_said(domain::DeviceCommand(*hello.attributes));
}
void check_message(const AttributesSaid& said) {
  check_attributes(said.change);
  check_said(domain::DeviceCommand(said.change));
}
void check_message(const HealthSaid& said) {
  claim(said.health == "ok" || said.health == "failed", "health is a known word");
}
void check_message(const Bye&) {}
void check_message(const Accepted& said) { claim(said.attempt > 0, "an attempt has its number"); }
void check_message(const Reported& said) {
  claim(said.report.attempt > 0, "an attempt has its number");
  claim(said.report.phase_basis_points.value_or(0) <= 10'000, "progress is a part of the whole");
  check_details(said.report.details);
  auto report = said.report;
  report.attempt = 1;
  check_said(domain::UpdateCommand(report));
}
void check_message(const ConsentAnswered& said) {
  claim(said.answer.attempt > 0, "an attempt has its number");
  check_details(said.answer.details);
  check_said(
      domain::UpdateCommand(domain::AnswerConsent{1, said.answer.agreed, said.answer.details}));
}
void check_message(const CancelAnswered& said) {
  claim(said.answer.attempt > 0, "an attempt has its number");
  check_details(said.answer.details);
  check_said(
      domain::UpdateCommand(domain::AnswerCancel{1, said.answer.accepted, said.answer.details}));
}

void check_heard(const Heard& heard) {
  claim(heard.message.has_value() == heard.faults.empty(), "it is read, or it has faults");
  claim(heard.id.size() <= gateways::mqtt::limits::kIdBytes, "a message's name is bounded");
  claim(http::count_characters(heard.id).has_value(), "and can be answered with");
  claim(heard.faults.named().size() <= gateways::mqtt::limits::kFaults, "an answer lists so many faults and no more");
  for (const auto& fault : heard.faults.named()) {
    claim(!fault.message.empty() && fault.message.size() < 2'000, "a fault is a sentence");
    claim(http::count_characters(fault.message) && http::count_characters(fault.field),
          "an answer can hold it");
  }
  if (heard.message)
    std::visit([](const auto& message) { check_message(message); }, *heard.message);
}

void check_level(std::string_view text) {
  const auto level = encode_level(text);
  claim(level.find_first_of("./+#*> $") == std::string::npos, "a level means nothing else");
  claim(decode_level(level) == text, "a level stands for its text");
  if (const auto decoded = decode_level(text)) {
    claim(encode_level(*decoded) == text, "a text has one level");
  }
  const Topics topics("DE.FAULT");
  for (const auto& subject : {"ota.DE%2EFAULT." + std::string(text) + ".up", std::string(text)}) {
    const auto speaker = topics.speaker(subject);
    if (!speaker) continue;
    claim(domain::is_valid_device_id(speaker->value), "whoever speaks has an id");
    auto topic = topics.up(*speaker);
    std::replace(topic.begin(), topic.end(), '/', '.');
    claim(topic == subject, "who speaks is whose topic it is");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Guarded guarded(text_of(data, size));
  check_heard(read_up(guarded.view()));
  check_level(guarded.view());
  return 0;
}
