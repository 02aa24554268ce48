#include "gateways/nats/pull_consumer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "gateways/nats/handles.hpp"

namespace ota::gateways::nats {
namespace {

constexpr const char* kMessageIdHeader = "Nats-Msg-Id";

// What was given back for later counts, too: with as many as the server has by itself, one sender whose messages cannot be
// carried out for a while would have kept all others unheard.
constexpr std::int64_t kUnacknowledgedMax = 65'536;

// A durable consumer at the server.
struct Durable {
  jsCtx* jetstream;
  std::string stream;
  std::string name;
  std::string subject;

  // nullptr: there is none.
  ConsumerInfoHandle look() const {
    jsErrCode error{};
    jsConsumerInfo* info = nullptr;
    const auto found = js_GetConsumerInfo(&info, jetstream, stream.c_str(), name.c_str(), nullptr, &error);
    ConsumerInfoHandle owner(info);
    if (found != NATS_OK && found != NATS_NOT_FOUND) fail("look for consumer " + name, found, error);
    return owner;
  }

  // From the stream's oldest message on, or, if `first` is not 0, from that one.
  void create(std::uint64_t first = 0) const {
    jsConsumerConfig config;
    check(jsConsumerConfig_Init(&config), "describe consumer " + name);
    config.Durable = name.c_str();
    config.FilterSubject = subject.c_str();
    config.DeliverPolicy = first == 0 ? js_DeliverAll : js_DeliverByStartSequence;
    config.OptStartSeq = first;
    config.AckPolicy = js_AckExplicit;
    config.AckWait = std::chrono::nanoseconds(limits::kAckWait).count();
    config.MaxDeliver = -1;
    config.MaxAckPending = kUnacknowledgedMax;
    jsErrCode error{};
    check(js_AddConsumer(nullptr, jetstream, stream.c_str(), &config, nullptr, &error),
          fmt::format("create consumer {} of \"{}\" in stream {}", name, subject, stream), error);
  }

  // The stream is another one, which begins anew, if it does not reach as far.
  bool reaches(std::uint64_t sequence) const {
    jsErrCode error{};
    jsStreamInfo* info = nullptr;
    check(js_GetStreamInfo(&info, jetstream, stream.c_str(), nullptr, &error), "look at stream " + stream, error);
    const StreamInfoHandle owner(info);
    return info->State.LastSeq + 1 >= sequence;
  }

  void remove() const {
    jsErrCode error{};
    const auto done = js_DeleteConsumer(jetstream, stream.c_str(), name.c_str(), nullptr, &error);
    if (done != NATS_OK && done != NATS_NOT_FOUND) fail("delete consumer " + name, done, error);
  }
};

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

bool Delivery::came_before() const { return impl_->meta->NumDelivered > 1; }

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
  Durable durable;
  natsConnection* connection = nullptr;
  SubscriptionHandle subscription;
  std::string ask_subject;
  std::chrono::milliseconds silence_max;
  std::uint64_t* first = nullptr;
  std::chrono::steady_clock::duration silence{};  // of the server, while it was waited for
  std::int64_t heard = 0;                         // from the server, words that are no messages among them

  // Something lies here already, of an earlier request.
  bool has_arrived() const {
    int messages = 0;
    int bytes = 0;
    check(natsSubscription_GetPending(subscription.get(), &messages, &bytes), "see what has come");
    return messages > 0;
  }
  void ask_for(std::size_t most) const {
    const auto request = fmt::format(R"({{"batch":{},"no_wait":true}})", most);
    check(natsConnection_PublishRequest(connection, ask_subject.c_str(),
                                        natsSubscription_GetSubject(subscription.get()),
                                        request.data(), static_cast<int>(request.size())),
          "ask for messages");
  }
  std::optional<Delivery> fetch_one(std::chrono::milliseconds patience);
  void waited(std::chrono::steady_clock::duration time);
};

PullConsumer::PullConsumer(Connection& connection, const std::string& stream,
                           const std::string& durable, const std::string& subject,
                           std::chrono::milliseconds silence, std::uint64_t* first)
    : impl_(std::make_unique<Impl>()) {
  auto* jetstream = connection.impl_->jetstream.get();
  impl_->durable = {jetstream, stream, durable, subject};
  impl_->connection = connection.impl_->connection.get();
  impl_->ask_subject = fmt::format("$JS.API.CONSUMER.MSG.NEXT.{}.{}", stream, durable);
  impl_->silence_max = silence;
  impl_->first = first;
  if (!impl_->durable.look()) {
    const auto begin = first ? *first : 0;
    impl_->durable.create(begin != 0 && impl_->durable.reaches(begin) ? begin : 0);
  }
  if (first) *first = 0;
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

void PullConsumer::Impl::waited(std::chrono::steady_clock::duration time) {
  std::int64_t now_heard = 0;
  check(natsSubscription_GetDelivered(subscription.get(), &now_heard), "see what was heard");
  silence = std::exchange(heard, now_heard) == now_heard ? silence + time : std::chrono::steady_clock::duration{};
  if (silence < silence_max) return;
  // Whatever acknowledgement is lost with the old one, its message comes again.
  std::uint64_t begin = 0;
  if (const auto info = durable.look()) begin = info->AckFloor.Stream + 1;
  if (first) *first = begin;
  durable.remove();
  durable.create(begin);
  if (first) *first = 0;
  throw BusError(fmt::format("the server has not answered a request for messages of \"{}\" for {} s; consumer {} of stream {} was "
                             "created anew, from message {} on",
                             durable.subject, std::chrono::floor<std::chrono::seconds>(silence).count(), durable.name,
                             durable.stream, std::max<std::uint64_t>(begin, 1)));
}

std::optional<Delivery> PullConsumer::Impl::fetch_one(std::chrono::milliseconds patience) {
  struct List {
    natsMsgList list{};
    ~List() { natsMsgList_Destroy(&list); }
  } fetched;
  jsErrCode error{};
  const auto asked = std::chrono::steady_clock::now();
  const auto status =
      natsSubscription_Fetch(&fetched.list, subscription.get(), 1, patience.count(), &error);
  const bool nothing = status == NATS_TIMEOUT || status == NATS_NOT_FOUND;
  if (!nothing) check(status, "fetch a message", error);
  waited(std::chrono::steady_clock::now() - asked);
  if (nothing || fetched.list.Count == 0) return std::nullopt;
  auto impl = std::make_unique<Delivery::Impl>();
  impl->message.reset(std::exchange(fetched.list.Msgs[0], nullptr));
  jsMsgMetaData* meta = nullptr;
  check(natsMsg_GetMetaData(&meta, impl->message.get()), "read where a message comes from");
  impl->meta.reset(meta);
  return Delivery(std::move(impl));
}

std::optional<Delivery> PullConsumer::next(std::chrono::milliseconds patience) {
  return impl_->fetch_one(patience);
}

// The library is never asked for more than one: where some have come already and it sends for the
// rest, this version of it counts wrongly, and writes behind the end of its list when others come
// late. So the rest is sent for here, and taken one by one.
std::vector<Delivery> PullConsumer::next(std::size_t most, std::chrono::milliseconds patience) {
  std::vector<Delivery> deliveries;
  if (!impl_->has_arrived()) impl_->ask_for(most);
  do {
    auto delivery = impl_->fetch_one(patience);
    if (!delivery) break;
    deliveries.push_back(std::move(*delivery));
  } while (deliveries.size() < most && impl_->has_arrived());
  return deliveries;
}

}  // namespace ota::gateways::nats
