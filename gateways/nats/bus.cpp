#include "gateways/nats/bus.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <memory>
#include <stdexcept>
#include <vector>

#include "gateways/nats/deletion_listener.hpp"
#include "gateways/nats/publisher.hpp"

namespace ota::gateways {
namespace {

// What the server would refuse again and again is refused here, once and with its name.
void check_subject(const char* setting, const std::string& subject) {
  const bool control =
      std::any_of(subject.begin(), subject.end(), [](unsigned char c) { return c <= ' '; });
  const bool empty_part =
      subject.starts_with('.') || subject.ends_with('.') || subject.find("..") != std::string::npos;
  if (control || empty_part) {
    throw std::runtime_error(
        fmt::format("{} \"{}\" is not a subject: parts separated by single dots, without spaces", setting,
                    subject));
  }
}

void check_options(const BusOptions& options) {
  if (options.url.find_first_not_of(", ") == std::string::npos) {
    throw std::runtime_error(fmt::format("nats.url \"{}\" names no server", options.url));
  }
  check_subject("nats.device_deleted", options.device_deleted_subject);
  check_subject("nats.user_deleted", options.user_deleted_subject);
}

nats::ReconnectLoop::Options link_options(const BusOptions& options, std::string name) {
  return {options.url, std::move(name), options.retry_min, options.retry_max, options.ca_file};
}

}  // namespace

struct Bus::Impl {
  explicit Impl(const BusOptions& options)
      : publisher(link_options(options, "ota_service publisher"), options.cursor_directory) {
    using Of = nats::DeletionListener::Of;
    const auto listen = [&](const char* name, const std::string& subject, Of of) {
      if (!subject.empty()) listeners.push_back(std::make_unique<nats::DeletionListener>(link_options(options, name), subject, of));
    };
    listen("ota_service listener", options.device_deleted_subject, Of::kDevices);
    listen("ota_service user listener", options.user_deleted_subject, Of::kUsers);
  }
  nats::Publisher publisher;
  std::vector<std::unique_ptr<nats::DeletionListener>> listeners;
};

Bus::Bus(BusOptions options) {
  check_options(options);
  impl_ = std::make_unique<Impl>(options);
}

Bus::~Bus() { stop(); }

eventstore::Tail& Bus::tail() { return impl_->publisher; }

void Bus::start(actors::Service& service) {
  impl_->publisher.start(service.log(), service.subjects());
  for (const auto& listener : impl_->listeners) listener->start(service);
}

void Bus::stop() {
  // What a message still causes is told as well, if it is told quickly.
  for (const auto& listener : impl_->listeners) listener->stop();
  impl_->publisher.stop();
}

BusStatus Bus::status() const {
  const auto told = impl_->publisher.status();
  BusStatus status;
  status.connected = told.link.ready;
  status.cursor = told.cursor.value;
  status.behind = told.behind;
  status.published = told.published;
  // Whoever is in trouble now says so, and none hides another; else the last thing that went wrong.
  std::vector<std::string> troubles;
  const auto note = [&](const auto& link) {
    if (!link.ready && !link.last_error.empty()) troubles.push_back(link.last_error);
  };
  note(told.link);
  for (const auto& listener : impl_->listeners) {
    const auto heard = listener->status();
    status.connected = status.connected && heard.link.ready;
    status.received += heard.received;
    status.malformed += heard.malformed;
    note(heard.link);
  }
  status.last_error = troubles.empty() ? told.link.last_error : fmt::format("{}", fmt::join(troubles, "; "));
  return status;
}

}  // namespace ota::gateways
