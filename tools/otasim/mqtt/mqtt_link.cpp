#include "tools/otasim/mqtt/mqtt_link.hpp"

#include <fcntl.h>
#include <mosquitto.h>
#include <openssl/ssl.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <stdexcept>
#include <system_error>
#include <utility>

namespace ota::sim {
namespace {

constexpr int kRefused = 0x80;  // by a SUBACK

std::string words_for(int code) {
  return code == MOSQ_ERR_ERRNO ? std::generic_category().message(errno)
                                : std::string{mosquitto_strerror(code)};
}

// Of a socket that has failed, or was closed by the other side. The system says once why, and the library may have heard it.
std::string why_broken(int fd) {
  int error = 0;
  socklen_t size = sizeof error;
  const bool known = ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0 && error != 0;
  return known ? std::generic_category().message(error) : "nobody listens there, or the connection was broken off";
}

void must(int code, const char* what) {
  if (code != MOSQ_ERR_SUCCESS)
    throw std::runtime_error(std::string{what} + ": " + words_for(code));
}

// The library opens a pair of sockets for each client, to wake a thread that we do not have, and
// does without where no file can be opened: so none can, for a moment. Else ten thousand devices
// would need thirty thousand files.
class NoMoreFiles {
 public:
  NoMoreFiles() {
    if (getrlimit(RLIMIT_NOFILE, &before_) != 0) return;
    const rlimit none{.rlim_cur = 0, .rlim_max = before_.rlim_max};
    changed_ = setrlimit(RLIMIT_NOFILE, &none) == 0;
  }
  NoMoreFiles(const NoMoreFiles&) = delete;
  NoMoreFiles& operator=(const NoMoreFiles&) = delete;
  ~NoMoreFiles() {
    if (changed_) setrlimit(RLIMIT_NOFILE, &before_);
  }

 private:
  rlimit before_{};
  bool changed_ = false;
};

}  // namespace

struct MqttLink::Notes {
  std::optional<int> connack;
  std::size_t subscribed = 0;
  std::vector<MqttMessage> messages;
  std::optional<std::string> down;
};

MqttLink::MqttLink(MqttNetwork& network, MqttLinkOwner& owner, const MqttIdentity& identity)
    : network_(network),
      owner_(owner),
      identity_(identity),
      token_(network.enter(*this)),
      notes_(std::make_unique<Notes>()),
      begun_at_(EventLoop::now()),
      heard_at_(begun_at_) {
  set_up_handle();
  open();
}

MqttLink::~MqttLink() {
  network_.leave(token_);
  if (farewell_ == Farewell::kDisconnect && up_ && !deaf_) mosquitto_disconnect(handle_);
  if (farewell_ == Farewell::kReset || farewell_ == Farewell::kForget) let_go_of_socket();
  mosquitto_destroy(handle_);
}

void MqttLink::set_up_handle() {
  {
    const NoMoreFiles no_wake_up_pair;
    handle_ = mosquitto_new(identity_.client_id.c_str(), /*clean_session=*/false, this);
  }
  if (handle_ == nullptr) throw std::runtime_error("mosquitto_new: " + words_for(MOSQ_ERR_ERRNO));
  mosquitto_connect_callback_set(handle_, [](mosquitto*, void* self, int code) {
    static_cast<MqttLink*>(self)->notes_->connack = code;
  });
  mosquitto_subscribe_callback_set(
      handle_, [](mosquitto*, void* self, int, int count, const int* granted) {
        auto& notes = *static_cast<MqttLink*>(self)->notes_;
        ++notes.subscribed;
        if (std::any_of(granted, granted + count, [](int qos) { return qos == kRefused; })) {
          notes.down = "a subscription is refused";
        }
      });
  mosquitto_publish_callback_set(
      handle_, [](mosquitto*, void* self, int) { ++static_cast<MqttLink*>(self)->acknowledged_; });
  mosquitto_message_callback_set(
      handle_, [](mosquitto*, void* self, const mosquitto_message* message) {
        static_cast<MqttLink*>(self)->notes_->messages.push_back(
            {message->topic, std::string{static_cast<const char*>(message->payload),
                                         static_cast<std::size_t>(message->payloadlen)}});
      });
  must(mosquitto_int_option(handle_, MOSQ_OPT_TCP_NODELAY, 1), "TCP_NODELAY");
  if (network_.tls() != nullptr) {
    must(mosquitto_int_option(handle_, MOSQ_OPT_SSL_CTX_WITH_DEFAULTS, 0), "TLS");
    must(mosquitto_void_option(handle_, MOSQ_OPT_SSL_CTX, network_.tls()), "TLS");
  }
  if (!identity_.user.empty())
    must(mosquitto_username_pw_set(handle_, identity_.user.c_str(), identity_.password.c_str()),
         "user and password");
  if (!identity_.will_topic.empty())
    must(mosquitto_will_set(handle_, identity_.will_topic.c_str(),
                            static_cast<int>(identity_.will.size()), identity_.will.data(), network_.settings().publish_qos,
                            /*retain=*/false),
         "last will");
}

// Never waits for the broker; only the look-up of a name does.
void MqttLink::open() {
  const MqttSettings& settings = network_.settings();
  const int code =
      mosquitto_connect_async(handle_, settings.broker.host.c_str(), settings.broker.port,
                              static_cast<int>(settings.keep_alive.count()));
  if (code != MOSQ_ERR_SUCCESS) notes_->down = words_for(code);
  watch();
  const auto first = notes_->down ? std::chrono::milliseconds{0} : look_every();
  clock_ = network_.loop().timers().at(EventLoop::now() + first, [this] { look_after(); });
}

// The library pings, and misses answers, when it is asked to look.
std::chrono::milliseconds MqttLink::look_every() const {
  const MqttSettings& settings = network_.settings();
  return std::min<std::chrono::milliseconds>(settings.keep_alive / 4, settings.timeout);
}

void MqttLink::look_after() {
  clock_ = network_.loop().timers().at(EventLoop::now() + look_every(), [this] { look_after(); });
  if (!up_ && EventLoop::now() - begun_at_ >= network_.settings().timeout && !notes_->down)
    notes_->down = "the broker does not answer";
  if (deaf_ && !notes_->down) return;
  take_turn(notes_->down ? MOSQ_ERR_SUCCESS : mosquitto_loop_misc(handle_));
}

void MqttLink::on_ready(std::uint32_t events) {
  if (deaf_) return;
  const bool opens = !taken_in_;
  const bool readable = (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0;
  const bool writable = (events & EPOLLOUT) != 0;
  reached_ = reached_ || writable;
  // Before TLS is agreed on the library takes such an end for a pause.
  if (opens && (events & (EPOLLHUP | EPOLLERR)) != 0) {
    notes_->down = why_broken(mosquitto_socket(handle_));
    return take_turn(MOSQ_ERR_SUCCESS);
  }
  int code = MOSQ_ERR_SUCCESS;
  // A handshake of TLS goes on where the library reads, also when it is its turn to speak.
  if (readable || (opens && writable)) code = mosquitto_loop_read(handle_, 1);
  if (code == MOSQ_ERR_SUCCESS && mosquitto_want_write(handle_))
    code = mosquitto_loop_write(handle_, 1);
  if (readable && reached_ && code == MOSQ_ERR_SUCCESS) heard_at_ = EventLoop::now();
  take_turn(code);
}

// What follows from a call of the library; may destroy this.
void MqttLink::take_turn(int code) {
  if (!notes_->down && (code != MOSQ_ERR_SUCCESS || mosquitto_socket(handle_) < 0))
    notes_->down = words_for(code == MOSQ_ERR_SUCCESS ? MOSQ_ERR_CONN_LOST : code);
  const auto answer = std::exchange(notes_->connack, std::nullopt);
  if (answer && *answer != 0) notes_->down = mosquitto_connack_string(*answer);
  if (answer && !notes_->down) {
    taken_in_ = true;
    subscribe();
  }
  watch();
  tell_owner();
}

void MqttLink::subscribe() {
  for (const auto& [topic, qos] : identity_.subscriptions) {
    const int code = mosquitto_subscribe(handle_, nullptr, topic.c_str(), qos);
    if (code != MOSQ_ERR_SUCCESS) notes_->down = words_for(code);
  }
}

void MqttLink::watch() {
  const int fd = mosquitto_socket(handle_);
  if (fd < 0) {
    fd_ = -1;  // closed, and with it no longer watched
    return;
  }
  if (deaf_) return;
  using Interest = EventLoop::Interest;
  // Until it is taken in it writes after each reading: the library would want to write all the time.
  const bool writes = taken_in_ && mosquitto_want_write(handle_);
  const Interest wanted = !reached_ ? Interest::kWrite : writes ? Interest::kBoth : Interest::kRead;
  if (fd == fd_ && wanted == watched_for_) return;
  network_.loop().watch_level(fd, token_, wanted);
  fd_ = fd;
  watched_for_ = wanted;
}

void MqttLink::tell_owner() {
  MqttNetwork& network = network_;
  MqttLinkOwner& owner = owner_;
  const std::uint64_t token = token_;
  const bool came_up = notes_->subscribed == identity_.subscriptions.size() && !up_ && !notes_->down;
  if (came_up) up_ = true;
  auto messages = std::exchange(notes_->messages, {});
  auto down = std::move(notes_->down);
  if (came_up) owner.link_up();
  if (!messages.empty() && network.find(token) != nullptr) owner.link_heard(std::move(messages));
  if (down && network.find(token) != nullptr) {
    clock_.cancel();
    owner.link_down(*down);
  }
}

void MqttLink::publish(const std::string& topic, const std::string& body) {
  if (deaf_) return unsent_.push_back({topic, body});
  const int code = mosquitto_publish(handle_, nullptr, topic.c_str(), static_cast<int>(body.size()),
                                     body.data(), network_.settings().publish_qos, /*retain=*/false);
  if (code == MOSQ_ERR_SUCCESS) ++published_;
  watch();  // what went wrong is heard from the socket
}

void MqttLink::go_deaf() {
  deaf_ = true;
  if (const int fd = mosquitto_socket(handle_); fd >= 0) network_.loop().unwatch(fd);
  watched_for_.reset();
}

void MqttLink::hear_again() {
  deaf_ = false;
  watch();
  for (const MqttMessage& message : std::exchange(unsent_, {}))
    publish(message.topic, message.body);
}

// The library gets another file in its place, and says its good-byes there.
void MqttLink::let_go_of_socket() {
  const int fd = mosquitto_socket(handle_);
  if (fd < 0) return;
  if (!deaf_) network_.loop().unwatch(fd);
  const int kept = ::fcntl(fd, F_DUPFD_CLOEXEC, 0);
  const int nothing = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  if (kept < 0 || nothing < 0 || ::dup2(nothing, fd) < 0)
    throw std::system_error(errno, std::generic_category(), "a socket to let go of");
  ::close(nothing);
  if (farewell_ == Farewell::kForget) return network_.keep_forgotten(kept);
  const linger at_once{.l_onoff = 1, .l_linger = 0};
  ::setsockopt(kept, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  ::close(kept);
}

}  // namespace ota::sim
