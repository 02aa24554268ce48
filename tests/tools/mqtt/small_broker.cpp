#include "tests/tools/mqtt/small_broker.hpp"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <stdexcept>

namespace ota::sim::test {
namespace {

enum Type : unsigned char {
  kConnect = 1,
  kConnack = 2,
  kPublish = 3,
  kPuback = 4,
  kSubscribe = 8,
  kSuback = 9,
  kPing = 12,
  kPong = 13,
  kDisconnect = 14
};

std::string packet_of(Type type, int flags, const std::string& content) {
  std::string packet(1, static_cast<char>(type << 4 | flags));
  std::size_t left = content.size();
  do {
    packet += static_cast<char>(left % 128 | (left >= 128 ? 128 : 0));
    left /= 128;
  } while (left > 0);
  return packet + content;
}

std::string number_of(std::size_t value) {
  return {static_cast<char>(value >> 8), static_cast<char>(value)};
}
std::string field_of(const std::string& text) { return number_of(text.size()) + text; }

std::size_t take_number(std::string_view& packet) {
  const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(packet.at(at)); };
  const std::size_t value = static_cast<std::size_t>(byte(0) << 8 | byte(1));
  packet.remove_prefix(2);
  return value;
}
std::string take_field(std::string_view& packet) {
  const std::size_t size = take_number(packet);
  std::string text{packet.substr(0, size)};
  packet.remove_prefix(size);
  return text;
}

}  // namespace

struct SmallBroker::Line {
  std::size_t client = 0;
  int fd = -1;
  SSL* ssl = nullptr;
  bool reset = false;
  unsigned last_number = 0;
  std::mutex writes;
  std::thread thread;

  ~Line() {
    if (thread.joinable()) thread.join();
    SSL_free(ssl);
    ::close(fd);
  }

  bool read(char* where, std::size_t size) {
    while (size > 0) {
      const auto count = ssl ? SSL_read(ssl, where, static_cast<int>(size))
                             : static_cast<int>(::recv(fd, where, size, 0));
      if (count <= 0) {
        reset = errno == ECONNRESET;
        return false;
      }
      where += count;
      size -= static_cast<std::size_t>(count);
    }
    return true;
  }

  void write(const std::string& packet) {
    const std::lock_guard lock{writes};
    if (ssl)
      SSL_write(ssl, packet.data(), static_cast<int>(packet.size()));
    else
      ::send(fd, packet.data(), packet.size(), MSG_NOSIGNAL);
  }

  void tell(const std::string& topic, const std::string& body, bool retained) {
    const std::string number = number_of(++last_number);
    write(packet_of(kPublish, 2 | (retained ? 1 : 0), field_of(topic) + number + body));
  }
};

SmallBroker::SmallBroker(Manners manners, Listener listener)
    : manners_(std::move(manners)),
      listener_(std::move(listener)),
      listener_fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  if (!manners_.tls.certificate_and_key.empty()) tls_ = server_context(manners_.tls);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* where = reinterpret_cast<sockaddr*>(&address);
  if (::bind(listener_fd_, where, size) != 0 || ::listen(listener_fd_, 128) != 0 ||
      ::getsockname(listener_fd_, where, &size) != 0)
    throw std::runtime_error("the test's broker cannot listen");
  port_ = ntohs(address.sin_port);
  thread_ = std::thread([this] { accept_all(); });
}

SmallBroker::~SmallBroker() {
  stops_ = true;
  ::shutdown(listener_fd_, SHUT_RDWR);
  thread_.join();
  hang_up();
  for (const auto& line : lines_) line->thread.join();  // one may still be telling the others
  lines_.clear();
  ::close(listener_fd_);
  SSL_CTX_free(tls_);
}

std::vector<SmallBroker::Client> SmallBroker::clients() const {
  const std::lock_guard lock{mutex_};
  return clients_;
}
std::vector<SmallBroker::Said> SmallBroker::said() const {
  const std::lock_guard lock{mutex_};
  return said_;
}

void SmallBroker::accept_all() {
  while (!stops_) {
    const int fd = ::accept4(listener_fd_, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0) continue;  // for a moment there may be no file for it
    const int yes = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    const std::lock_guard lock{mutex_};
    Line& line = *lines_.emplace_back(std::make_unique<Line>());
    line.fd = fd;
    line.client = clients_.size();
    clients_.emplace_back();
    line.thread = std::thread([this, &line] { serve(line); });
  }
}

void SmallBroker::serve(Line& line) {
  if (tls_ != nullptr) {
    line.ssl = SSL_new(tls_);
    SSL_set_fd(line.ssl, line.fd);
  }
  bool goes_on = line.ssl == nullptr || SSL_accept(line.ssl) == 1;
  while (goes_on) {
    char first = 0;
    char next = 0;
    std::size_t size = 0;
    int shift = 0;
    goes_on = line.read(&first, 1);
    do {
      goes_on = goes_on && line.read(&next, 1);
      size |= static_cast<std::size_t>(next & 0x7f) << shift;
      shift += 7;
    } while (goes_on && (next & 0x80) != 0);
    std::string packet(size, '\0');
    goes_on = goes_on && line.read(packet.data(), size) &&
              take(line, static_cast<unsigned char>(first), packet);
  }
  ::shutdown(line.fd, SHUT_RDWR);
  const std::lock_guard lock{mutex_};
  Ended& ended = clients_[line.client].ended;
  if (ended == Ended::kNo) ended = line.reset ? Ended::kReset : Ended::kClosed;
}

// False: it is over with the line.
bool SmallBroker::take(Line& line, unsigned char type, std::string_view packet) {
  if (!manners_.speaks) return true;
  switch (type >> 4) {
    case kConnect:
      return connect(line, packet);
    case kSubscribe:
      subscribe(line, packet);
      return true;
    case kPublish:
      publish(line, type, packet);
      return true;
    case kPing:
      line.write(packet_of(kPong, 0, ""));
      return true;
    case kDisconnect: {
      const std::lock_guard lock{mutex_};
      clients_[line.client].ended = Ended::kGoodbye;
      return false;
    }
    default:
      return true;  // it acknowledges what it was told
  }
}

bool SmallBroker::connect(Line& line, std::string_view packet) {
  constexpr unsigned kClean = 0x02;
  constexpr unsigned kWill = 0x04;
  constexpr unsigned kPassword = 0x40;
  constexpr unsigned kUser = 0x80;
  Client client;
  take_field(packet);  // MQTT
  const auto flags = static_cast<unsigned char>(packet.at(1));
  packet.remove_prefix(4);  // level, flags, keep-alive
  client.clean = (flags & kClean) != 0;
  client.id = take_field(packet);
  if ((flags & kWill) != 0) {
    client.will_topic = take_field(packet);
    client.will = take_field(packet);
  }
  if ((flags & kUser) != 0) client.user = take_field(packet);
  if ((flags & kPassword) != 0) client.password = take_field(packet);
  {
    const std::lock_guard lock{mutex_};
    clients_[line.client] = std::move(client);
  }
  line.write(packet_of(kConnack, 0, {'\0', static_cast<char>(manners_.connack)}));
  return manners_.connack == 0;
}

void SmallBroker::subscribe(Line& line, std::string_view packet) {
  std::string answer = number_of(take_number(packet));
  std::vector<Subscription> wanted;
  while (!packet.empty()) {
    auto topic = take_field(packet);
    wanted.push_back({std::move(topic), packet.front()});
    packet.remove_prefix(1);
    answer += manners_.refuses_subscriptions ? '\x80' : '\x01';
  }
  line.write(packet_of(kSuback, 0, answer));
  const std::lock_guard lock{mutex_};
  auto& subscribed = clients_[line.client].subscriptions;
  subscribed.insert(subscribed.end(), wanted.begin(), wanted.end());
  for (const auto& [topic, qos] : wanted)
    if (const auto found = retained_.find(topic); found != retained_.end())
      line.tell(topic, found->second, true);
}

void SmallBroker::publish(Line& line, unsigned char type, std::string_view packet) {
  Said said;
  said.client = line.client;
  said.qos = type >> 1 & 3;
  said.topic = take_field(packet);
  const std::size_t number = said.qos > 0 ? take_number(packet) : 0;
  said.body = packet;
  {
    const std::lock_guard lock{mutex_};
    said_.push_back(said);
  }
  if (said.qos > 0) line.write(packet_of(kPuback, 0, number_of(number)));
  if (listener_) listener_(*this, said);
}

void SmallBroker::tell(const std::string& topic, const std::string& body, bool retained) {
  const std::lock_guard lock{mutex_};
  if (retained && body.empty()) retained_.erase(topic);
  if (retained && !body.empty()) retained_[topic] = body;
  for (const auto& line : lines_) {
    const Client& client = clients_[line->client];
    const auto& wanted = client.subscriptions;
    const auto is_meant = [&topic](const Subscription& one) { return one.topic == topic; };
    if (client.ended == Ended::kNo && std::any_of(wanted.begin(), wanted.end(), is_meant))
      line->tell(topic, body, false);
  }
}

void SmallBroker::hang_up() {
  const std::lock_guard lock{mutex_};
  for (const auto& line : lines_) ::shutdown(line->fd, SHUT_RDWR);
}

}  // namespace ota::sim::test
