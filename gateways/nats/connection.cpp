#include "gateways/nats/connection.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <vector>

#include "gateways/nats/handles.hpp"

namespace ota::gateways::nats {
namespace {

std::vector<std::string> split_at_commas(const std::string& text) {
  std::vector<std::string> parts;
  for (std::size_t from = 0; from <= text.size();) {
    const auto comma = std::min(text.find(',', from), text.size());
    if (comma > from) parts.push_back(text.substr(from, comma - from));
    from = comma + 1;
  }
  return parts;
}

// On a thread of the library. Without a handler the library prints to stderr, where only JSON lines
// belong.
void log_error(natsConnection*, natsSubscription*, natsStatus status, void*) {
  spdlog::warn("bus: {}", natsStatus_GetText(status));
}

OptionsHandle make_options(const std::string& urls, const std::string& name, const std::string& ca_file) {
  natsOptions* created = nullptr;
  check(natsOptions_Create(&created), "prepare a connection to the bus");
  OptionsHandle options(created);
  const auto servers = split_at_commas(urls);
  std::vector<const char*> texts;
  for (const auto& server : servers) texts.push_back(server.c_str());
  check(natsOptions_SetServers(created, texts.data(), static_cast<int>(texts.size())),
        "use nats.url");
  check(natsOptions_SetName(created, name.c_str()), "name the connection");
  // To the library "tls://" is a name like any other: it would speak in the clear to a server that does.
  if (std::any_of(servers.begin(), servers.end(), [](const auto& server) { return server.starts_with("tls://"); })) {
    if (!ca_file.empty()) {
      check(natsOptions_LoadCATrustedCertificates(created, ca_file.c_str()), "use nats.ca_file " + ca_file);
    }
    check(natsOptions_SetSecure(created, true), "use TLS");
  }
  check(natsOptions_SetTimeout(created, limits::kConnect.count()), "set the time to connect");
  check(natsOptions_SetAllowReconnect(created, false), "forbid reconnecting");
  check(natsOptions_SetPingInterval(created, limits::kPing.count()), "set the ping interval");
  check(natsOptions_SetMaxPingsOut(created, limits::kPingsUnanswered), "set the pings");
  check(natsOptions_SetErrorHandler(created, log_error, nullptr), "set the error handler");
  return options;
}

}  // namespace

void fail(std::string_view what, natsStatus status, int js_error) {
  natsStatus last = NATS_OK;
  const char* detail = nats_GetLastError(&last);
  std::string_view words =
      last == status && detail && *detail ? detail : natsStatus_GetText(status);
  // "(conn.c:2088): ..." is for the library's authors.
  if (const auto end = words.find("): "); words.starts_with('(') && end != words.npos)
    words.remove_prefix(end + 3);
  auto text = fmt::format("Cannot {}: {}", what, words);
  if (js_error != 0) text += fmt::format(" (JetStream error {})", js_error);
  throw BusError(text);
}

Connection::Connection(const std::string& urls, const std::string& name, const std::string& ca_file)
    : impl_(std::make_unique<Impl>()) {
  const auto options = make_options(urls, name, ca_file);
  natsConnection* connection = nullptr;
  check(natsConnection_Connect(&connection, options.get()), "connect to the bus");
  impl_->connection.reset(connection);
  jsOptions js_options;
  check(jsOptions_Init(&js_options), "prepare JetStream");
  js_options.Wait = limits::kAnswer.count();
  jsCtx* jetstream = nullptr;
  check(natsConnection_JetStream(&jetstream, connection, &js_options), "use JetStream");
  impl_->jetstream.reset(jetstream);
}

Connection::~Connection() { close(); }

void Connection::close() noexcept { natsConnection_Close(impl_->connection.get()); }

bool Connection::is_open() const noexcept {
  return !natsConnection_IsClosed(impl_->connection.get());
}

void Connection::create_stream_if_missing(const std::string& stream, const std::string& subjects,
                                          StreamLimits limits) {
  jsErrCode error{};
  jsStreamInfo* info = nullptr;
  const auto found =
      js_GetStreamInfo(&info, impl_->jetstream.get(), stream.c_str(), nullptr, &error);
  const StreamInfoHandle owner(info);
  if (found == NATS_OK) return;
  if (found != NATS_NOT_FOUND) fail("look for stream " + stream, found, error);
  jsStreamConfig config;
  check(jsStreamConfig_Init(&config), "describe stream " + stream);
  const char* subject = subjects.c_str();
  config.Name = stream.c_str();
  config.Subjects = &subject;
  config.SubjectsLen = 1;
  config.Storage = js_FileStorage;
  if (limits.age.count() > 0) config.MaxAge = std::chrono::nanoseconds(limits.age).count();
  if (limits.bytes > 0) config.MaxBytes = limits.bytes;
  if (limits.messages_of_subject > 0) config.MaxMsgsPerSubject = limits.messages_of_subject;
  check(js_AddStream(nullptr, impl_->jetstream.get(), &config, nullptr, &error),
        "create stream " + stream, error);
}

namespace {

StreamInfoHandle info_of(jsCtx* jetstream, const std::string& stream) {
  jsErrCode error{};
  jsStreamInfo* info = nullptr;
  check(js_GetStreamInfo(&info, jetstream, stream.c_str(), nullptr, &error), "look at stream " + stream, error);
  return StreamInfoHandle(info);
}

}  // namespace

void Connection::bound_subjects(const std::string& stream, std::int64_t messages_max) {
  const auto info = info_of(impl_->jetstream.get(), stream);
  if (info->Config->MaxMsgsPerSubject > 0) return;
  info->Config->MaxMsgsPerSubject = messages_max;
  jsErrCode error{};
  check(js_UpdateStream(nullptr, impl_->jetstream.get(), info->Config, nullptr, &error),
        "bound what stream " + stream + " keeps of each subject", error);
}

std::int64_t Connection::messages_of_subject_max(const std::string& stream) {
  return std::max<std::int64_t>(info_of(impl_->jetstream.get(), stream)->Config->MaxMsgsPerSubject, 0);
}

std::vector<std::string> Connection::streams_of(const std::string& subject) {
  jsOptions options;
  check(jsOptions_Init(&options), "look for a stream");
  options.Wait = limits::kAnswer.count();
  options.Stream.Info.SubjectsFilter = subject.c_str();
  jsErrCode error{};
  jsStreamNamesList* names = nullptr;
  const auto status = js_StreamNames(&names, impl_->jetstream.get(), &options, &error);
  const StreamNamesHandle owner(names);
  if (status == NATS_NOT_FOUND) return {};
  check(status, "look for the stream of " + subject, error);
  return {names->List, names->List + names->Count};
}

void Connection::publish(const std::string& stream, const Message& message) {
  natsMsg* created = nullptr;
  const auto what = "publish to " + message.subject;
  check(natsMsg_Create(&created, message.subject.c_str(), nullptr, message.body.data(),
                       static_cast<int>(message.body.size())),
        what);
  const MessageHandle out(created);
  jsPubOptions options;
  check(jsPubOptions_Init(&options), what);
  options.MaxWait = limits::kAnswer.count();
  options.MsgId = message.id.c_str();
  options.ExpectStream = stream.c_str();
  jsErrCode error{};
  check(js_PublishMsg(nullptr, impl_->jetstream.get(), created, &options, &error), what, error);
}

std::optional<std::string> Connection::newest_body(const std::string& stream,
                                                   const std::string& subjects) {
  jsErrCode error{};
  natsMsg* found = nullptr;
  const auto status = js_GetLastMsg(&found, impl_->jetstream.get(), stream.c_str(),
                                    subjects.c_str(), nullptr, &error);
  const MessageHandle owner(found);
  if (status == NATS_NOT_FOUND) return std::nullopt;
  check(status, "read the newest message of " + stream, error);
  return std::string(natsMsg_GetData(found),
                     static_cast<std::size_t>(natsMsg_GetDataLength(found)));
}

}  // namespace ota::gateways::nats
