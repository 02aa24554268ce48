#include "gateways/nats/reconnect_loop.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <exception>

namespace ota::gateways::nats {

ReconnectLoop::ReconnectLoop(Options options, Session session)
    : options_(std::move(options)), session_(std::move(session)), retry_(options_.retry_min) {}

ReconnectLoop::~ReconnectLoop() { stop(); }

void ReconnectLoop::start() {
  if (!thread_.joinable()) thread_ = std::thread([this] { run(); });
}

void ReconnectLoop::stop() {
  std::shared_ptr<Connection> connection;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    connection = connection_;
  }
  changed_.notify_all();
  if (connection) connection->close();
  if (thread_.joinable()) thread_.join();
}

void ReconnectLoop::notify() noexcept {
  {
    const std::lock_guard lock(mutex_);
    notified_ = true;
  }
  changed_.notify_all();
}

bool ReconnectLoop::stopping() const {
  const std::lock_guard lock(mutex_);
  return stopping_;
}

void ReconnectLoop::ready() {
  retry_ = options_.retry_min;
  logged_.clear();
  spdlog::info("{}: connected", options_.name);
  const std::lock_guard lock(mutex_);
  state_.ready = true;
}

void ReconnectLoop::wait(std::chrono::milliseconds patience) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, patience, [this] { return stopping_ || notified_; });
  notified_ = false;
}

ReconnectLoop::State ReconnectLoop::state() const {
  const std::lock_guard lock(mutex_);
  return state_;
}

void ReconnectLoop::run() {
  while (!stopping()) {
    try {
      run_session();
    } catch (const std::exception& error) {
      failed(error.what());
      wait_before_retry();
    }
  }
}

void ReconnectLoop::run_session() {
  const auto connection = std::make_shared<Connection>(options_.urls, options_.name, options_.ca_file);
  struct Detach {
    ReconnectLoop& loop;
    ~Detach() { loop.attach(nullptr); }
  } detach{*this};
  attach(connection);
  if (!stopping()) session_(*connection);
}

void ReconnectLoop::attach(std::shared_ptr<Connection> connection) {
  const std::lock_guard lock(mutex_);
  connection_ = std::move(connection);
  state_.ready = false;
}

// A failure that lasts is logged once, not at every attempt.
void ReconnectLoop::failed(const std::string& why) {
  if (stopping()) return;
  if (logged_ != why) spdlog::warn("{}: {}; trying again until it works", options_.name, why);
  logged_ = why;
  const std::lock_guard lock(mutex_);
  state_.last_error = why;
}

void ReconnectLoop::wait_before_retry() {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, retry_, [this] { return stopping_; });
  retry_ = std::min(retry_ * 2, options_.retry_max);
}

}  // namespace ota::gateways::nats
