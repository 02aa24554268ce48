#include "gateways/mqtt/up_message.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "gateways/mqtt/limits.hpp"

using namespace ota;
using namespace ota::gateways::mqtt;
using domain::UpdateStatus;
using Kind = domain::Report::Kind;

namespace {

const std::string kUpdate = "upd_0123456789abcdef0123456789abcdef";

std::string status(const std::string& word, const std::string& more = "") {
  return fmt::format(R"({{"type":"status","update_id":"{}","attempt":3,"status":"{}"{}}})", kUpdate, word, more);
}

template <class Message>
Message read(const std::string& body) {
  const auto heard = read_up(body);
  for (const auto& fault : heard.faults.named()) MESSAGE(fault.field, ": ", fault.message);
  REQUIRE(heard.message.has_value());
  REQUIRE(std::holds_alternative<Message>(*heard.message));
  return std::get<Message>(*heard.message);
}

// "field: message" of each fault.
std::vector<std::string> faults(const std::string& body) {
  const auto heard = read_up(body);
  CHECK(heard.message.has_value() == heard.faults.empty());
  std::vector<std::string> lines;
  for (const auto& fault : heard.faults.named()) lines.push_back(fault.field + ": " + fault.message);
  return lines;
}
bool contains(const std::vector<std::string>& lines, const std::string& part) {
  for (const auto& line : lines) {
    if (line.find(part) != line.npos) return true;
  }
  return false;
}

}  // namespace

TEST_CASE("a hello, with and without what the device is") {
  CHECK_FALSE(read<Hello>(R"({"type":"hello"})").attributes.has_value());
  CHECK_FALSE(read<Hello>(R"({"type":"hello","attributes":{}})").attributes.has_value());
  const auto hello = read<Hello>(R"({"type":"hello","attributes":{"device_model":"SF","uptime":12,"gone":null},"newer":[1]})");
  REQUIRE(hello.attributes.has_value());
  CHECK(hello.attributes->by_device);
  CHECK(hello.attributes->values == domain::Attributes{{"device_model", "SF"}, {"uptime", "12"}});
  CHECK(hello.attributes->removed == std::vector<std::string>{"gone"});
}

TEST_CASE("attributes are merged, replaced or removed") {
  using Mode = domain::ChangeAttributes::Mode;
  CHECK(read<AttributesSaid>(R"({"type":"attributes","data":{"a":"1"}})").change.mode == Mode::kMerge);
  CHECK(read<AttributesSaid>(R"({"type":"attributes","data":{"a":"1"},"mode":"replace"})").change.mode == Mode::kReplace);
  const auto removed = read<AttributesSaid>(R"({"type":"attributes","data":{"a":"1"},"mode":"remove"})").change;
  CHECK(removed.mode == Mode::kRemove);
  CHECK(removed.removed == std::vector<std::string>{"a"});
}

TEST_CASE("every word about an attempt becomes the command that it is") {
  CHECK(read<Accepted>(status("accepted")).attempt == 3);
  for (const auto phase : {UpdateStatus::kDownloading, UpdateStatus::kVerifying, UpdateStatus::kInstalling, UpdateStatus::kRebooting}) {
    const auto said = read<Reported>(status(std::string(domain::to_text(phase)), R"(,"progress":42.5)"));
    CHECK(said.report.kind == Kind::kProgress);
    CHECK(said.report.phase == phase);
    CHECK(said.report.phase_basis_points == 4'250);
    CHECK(said.report.attempt == 3);
    CHECK(domain::to_text(said.update) == kUpdate);
  }
  CHECK(read<Reported>(status("completed")).report.kind == Kind::kSuccess);
  CHECK(read<Reported>(status("declined")).report.kind == Kind::kDeclined);
  CHECK(read<ConsentAnswered>(status("confirmed")).answer.agreed);
  CHECK_FALSE(read<ConsentAnswered>(status("denied")).answer.agreed);
  CHECK(read<CancelAnswered>(status("cancelled")).answer.accepted);
  CHECK_FALSE(read<CancelAnswered>(status("cancel_refused")).answer.accepted);
}

TEST_CASE("a failure says what and whose, if the device says so") {
  const auto said = read<Reported>(status("failed", R"(,"error_kind":"transport","error_code":"E7","error_message":"no route","code":-7,
      "details":["a","b"],"signature_verified":false,"checksum_verified":true,"download_speed":125000)"));
  CHECK(said.names_kind);
  CHECK(said.report.kind == Kind::kFailure);
  CHECK(said.report.failure == domain::FailureKind::kTransport);
  CHECK(said.report.error_code == "E7");
  CHECK(said.report.error_message == "no route");
  CHECK(said.report.code == -7);
  CHECK(said.report.details == std::vector<std::string>{"a", "b"});
  CHECK(said.report.signature_verified == false);
  CHECK(said.report.checksum_verified == true);
  CHECK(said.report.bytes_per_second == 125'000);
  const auto silent = read<Reported>(status("failed"));
  CHECK_FALSE(silent.names_kind);
  CHECK(silent.report.failure == domain::FailureKind::kDevice);
}

TEST_CASE("health, goodbye, and the name of a message") {
  CHECK(read<HealthSaid>(R"({"type":"health","health":"failed"})").health == "failed");
  read<Bye>(R"({"type":"bye"})");
  CHECK(read_up(R"({"type":"bye","id":"m-1"})").id == "m-1");
  CHECK(read_up(R"({"type":"nonsense","id":"m-1"})").id == "m-1");
}

TEST_CASE("of the details the last lines are kept: they say why") {
  std::string lines;
  for (int i = 0; i < 60; ++i) lines += fmt::format("{}\"{}\"", i ? "," : "", i);
  const auto details = read<Reported>(status("failed", ",\"details\":[" + lines + "]")).report.details;
  CHECK(details.size() == 50);
  CHECK(details.front() == "10");
  CHECK(details.back() == "59");
}

TEST_CASE("whatever is wrong is named with its value, all of it at once") {
  const auto many = faults(R"({"type":"status","update_id":"upd_7","attempt":0,"status":"sleeping","progress":101,"details":[7]})");
  CHECK(contains(many, "update_id: \"upd_7\" is no id of an update"));
  CHECK(contains(many, "attempt: a whole number from 1 to 4294967295 is wanted, got 0"));
  CHECK(contains(many, "status: \"sleeping\" is none of accepted, downloading"));
  CHECK(contains(many, "progress: a number from 0 to 100 is wanted, got 101"));
  CHECK(contains(many, "details.0: a text is wanted, got 7"));

  const std::pair<std::string, const char*> single[]{
      {"", "not JSON"},
      {"{", "not JSON"},
      {"\xFF\xFE", "not JSON"},
      {"[]", "an object is wanted, got []"},
      {"{}", "type: field required: one of hello"},
      {R"({"type":7})", "type: 7 is none of hello"},
      {R"({"type":"hello","attributes":[]})", "attributes: an object of texts is wanted, got []"},
      {R"({"type":"hello","attributes":{"a":"ü"}})", "attributes.a: the value \"ü\" is not at most 128"},
      {R"({"type":"hello","attributes":{"":"x"}})", "the key \"\" is not 1-128"},
      {R"({"type":"attributes"})", "data: field required"},
      {R"({"type":"attributes","data":{},"mode":"mix"})", "mode: \"mix\" is none of merge, replace, remove"},
      {R"({"type":"health"})", "health: field required: one of ok, failed"},
      {R"({"type":"health","health":"so so"})", "health: \"so so\" is none of ok, failed"},
      {R"({"type":"status","attempt":1,"status":"accepted"})", "update_id: field required"},
      {R"({"type":"status","update_id":"upd_0123456789abcdef0123456789abcdef","status":"accepted"})", "attempt: field required"},
      {status("failed", R"(,"code":99999999999)"), "code: a whole number from -2147483648"},
      {status("failed", R"(,"code":18446744073709551615)"), "code: a whole number from"},
      {status("failed", R"(,"error_kind":"timeout")"), "error_kind: \"timeout\" is none of device, transport, service"},
      {status("downloading", R"(,"progress":"7")"), "progress: a number from 0 to 100 is wanted, got \"7\""},
      {status("downloading", R"(,"checksum_verified":1)"), "checksum_verified: true or false is wanted, got 1"},
      {R"({"type":"bye","id":7})", "id: a text is wanted, got 7"},
  };
  for (const auto& [body, part] : single) {
    CAPTURE(body);
    CAPTURE(part);
    CHECK(contains(faults(body), part));
  }
}

TEST_CASE("what is too large or too deep is not read at all") {
  const auto large = R"({"type":"hello","x":")" + std::string(ota::gateways::mqtt::limits::kBodyBytes, 'x') + "\"}";
  CHECK(contains(faults(large), "at most 65536 bytes"));
  CHECK(contains(faults(R"({"type":"hello","x":)" + std::string(20'000, '[') + std::string(20'000, ']') + "}"), "nested at most"));
  CHECK(contains(faults(std::string(60'000, '[')), "nested at most"));
}
