#include "gateways/fetch/url_fetcher.hpp"

#include <curl/curl.h>
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <condition_variable>
#include <map>
#include <mutex>
#include <set>
#include <stdexcept>
#include <thread>
#include <vector>

#include "domain/codec/codec.hpp"
#include "gateways/fetch/fetch_job.hpp"

namespace ota::gateways {
namespace {

using fetch::End;
using Clock = std::chrono::steady_clock;
using Sha256 = std::array<std::uint8_t, 32>;

// Words of a stranger, fit for the log, where text is UTF-8 and for ever.
std::string fit_for_log(std::string text) {
  for (char& c : text) c = c < 32 || c > 126 ? '?' : c;
  return text.substr(0, fetch::limits::kReasonBytes);
}

bool concerns_fetching(std::uint16_t type) {
  static const std::array types{domain::event_type(domain::FirmwareRegistered{}), domain::event_type(domain::FirmwareSourceChanged{}),
                                domain::event_type(domain::FirmwareContentStored{}), domain::event_type(domain::FirmwareRecalled{})};
  return std::find(types.begin(), types.end(), type) != types.end();
}

// One firmware whose bytes are wanted. What is not atomic is guarded by Impl::mutex.
struct Task {
  domain::FirmwareId id;
  Sha256 sha256{};
  std::string url;
  bool running = false;
  bool unwanted = false;                  // while running: is to be dropped when the try ends
  Clock::time_point next = Clock::now();
  unsigned failures = 0;                  // since bytes last came
  unsigned beginnings = 0;
  std::optional<Clock::time_point> refused_since;
  std::string last_error;
  std::atomic<std::uint64_t> received{0};
  std::atomic<bool> over{false};          // the try that runs is to end
};
using TaskPtr = std::shared_ptr<Task>;

struct Wanted {
  domain::FirmwareId id;
  Sha256 sha256{};
  std::string url;
};

// What a try came to.
enum class Came { kDone, kLater };

}  // namespace

struct UrlFetcher::Impl final : eventstore::Tail {
  Impl(actors::ArtifactStore& store, UrlFetcherOptions o) : artifacts(store), options(o) {}

  void on_group(const eventstore::GroupPtr& group) override {
    const auto& events = group->events();
    if (std::none_of(events.begin(), events.end(), [](const auto& e) { return concerns_fetching(e.type); })) return;
    {
      const std::lock_guard lock(mutex);
      stale = true;
    }
    changed.notify_one();
  }

  void work();
  std::vector<Wanted> read_wanted() const;
  void take_over(const std::vector<Wanted>& wanted);
  std::set<Sha256> running_now() const;
  TaskPtr next_due() const;
  void wait(std::unique_lock<std::mutex>& lock);
  Came attempt(Task& task);
  Came try_once(Task& task);
  Came record(Task& task, const domain::Firmware& firmware, domain::FirmwareCommand command);
  Came failed(Task& task, const fetch::Ending& ending, bool bytes_came);

  actors::ArtifactStore& artifacts;
  const UrlFetcherOptions options;
  actors::Service* service = nullptr;
  std::vector<std::thread> threads;

  mutable std::mutex mutex;
  std::condition_variable changed;
  std::atomic<bool> stopping{false};
  bool stale = true;      // what is wanted may have changed
  bool reading = false;   // somebody looks
  std::map<domain::FirmwareId, TaskPtr> tasks;
  std::uint64_t brought = 0;
  std::string last_error;
};

// ---- the threads -------------------------------------------------------------------------------------------------

void UrlFetcher::Impl::work() {
  std::unique_lock lock(mutex);
  while (!stopping) {
    if (stale && !reading) {
      stale = false;
      reading = true;
      lock.unlock();
      const auto wanted = read_wanted();
      lock.lock();
      reading = false;
      take_over(wanted);
      changed.notify_all();
      continue;
    }
    const auto task = next_due();
    if (!task) {
      wait(lock);
      continue;
    }
    task->running = true;
    lock.unlock();
    const auto came = attempt(*task);
    lock.lock();
    task->running = false;
    task->over = false;
    if (came == Came::kDone || task->unwanted) {
      tasks.erase(task->id);
      stale = true;  // it may be wanted from somewhere else by now
    }
    changed.notify_all();
  }
}

std::vector<Wanted> UrlFetcher::Impl::read_wanted() const {
  std::vector<Wanted> wanted;
  try {
    for (const auto id : service->views().firmware_to_fetch()) {
      if (const auto row = service->views().firmware(id)) {
        wanted.push_back({id, row->firmware.record.sha256, row->firmware.record.file_url});
      }
    }
  } catch (const std::exception& fault) {  // health names the views
    spdlog::error("fetching firmware: {}", fault.what());
  }
  return wanted;
}

void UrlFetcher::Impl::take_over(const std::vector<Wanted>& wanted) {
  std::set<domain::FirmwareId> ids;
  for (const auto& w : wanted) {
    ids.insert(w.id);
    auto& task = tasks[w.id];
    if (!task) task = std::make_shared<Task>();
    task->unwanted = false;
    if (task->url == w.url) continue;
    // New, or to be had from somewhere else: at once.
    task->id = w.id;
    task->sha256 = w.sha256;
    task->url = w.url;
    task->next = Clock::now();
    task->failures = task->beginnings = 0;
    task->refused_since.reset();
    task->over = task->running;
  }
  std::erase_if(tasks, [&](const auto& entry) {
    auto& task = *entry.second;
    if (ids.contains(entry.first)) return false;
    task.over = task.unwanted = task.running;
    return !task.running;
  });
}

std::set<Sha256> UrlFetcher::Impl::running_now() const {
  std::set<Sha256> running;
  for (const auto& [id, task] : tasks) {
    if (task->running) running.insert(task->sha256);
  }
  return running;
}

// Who waits longest; the same bytes are brought once.
TaskPtr UrlFetcher::Impl::next_due() const {
  const auto running = running_now();
  TaskPtr first;
  for (const auto& [id, task] : tasks) {
    if (running.contains(task->sha256) || task->next > Clock::now()) continue;
    if (!first || task->next < first->next) first = task;
  }
  return first;
}

void UrlFetcher::Impl::wait(std::unique_lock<std::mutex>& lock) {
  const auto running = running_now();
  std::optional<Clock::time_point> next;
  for (const auto& [id, task] : tasks) {
    // The thread that brings those bytes wakes this one.
    if (!running.contains(task->sha256) && (!next || task->next < *next)) next = task->next;
  }
  if (next) {
    changed.wait_until(lock, *next);
  } else {
    changed.wait(lock);
  }
}

// ---- one try -----------------------------------------------------------------------------------------------------

Came UrlFetcher::Impl::attempt(Task& task) {
  try {
    return try_once(task);
  } catch (const std::exception& fault) {  // the disk is full, as a rule
    return failed(task, {End::kAgain, fault.what(), {}}, false);
  }
}

Came UrlFetcher::Impl::try_once(Task& task) {
  const auto row = service->views().firmware(task.id);
  if (!row || !domain::is_to_fetch(row->firmware)) return Came::kDone;
  const auto& firmware = row->firmware;
  const auto before = task.received.load();
  const auto came = fetch::bring(firmware, artifacts, options.patience, [&](std::uint64_t here) {
    task.received = here;
    return !stopping && !task.over;
  });
  if (came.content) return record(task, firmware, *came.content);
  const auto& ending = came.ending;
  if (ending.end == End::kOver) return Came::kLater;
  const bool bytes_came = task.received > before;
  bool final = ending.end == End::kOther;
  {
    const std::lock_guard lock(mutex);
    if (ending.end == End::kStartAnew) {
      task.received = 0;
      final = ++task.beginnings >= fetch::limits::kBeginnings;
    }
    if (ending.end == End::kRefused) {
      if (!task.refused_since || bytes_came) task.refused_since = Clock::now();
      final = Clock::now() - *task.refused_since >= options.refusals_max;
    }
  }
  if (!final) return failed(task, ending, bytes_came);
  return record(task, firmware, domain::GiveUpContent{firmware.record.file_url, fit_for_log(ending.why)});
}

Came UrlFetcher::Impl::record(Task& task, const domain::Firmware& firmware, domain::FirmwareCommand command) {
  const auto* given_up = std::get_if<domain::GiveUpContent>(&command);
  const std::string why = given_up ? given_up->reason : "";
  actors::Meta meta;
  meta.causation = projections::to_store(firmware.position);
  const auto answer = service->firmware(task.id, std::move(command), std::move(meta));
  if (!answer) return failed(task, {End::kAgain, answer.error().message, {}}, false);
  const auto id = domain::to_text(task.id);
  const auto from = domain::without_query(firmware.record.file_url);
  const std::lock_guard lock(mutex);
  if (why.empty()) {
    ++brought;
    spdlog::info("firmware {}: {} bytes were fetched from {}", id, firmware.record.facts.file_size, from);
  } else {
    last_error = fmt::format("firmware {}: {}", id, why);
    spdlog::error("firmware {}: given up to fetch it from {}: {}", id, from, why);
  }
  return Came::kDone;
}

Came UrlFetcher::Impl::failed(Task& task, const fetch::Ending& ending, bool bytes_came) {
  using std::chrono::milliseconds;
  const std::lock_guard lock(mutex);
  if (bytes_came && ending.end != End::kStartAnew) task.failures = 0;
  auto pause = options.retry_min;
  for (unsigned i = 0; i < task.failures && pause < options.retry_max; ++i) pause *= 2;
  if (ending.retry_after) pause = std::max(pause, std::chrono::duration_cast<milliseconds>(*ending.retry_after));
  pause = std::min(pause, options.retry_max);
  ++task.failures;
  task.next = Clock::now() + pause;
  const auto why = fit_for_log(ending.why);
  if (task.last_error != why) {  // a failure that lasts is logged once
    spdlog::warn("firmware {}: not fetched from {}: {}; it will be tried again", domain::to_text(task.id),
                 domain::without_query(task.url), why);
  }
  task.last_error = why;
  last_error = fmt::format("firmware {}: {}", domain::to_text(task.id), why);
  return Came::kLater;
}

// ---- for others --------------------------------------------------------------------------------------------------

UrlFetcher::UrlFetcher(actors::ArtifactStore& artifacts, UrlFetcherOptions options)
    : impl_(std::make_unique<Impl>(artifacts, options)) {
  static const CURLcode started = curl_global_init(CURL_GLOBAL_DEFAULT);
  if (started != CURLE_OK) {
    throw std::runtime_error(fmt::format("libcurl cannot be started: {}", curl_easy_strerror(started)));
  }
}

UrlFetcher::~UrlFetcher() { stop(); }

eventstore::Tail& UrlFetcher::tail() { return *impl_; }

void UrlFetcher::start(actors::Service& service) {
  impl_->service = &service;
  for (std::size_t i = 0; i < fetch::limits::kAtOnce; ++i) {
    impl_->threads.emplace_back([impl = impl_.get()] { impl->work(); });
  }
}

void UrlFetcher::stop() {
  {
    const std::lock_guard lock(impl_->mutex);
    impl_->stopping = true;
  }
  impl_->changed.notify_all();
  for (auto& thread : impl_->threads) thread.join();
  impl_->threads.clear();
}

std::optional<actors::FetchState> UrlFetcher::state(domain::FirmwareId firmware) const {
  const std::lock_guard lock(impl_->mutex);
  const auto found = impl_->tasks.find(firmware);
  if (found == impl_->tasks.end()) return std::nullopt;
  const auto& task = *found->second;
  actors::FetchState state{task.running, task.received, task.last_error, std::chrono::seconds(0)};
  if (const auto wait = task.next - Clock::now(); !task.running && wait > Clock::duration::zero()) {
    state.next_try_in = std::chrono::ceil<std::chrono::seconds>(wait);
  }
  return state;
}

UrlFetcher::Summary UrlFetcher::summary() const {
  const std::lock_guard lock(impl_->mutex);
  Summary summary{0, 0, impl_->brought, impl_->last_error};
  for (const auto& [id, task] : impl_->tasks) ++(task->running ? summary.running : summary.waiting);
  return summary;
}

}  // namespace ota::gateways
