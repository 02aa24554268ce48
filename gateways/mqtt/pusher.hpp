// Tells devices over MQTT what they are to do, without being asked: the command that stands on a device's topic is what the
// record says of it.
//
//   log --tail()--> touched devices --> desk thread: views --> command --> news? --> broker (retained)
//                                            `--> rounds: who may hope? --> askers: Service::poll --> a grant, an event
//
// The tail only notes who was touched and wakes; the desk is the one thread that makes commands, so that of two the newer
// one stands; askers wait for commits, many at a time, since a commit takes whatever waits for it. After something happened
// rounds follow one another quickly (what it makes room for is seen by the campaigns a moment later), then once a second.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "actors/service.hpp"
#include "eventstore/journal.hpp"
#include "gateways/mqtt/board.hpp"
#include "gateways/mqtt/down_message.hpp"
#include "gateways/mqtt/outbox.hpp"
#include "gateways/mqtt/topics.hpp"

namespace ota::gateways::mqtt {

class Pusher final : public eventstore::Tail {
 public:
  using Publish = std::function<void(Letter)>;

  Pusher(Topics topics, Publish publish) : topics_(std::move(topics)), publish_(std::move(publish)) {}
  ~Pusher() override;  // stops

  // On the dispatcher's thread: notes, and wakes the desk.
  void on_group(const eventstore::GroupPtr& group) override;
  // The device has said something. Any thread.
  void spoke(const domain::DeviceId& device);
  void heard(const domain::DeviceId& device, Cause cause);
  void broker_is_back();

  // The service outlives stop(). Once. `url_of`: where a device gets its bytes.
  void start(actors::Service& service, UrlOf url_of);
  void stop();

  std::size_t devices() const;            // that take their commands here

 private:
  // Who is to be looked at, and why: as many as there are devices at most, however much is recorded of them.
  using Touches = std::unordered_map<std::string, Cause>;
  static void add(Touches& touches, std::string device, Cause cause);
  void run_desk();
  void run_asker();
  void look_at(const std::string& device, Cause cause);
  Command command_of(const std::string& device, const projections::PollRecord& record) const;
  class Pace;
  void look_at_all(Touches touches, Pace& pace);
  void begin_round(Pace& pace);
  std::vector<std::string> whom_to_ask(std::size_t room);
  template <class Work>
  auto with_board(const Work& work) {
    const std::lock_guard lock(board_mutex_);
    return work(board_);
  }
  void guard(const char* what, const std::function<void()>& work);

  const Topics topics_;
  const Publish publish_;
  UrlOf url_of_;
  std::atomic<actors::Service*> service_{nullptr};

  mutable std::mutex mutex_;              // of what follows
  std::condition_variable desk_wakes_;
  std::condition_variable askers_wake_;
  bool stopping_ = false;
  bool hope_anew_ = false;
  bool somebody_is_back_ = false;
  Touches touches_;
  std::deque<std::string> asks_;

  // Looking at many devices takes a while, and the tail does not wait for it: a lock of its own, never held together with
  // the other one.
  mutable std::mutex board_mutex_;
  Board board_;

  std::vector<std::thread> threads_;
};

}  // namespace ota::gateways::mqtt
