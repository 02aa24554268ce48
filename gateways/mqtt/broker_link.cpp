#include "gateways/mqtt/broker_link.hpp"

#include <fmt/format.h>
#include <mosquitto.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <spdlog/spdlog.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>
#include <random>
#include <stdexcept>

#include "eventstore/assert.hpp"
#include "gateways/mqtt/limits.hpp"

namespace ota::gateways::mqtt {
namespace {

using Clock = std::chrono::steady_clock;

struct Destroy {
  void operator()(mosquitto* handle) const noexcept { mosquitto_destroy(handle); }
};
using Handle = std::unique_ptr<mosquitto, Destroy>;

// Two of the same name would throw one another out.
std::string new_client_id() {
  std::random_device random;
  return fmt::format("ota_service-{:08x}{:08x}", random(), random());
}

std::string words_for(int code) {
  return code == MOSQ_ERR_ERRNO ? std::strerror(errno) : mosquitto_strerror(code);  // NOLINT(concurrency-mt-unsafe)
}

[[noreturn]] void fail(std::string_view what, std::string_view why) {
  throw std::runtime_error(fmt::format("Cannot {}: {}", what, why));
}

void check(int code, std::string_view what) {
  if (code != MOSQ_ERR_SUCCESS) fail(what, words_for(code));
}

// "OpenSSL Error[0]: error:0A000086:SSL routines::certificate verify failed": the end of it is for operators.
std::string_view without_origin(std::string_view text) {
  for (const std::string_view before : {"::", "Error: "}) {
    if (const auto at = text.rfind(before); at != text.npos) text.remove_prefix(at + before.size());
  }
  if (text.ends_with('.')) text.remove_suffix(1);
  return text;
}

}  // namespace

// One life of a connection, on the link's thread.
class BrokerLink::Session {
 public:
  explicit Session(BrokerLink& link) : link_(link), handle_(mosquitto_new(new_client_id().c_str(), true, this)) {
    if (!handle_) throw std::runtime_error("Cannot prepare a connection to the MQTT broker");
    const auto& o = link.options_;
    mosquitto_connect_callback_set(handle_.get(), [](mosquitto*, void* self, int code) {
      static_cast<Session*>(self)->answer_ = code;
    });
    mosquitto_log_callback_set(handle_.get(), [](mosquitto*, void* self, int level, const char* text) {
      auto& trouble = static_cast<Session*>(self)->trouble_;
      if (level == MOSQ_LOG_ERR && trouble.empty()) trouble = without_origin(text);  // the first one is the cause
    });
    mosquitto_publish_callback_set(handle_.get(), [](mosquitto*, void* self, int number) {
      static_cast<Session*>(self)->acknowledged(number);
    });
    // The window is the outbox's: nothing is queued in the library.
    check(mosquitto_int_option(handle_.get(), MOSQ_OPT_SEND_MAXIMUM, 65'535), "set the window");
    check(mosquitto_int_option(handle_.get(), MOSQ_OPT_TCP_NODELAY, 1), "set TCP_NODELAY");
    if (!o.user.empty()) {
      check(mosquitto_username_pw_set(handle_.get(), o.user.c_str(), o.password.c_str()), "set mqtt.user");
    }
    if (!o.ca_file.empty()) {
      const int done = mosquitto_tls_set(handle_.get(), o.ca_file.c_str(), nullptr, nullptr, nullptr, nullptr);
      if (done != MOSQ_ERR_SUCCESS) fail("use mqtt.ca_file", o.ca_file + " cannot be read");
    }
  }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  // Until the link stops; throws what ends it before.
  void work() {
    const auto& o = link_.options_;
    // Does not wait for the other side, which may never answer; only looking up the name does.
    check_tls(mosquitto_connect_async(handle_.get(), o.host.c_str(), o.port, limits::kKeepAlive_s), what_connects());
    heard_ = Clock::now();
    while (!link_.stopping_ && !answer_) {
      turn();
      if (Clock::now() - heard_ > limits::kAnswer) throw std::runtime_error("the MQTT broker does not answer");
    }
    if (link_.stopping_) return;
    if (*answer_ != 0) {
      throw std::runtime_error(fmt::format("the MQTT broker refuses the connection: {}", mosquitto_connack_string(*answer_)));
    }
    link_.connected();
    std::optional<Clock::time_point> until;
    while (!link_.stopping_ || !is_over(until)) {
      send();
      turn();
    }
    mosquitto_disconnect(handle_.get());
  }

 private:
  std::string what_connects() const {
    return fmt::format("connect to the MQTT broker {}:{}", link_.options_.host, link_.options_.port);
  }

  void check_tls(int code, std::string_view what) const {
    if (code == MOSQ_ERR_TLS) fail(what, fmt::format("TLS with mqtt.ca_file {}: {}", link_.options_.ca_file, trouble_));
    check(code, what);
  }

  // What was said last, as the link stops, is brought to its end if the broker is quick.
  bool is_over(std::optional<Clock::time_point>& until) const {
    if (!until) until = Clock::now() + limits::kFarewell;
    const std::lock_guard lock(link_.mutex_);
    return link_.outbox_.waiting() + link_.outbox_.in_flight() == 0 || Clock::now() > *until;
  }

  void acknowledged(int number) {
    if (sends_) return;  // what is on the line already, and all that there is to say of it
    heard_ = Clock::now();
    const std::lock_guard lock(link_.mutex_);
    if (link_.outbox_.acknowledged(number)) ++link_.status_.published;
  }

  void send() {
    const std::lock_guard lock(link_.mutex_);
    auto& outbox = link_.outbox_;
    if (outbox.in_flight() == 0) {
      heard_ = Clock::now();
    } else if (Clock::now() - heard_ > limits::kAnswer) {
      throw std::runtime_error("the MQTT broker acknowledges nothing any more");
    }
    sends_ = true;
    // What the line does not take now waits here, where it is bounded.
    for (const auto* letter = outbox.next(); letter && !wants_write(); letter = outbox.next()) {
      int number = 0;
      const bool is_acknowledged = letter->is_acknowledged();
      check(mosquitto_publish(handle_.get(), &number, letter->topic.c_str(), static_cast<int>(letter->body.size()),
                              letter->body.data(), is_acknowledged ? 1 : 0, is_acknowledged),
            "publish to " + letter->topic);
      outbox.sent(number);
      if (!is_acknowledged) ++link_.status_.published;
    }
    sends_ = false;
  }

  // While TLS is agreed on the library says that it wants to write and writes nothing, unless the loop is its own: over a
  // line on which connecting takes its time that would never end, nor wait.
  bool shakes_hands() const { return tls() && SSL_in_init(tls()); }
  bool wants_write() const { return shakes_hands() ? SSL_want_write(tls()) : mosquitto_want_write(handle_.get()); }
  const SSL* tls() const { return static_cast<const SSL*>(mosquitto_ssl_get(handle_.get())); }  // null: none

  // Waits for the broker, for a wake or for a tick, and does what there is to do.
  void turn() {
    constexpr short kEnd = POLLHUP | POLLERR;
    const int socket = mosquitto_socket(handle_.get());
    if (socket < 0) throw std::runtime_error("the connection to the MQTT broker was lost");
    const bool shakes = shakes_hands();
    pollfd fds[2]{{socket, POLLIN, 0}, {link_.wake_fd_, POLLIN, 0}};
    if (wants_write()) fds[0].events |= POLLOUT;
    ::poll(fds, 2, static_cast<int>(limits::kTick.count()));
    if (fds[1].revents != 0) {
      std::uint64_t count = 0;
      [[maybe_unused]] const auto read = ::read(link_.wake_fd_, &count, sizeof count);
    }
    const auto what = answer_ ? std::string("talk to the MQTT broker") : what_connects();
    const bool writes = (fds[0].revents & POLLOUT) != 0;
    // A step of the handshake is a read, whichever way it goes.
    if ((fds[0].revents & (POLLIN | kEnd)) != 0 || (writes && shakes)) check_tls(mosquitto_loop_read(handle_.get(), 1), what);
    if (writes && !shakes) check(mosquitto_loop_write(handle_.get(), 1), what);
    // Of an end before TLS is agreed on the library says nothing.
    if (shakes && (fds[0].revents & kEnd) != 0) fail(what, "nobody listens there, or the connection was broken off");
    check(mosquitto_loop_misc(handle_.get()), what);
  }

  BrokerLink& link_;
  std::optional<int> answer_;             // the CONNACK
  bool sends_ = false;
  std::string trouble_;                   // what the library said first of an error; empty: nothing
  Clock::time_point heard_{};             // when the broker answered anything last, or had nothing to answer
  Handle handle_;
};

BrokerLink::BrokerLink(BrokerOptions options, OnConnected on_connected)
    : options_(std::move(options)),
      on_connected_(std::move(on_connected)),
      wake_fd_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      retry_(options_.retry_min),
      outbox_(limits::kInFlight, limits::kRepliesWaiting, limits::kReplyBytesWaiting) {
  OTA_ASSERT(wake_fd_ >= 0);
  mosquitto_lib_init();
}

BrokerLink::~BrokerLink() {
  stop();
  ::close(wake_fd_);
  mosquitto_lib_cleanup();
}

void BrokerLink::start() {
  thread_ = std::thread([this] { run(); });
}

void BrokerLink::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  stopped_.notify_all();
  wake();
  if (thread_.joinable()) thread_.join();
}

void BrokerLink::publish(Letter letter) {
  {
    const std::lock_guard lock(mutex_);
    outbox_.post(std::move(letter));
  }
  wake();
}

void BrokerLink::wake() noexcept {
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = ::write(wake_fd_, &one, sizeof one);
}

BrokerLink::Status BrokerLink::status() const {
  const std::lock_guard lock(mutex_);
  auto status = status_;
  status.dropped = outbox_.dropped();
  status.waiting = outbox_.waiting() + outbox_.in_flight();
  return status;
}

void BrokerLink::run() {
  while (!stopping_) {
    try {
      Session(*this).work();
    } catch (const std::exception& error) {
      failed(error.what());
    }
    std::unique_lock lock(mutex_);
    status_.connected = false;
    outbox_.connection_lost();
    stopped_.wait_for(lock, retry_, [this] { return stopping_.load(); });
    retry_ = std::min(retry_ * 2, options_.retry_max);
  }
}

void BrokerLink::connected() {
  retry_ = options_.retry_min;
  logged_.clear();
  if (on_connected_) on_connected_();
  spdlog::info("mqtt: connected to {}:{} for {}", options_.host, options_.port, options_.what_for);
  const std::lock_guard lock(mutex_);
  status_.connected = true;
}

// A failure that lasts is logged once, not at every attempt.
void BrokerLink::failed(const std::string& why) {
  if (stopping_) return;
  if (logged_ != why) spdlog::warn("mqtt: {}; trying again until it works, for {}", why, options_.what_for);
  logged_ = why;
  const std::lock_guard lock(mutex_);
  status_.last_error = why;
}

}  // namespace ota::gateways::mqtt
