// GET /metrics: how the log and what is derived from it do, for Prometheus (docs/operations.md has the list).
//
// Counters begin at zero with the process; whoever reads them knows that by their fall. A look costs some reads of memory, a row
// of the log, and a walk over the log's directory.
#include <algorithm>
#include <chrono>

#include "actors/backup_keeper.hpp"
#include "actors/log_verifier.hpp"
#include "actors/meters.hpp"
#include "actors/disk_guard.hpp"
#include "actors/views_keeper.hpp"
#include "eventstore/meters.hpp"
#include "http/api.hpp"
#include "http/prometheus_text.hpp"

namespace ota::http {
namespace {

using Unit = PrometheusText::Unit;

double seconds_of(std::chrono::steady_clock::duration took) { return std::chrono::duration<double>(took).count(); }
double seconds_since_epoch(domain::Time time) { return std::chrono::duration<double>(time.time_since_epoch()).count(); }
double as_number(auto value) { return static_cast<double>(value); }

void add_journal(PrometheusText& text, const eventstore::Journal& journal) {
  const auto& meters = journal.meters();
  text.histogram("ota_log_commit_seconds", "Of an append: handed in until durable.", meters.commit_us, Unit::kMicroseconds);
  text.histogram("ota_log_write_seconds", "Of a group: written and synced.", meters.write_us, Unit::kMicroseconds);
  text.histogram("ota_log_fsync_seconds", "Of a group: the fsync alone.", meters.fsync_us, Unit::kMicroseconds);
  text.histogram("ota_log_group_events", "Events that became durable together.", meters.group_events);
  text.histogram("ota_log_group_bytes", "Bytes that became durable together.", meters.group_bytes);
  text.gauge("ota_log_appends_in_flight", "Appends that are queued or not yet told to everybody.", as_number(journal.in_flight()));
  text.gauge("ota_log_stalled_seconds", "For how long no append has ended, though there are some.", seconds_of(journal.stalled_for()));
  text.counter("ota_log_conflicts_total", "Appends that met a newer event and were refused.", journal.metrics().conflicts);
  text.counter("ota_log_snapshots_total", "Snapshots of entities that were taken.", meters.snapshots.load());
  text.counter("ota_log_snapshot_bytes_total", "Bytes of them.", meters.snapshot_bytes.load());
  text.counter("ota_log_checkpoints_total", "Checkpoints of the log that were signed.", meters.checkpoints.load());
}

void add_verified_at(PrometheusText& text, domain::Time time) {
  text.gauge("ota_log_verified_timestamp_seconds", "When the log was verified last, also by an earlier process that found it sound.",
             seconds_since_epoch(time));
}

void add_backups(PrometheusText& text, const actors::BackupKeeper& keeper) {
  if (!keeper.has_place()) return;
  const auto state = keeper.state();
  text.gauge("ota_backup_failing", "1 while the last backup that was to be taken was not, else 0.", state.last_error.empty() ? 0 : 1);
  if (const auto newest = state.newest()) {
    text.gauge("ota_backup_newest_timestamp_seconds", "When the newest backup of this log was taken.", seconds_since_epoch(*newest));
  }
}

void add_log(PrometheusText& text, const Api& api) {
  const auto stats = api.service.log().stats();
  text.gauge("ota_log_head_position", "The newest event.", as_number(stats.events));
  text.gauge("ota_log_disk_bytes", "Bytes of the log on disk.", as_number(stats.disk_bytes));
  if (const auto free = api.service.disk().free_bytes()) {
    text.gauge("ota_log_disk_free_bytes", "Bytes that are free on the disk of the log.", as_number(*free));
  }
  text.gauge("ota_log_disk_full", "1 while nothing is written until there is room (log.keep_free), else 0.", api.service.disk_refusal() ? 1 : 0);
  const auto verification = api.service.verifier().state();
  text.gauge("ota_log_verification_running", "1 while the log is verified.", verification.running_since ? 1 : 0);
  if (!verification.last) {
    // An earlier process knew that it was sound then: whoever waits for a verification need not begin anew with each start.
    if (verification.sound) add_verified_at(text, *verification.sound);
    return;
  }
  const auto& last = *verification.last;
  add_verified_at(text, last.started);
  text.gauge("ota_log_verification_duration_seconds", "How long it took.", seconds_of(last.took));
  text.gauge("ota_log_verified_sound", "1 if it found nothing, else 0.", last.is_sound() ? 1 : 0);
}

// How old the first event is that the views do not show; 0: they show all.
double lag_seconds(const Api& api, std::uint64_t position, std::uint64_t head) {
  double lag = 0;
  if (position >= head) return lag;
  api.service.log().read_one({position + 1}, [&](const eventstore::RecordedEvent& event) {
    lag = std::chrono::duration<double>(api.service.now().time_since_epoch() - event.time.time_since_epoch()).count();
    return false;
  });
  return std::max(lag, 0.0);
}

void add_views(PrometheusText& text, const Api& api) {
  const auto& views = api.service.views();
  const auto position = views.position().value;
  const auto head = api.service.log().head().value;  // read behind the position: never less
  text.gauge("ota_views_position", "The newest event that the views show.", as_number(position));
  text.gauge("ota_views_lag_events", "Events that they do not show yet.", as_number(head - std::min(head, position)));
  text.gauge("ota_views_lag_seconds", "The age of the oldest of these.", lag_seconds(api, position, head));
  text.gauge("ota_views_broken", "1 if a view could not go on, else 0.", views.broken().empty() ? 0 : 1);
  text.gauge("ota_views_disk_bytes", "Bytes of the views on disk, and on the way there.", as_number(views.disk_bytes()));
  const auto state = api.service.views_keeper().state();
  const auto rebuilding = state.running && state.running->work == actors::ViewsKeeper::Work::kRebuild;
  text.gauge("ota_views_rebuild_running", "1 while the views are built once more, else 0.", rebuilding ? 1 : 0);
  text.gauge("ota_views_rebuild_done_events", "Events that the rebuild under way has folded.", rebuilding ? as_number(state.running->done) : 0);
}

void metrics(RequestContext& context, const Api& api) {
  PrometheusText text;
  text.info("ota_build_info", "The version of the service.", "version", api.options.version);
  add_log(text, api);
  add_backups(text, api.service.backups());
  add_journal(text, api.service.journal());
  add_views(text, api);
  text.histogram("ota_entity_activation_seconds", "Of an entity: its state read from snapshot and log.",
                 api.service.meters().activation_us, Unit::kMicroseconds);
  text.gauge("ota_commands_in_flight", "Commands that were taken in and are not answered yet.", as_number(api.service.in_flight()));
  context.answer_text(200, text.take(), PrometheusText::kContentType);
}

}  // namespace

void add_metrics_routes(Router& router, Api& api) {
  router.add("GET", "/metrics", [&api](RequestContext& c) { metrics(c, api); });
}

}  // namespace ota::http
