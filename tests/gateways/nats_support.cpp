#include "tests/gateways/nats_support.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <condition_variable>
#include <fstream>
#include <future>
#include <mutex>

#include "domain/codec/codec.hpp"
#include "projections/decoded.hpp"

namespace ota::gateways::testing {
namespace {

namespace fs = std::filesystem;

int free_port() {
  const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  REQUIRE(::bind(listener, reinterpret_cast<sockaddr*>(&address), size) == 0);
  REQUIRE(::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size) == 0);
  ::close(listener);
  return ntohs(address.sin_port);
}

// Reads what the server says until it says that it is ready; false: it has ended before.
bool wait_until_ready(int output, std::string& said) {
  char bytes[512];
  while (said.find("Server is ready") == std::string::npos) {
    const auto count = ::read(output, bytes, sizeof bytes);
    if (count <= 0) return false;
    said.append(bytes, static_cast<std::size_t>(count));
  }
  return true;
}

}  // namespace

TempFolder::TempFolder() {
  std::string pattern = (fs::temp_directory_path() / "ota-bus-XXXXXX").string();
  REQUIRE(::mkdtemp(pattern.data()) != nullptr);
  path_ = pattern;
}
TempFolder::~TempFolder() { fs::remove_all(path_); }

// ---- the server
// --------------------------------------------------------------------------------------------------

NatsServer::NatsServer() : port_(free_port()) { start(); }
NatsServer::NatsServer(const std::string& users) : port_(free_port()), mqtt_port_(free_port()) {
  std::ofstream(folder_.path() / "server.conf")
      << "server_name: test\nmqtt {\n  listen: \"127.0.0.1:" << mqtt_port_
      << "\"\n}\naccounts {\n  TEST {\n    jetstream: enabled\n    users: [\n" << users << "    ]\n  }\n}\n";
  start();
}
NatsServer::~NatsServer() { kill(); }

std::string NatsServer::url() const { return fmt::format("nats://127.0.0.1:{}", port_); }

void NatsServer::start() {
  int ends[2];
  REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
  const auto port = std::to_string(port_);
  const auto store = (folder_.path() / "jetstream").string();
  const auto config = (folder_.path() / "server.conf").string();
  std::vector<const char*> arguments{"nats-server", "-js", "-a", "127.0.0.1", "-p", port.c_str(), "-sd", store.c_str()};
  if (mqtt_port_ != 0) arguments.insert(arguments.end(), {"-c", config.c_str()});
  arguments.push_back(nullptr);
  process_ = ::fork();
  REQUIRE(process_ >= 0);
  if (process_ == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);  // a test that crashes leaves no server behind
    ::dup2(ends[1], STDOUT_FILENO);
    ::dup2(ends[1], STDERR_FILENO);
    ::execvp(arguments[0], const_cast<char* const*>(arguments.data()));
    ::_exit(127);
  }
  ::close(ends[1]);
  output_ = ends[0];  // stays open: the server would die of a closed one
  std::string said;
  const bool ready = wait_until_ready(output_, said);
  REQUIRE_MESSAGE(ready, "nats-server did not start: ", said);
}

void NatsServer::kill() {
  if (process_ < 0) return;
  ::kill(process_, SIGKILL);
  ::waitpid(process_, nullptr, 0);
  ::close(output_);
  process_ = -1;
}

void NatsServer::forget() { fs::remove_all(folder_.path() / "jetstream"); }

// ---- the reader
// --------------------------------------------------------------------------------------------------

namespace {

constexpr const char* kStream = "ota_service-stream";
constexpr const char* kEnd = "ota_service.test.end";

// Readers may come before the service: they see the same stream as everybody.
nats::Connection& with_stream(nats::Connection& connection) {
  connection.create_stream_if_missing(kStream, "ota_service.>");
  return connection;
}

}  // namespace

BusReader::BusReader(const NatsServer& server, const std::string& name)
    : connection_(server.url(), name),
      consumer_(with_stream(connection_), kStream, name, "ota_service.>") {}

Seen BusReader::next() {
  const auto until = std::chrono::steady_clock::now() + kDeadline;
  while (std::chrono::steady_clock::now() < until) {
    auto delivery =
        consumer_.next(std::chrono::duration_cast<std::chrono::milliseconds>(kDeadline));
    if (!delivery) continue;
    Seen seen{std::string(delivery->subject()), std::string(delivery->message_id()),
              nlohmann::ordered_json::parse(delivery->body())};
    delivery->acknowledge();
    return seen;
  }
  FAIL("no message came before the deadline");
  return {};
}

std::vector<Seen> BusReader::next(std::size_t count) {
  std::vector<Seen> all;
  for (std::size_t i = 0; i < count; ++i) all.push_back(next());
  return all;
}

void BusReader::check_no_more() {
  static int number = 0;
  nats::Message end;
  end.id = fmt::format("end-{}-{}", ::getpid(), ++number);
  end.subject = kEnd;
  end.body = "{}";
  connection_.publish(kStream, end);
  CHECK(next().message_id == end.id);
}

void publish(const NatsServer& server, const std::string& stream, const std::string& subject,
             const std::string& body, const std::string& id) {
  nats::Message message;
  message.id = id;
  message.subject = subject;
  message.body = body;
  // A server that has just started answers for a moment that nobody keeps the stream yet.
  wait_for([&] {
    try {
      nats::Connection connection(server.url(), "other service");
      connection.create_stream_if_missing(stream, subject.substr(0, subject.find('.')) + ".>");
      connection.publish(stream, message);
      return true;
    } catch (const std::exception&) {
      return false;
    }
  });
}

void wait_for(const std::function<bool()>& condition) {
  std::mutex mutex;
  std::condition_variable never;
  std::unique_lock lock(mutex);
  const auto until = std::chrono::steady_clock::now() + kDeadline;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > until)
      FAIL("a condition did not come true before the deadline");
    never.wait_for(lock, std::chrono::milliseconds(2));
  }
}

// ---- the log
// -----------------------------------------------------------------------------------------------------

LogFixture::LogFixture(std::vector<eventstore::Tail*> tails)
    : log(eventstore::Log::open(folder.path() / "log")),
      subjects(eventstore::Subjects::open(folder.path() / "subjects")),
      journal(std::make_unique<eventstore::Journal>(log, std::move(tails),
                                                    eventstore::Journal::Options{})) {}

eventstore::Committed LogFixture::commit(const std::vector<domain::Emitted>& events,
                                         const std::string& person,
                                         const std::string& correlation) {
  eventstore::Append append;
  for (const auto& emitted : events) {
    const auto encoded = domain::encode(emitted.event);
    eventstore::NewEvent event;
    event.stream = domain::stream_name(emitted.stream);
    event.type = encoded.type;
    event.tags = domain::tags_of(emitted);
    event.payload = encoded.payload;
    event.origin.caller = subjects->token_for(person);
    event.origin.correlation = correlation;
    append.events.push_back(std::move(event));
  }
  std::promise<eventstore::Committed> committed;
  journal->append(std::move(append), [&](const eventstore::AppendOutcome& outcome) {
    committed.set_value(std::get<eventstore::Committed>(outcome));
  });
  return committed.get_future().get();
}

// ---- the story
// ---------------------------------------------------------------------------------------------------

domain::FirmwareId firmware_id() {
  domain::FirmwareId id;
  id.bytes.fill(0xf1);
  return id;
}
domain::CampaignId campaign_id(std::uint8_t number) {
  domain::CampaignId id;
  id.bytes.fill(0xc0);
  id.bytes.back() = number;
  return id;
}
domain::UpdateId update_id(std::uint32_t ordinal) {
  return domain::UpdateId::in_campaign(campaign_id(), domain::Ordinal{ordinal});
}

domain::FirmwareRegistered firmware_record() {
  domain::FirmwareRegistered record;
  record.id = firmware_id();
  record.name = "Smart Frame Firmware";
  record.facts.version = "2.1.0";
  record.facts.device_model = "SF-100";
  record.facts.number = 1;
  record.facts.file_size = 52'428'800;
  return record;
}

domain::CampaignCreated campaign_record(const std::string& name) {
  domain::CampaignCreated record;
  record.name = name;
  record.firmware = firmware_id();
  record.firmware_name = firmware_record().name;
  record.facts = firmware_record().facts;
  record.policy.priority = domain::Priority::kHigh;
  record.target_device_count = 500;
  return record;
}

domain::AttemptGranted grant(std::uint32_t attempt) {
  domain::AttemptGranted granted;
  granted.attempt = attempt;
  if (attempt == 1) {
    domain::UpdatePlan plan;
    plan.firmware = firmware_id();
    plan.to_version = "2.1.0";
    granted.plan = plan;
  }
  return granted;
}

}  // namespace ota::gateways::testing
