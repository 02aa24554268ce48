#include "gateways/nats/pull_consumer.hpp"

#include <fmt/format.h>

#include <utility>

#include "gateways/nats/handles.hpp"

namespace ota::gateways::nats {
namespace {

constexpr const char* kMessageIdHeader = "Nats-Msg-Id";

void create_if_missing(jsCtx* jetstream, const std::string& stream, const std::string& durable,
                       const std::string& subject) {
  jsErrCode error{};
  jsConsumerInfo* info = nullptr;
  const auto found =
      js_GetConsumerInfo(&info, jetstream, stream.c_str(), durable.c_str(), nullptr, &error);
  const ConsumerInfoHandle owner(info);
  if (found == NATS_OK) return;
  if (found != NATS_NOT_FOUND) fail("look for consumer " + durable, found, error);
  jsConsumerConfig config;
  check(jsConsumerConfig_Init(&config), "describe consumer " + durable);
  config.Durable = durable.c_str();
  config.FilterSubject = subject.c_str();
  config.DeliverPolicy = js_DeliverAll;
  config.AckPolicy = js_AckExplicit;
  config.AckWait = std::chrono::nanoseconds(limits::kAckWait).count();
  config.MaxDeliver = -1;
  check(js_AddConsumer(nullptr, jetstream, stream.c_str(), &config, nullptr, &error),
        fmt::format("create consumer {} of \"{}\" in stream {}", durable, subject, stream), error);
}

}  // namespace

// ---- a message
// ---------------------------------------------------------------------------------------------------

struct Delivery::Impl {
  MessageHandle message;
  MetaDataHandle meta;
};

Delivery::Delivery(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Delivery::Delivery(Delivery&&) noexcept = default;
Delivery::~Delivery() = default;

std::string_view Delivery::body() const {
  auto* message = impl_->message.get();
  return {natsMsg_GetData(message), static_cast<std::size_t>(natsMsg_GetDataLength(message))};
}

std::string_view Delivery::subject() const { return natsMsg_GetSubject(impl_->message.get()); }

std::string_view Delivery::message_id() const {
  const char* value = nullptr;
  const auto status = natsMsgHeader_Get(impl_->message.get(), kMessageIdHeader, &value);
  return status == NATS_OK && value ? value : std::string_view();
}

std::uint64_t Delivery::sequence() const { return impl_->meta->Sequence.Stream; }

domain::Time Delivery::stored_at() const {
  return domain::Time(
      std::chrono::floor<domain::Duration>(std::chrono::nanoseconds(impl_->meta->Timestamp)));
}

void Delivery::acknowledge() {
  jsErrCode error{};
  check(natsMsg_AckSync(impl_->message.get(), nullptr, &error), "acknowledge a message", error);
}

void Delivery::acknowledge_soon() {
  check(natsMsg_Ack(impl_->message.get(), nullptr), "acknowledge a message");
}

void Delivery::redeliver_after(std::chrono::milliseconds delay) {
  check(natsMsg_NakWithDelay(impl_->message.get(), delay.count(), nullptr), "give a message back");
}

// ---- the consumer
// ------------------------------------------------------------------------------------------------

struct PullConsumer::Impl {
  natsConnection* connection = nullptr;
  SubscriptionHandle subscription;
};

PullConsumer::PullConsumer(Connection& connection, const std::string& stream,
                           const std::string& durable, const std::string& subject)
    : impl_(std::make_unique<Impl>()) {
  auto* jetstream = connection.impl_->jetstream.get();
  impl_->connection = connection.impl_->connection.get();
  create_if_missing(jetstream, stream, durable, subject);
  jsSubOptions options;
  check(jsSubOptions_Init(&options), "subscribe to " + subject);
  options.Stream = stream.c_str();
  options.Consumer = durable.c_str();
  jsErrCode error{};
  natsSubscription* subscription = nullptr;
  check(js_PullSubscribe(&subscription, jetstream, subject.c_str(), durable.c_str(), nullptr,
                         &options, &error),
        "subscribe to " + subject, error);
  impl_->subscription.reset(subscription);
}

// Unsubscribe, let what is under way arrive, then destroy: this version of the library can stumble
// over a message for a destroyed subscription. On a closed connection nothing arrives, and these
// errors say nothing new.
PullConsumer::~PullConsumer() {
  natsSubscription_Unsubscribe(impl_->subscription.get());
  natsConnection_FlushTimeout(impl_->connection, limits::kAnswer.count());
}

std::optional<Delivery> PullConsumer::next(std::chrono::milliseconds patience) {
  auto found = next(1, patience);
  if (found.empty()) return std::nullopt;
  return std::move(found.front());
}

std::vector<Delivery> PullConsumer::next(std::size_t most, std::chrono::milliseconds patience) {
  struct List {
    natsMsgList list{};
    ~List() { natsMsgList_Destroy(&list); }
  } fetched;
  jsErrCode error{};
  const auto status = natsSubscription_Fetch(&fetched.list, impl_->subscription.get(),
                                             static_cast<int>(most), patience.count(), &error);
  std::vector<Delivery> deliveries;
  if (status == NATS_TIMEOUT) return deliveries;
  check(status, "fetch a message", error);
  for (int i = 0; i < fetched.list.Count; ++i) {
    auto impl = std::make_unique<Delivery::Impl>();
    impl->message.reset(std::exchange(fetched.list.Msgs[i], nullptr));
    jsMsgMetaData* meta = nullptr;
    check(natsMsg_GetMetaData(&meta, impl->message.get()), "read where a message comes from");
    impl->meta.reset(meta);
    deliveries.emplace_back(std::move(impl));
  }
  return deliveries;
}

}  // namespace ota::gateways::nats
