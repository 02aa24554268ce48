#include "tools/otasim/download.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "tools/otasim/answer_class.hpp"
#include "tools/otasim/backoff.hpp"

namespace ota::sim {

Download::Download(World& world, const DeviceProfile& profile, std::string action,
                   const Artifact& artifact, std::optional<DownloadCut> cut, Flash& flash,
                   OnEnd on_end)
    : world_(world),
      profile_(profile),
      action_(std::move(action)),
      artifact_(artifact),
      url_(profile.style().ignores_link_hosts ? world.on_server(artifact.url) : artifact.url),
      cut_(cut),
      flash_(flash),
      on_end_(std::move(on_end)) {}

void Download::start() {
  if (const auto part = flash_.parts.find(artifact_.sha256); part != flash_.parts.end())
    digest_ = part->second;
  if (digest_.bytes() >= artifact_.size) return verify();
  profile_.style().heads_artifacts ? ask_size() : fetch();
}

void Download::ask_size() {
  HttpRequest request;
  request.caller = profile_.caller;
  request.method = Method::kHead;
  request.is_artifact = true;
  request.url = url_;
  request_ = world_.http.send(std::move(request), [this](const HttpAnswer& answer) {
    if (answer.ok() && answer.head.length != artifact_.size)
      world_.violation(profile_.id,
                       fmt::format("HEAD of {} says {} bytes, the deployment {}", artifact_.url,
                                   answer.head.length.value_or(-1), artifact_.size));
    fetch();
  });
}

void Download::fetch() {
  resumed_from_ = digest_.bytes();
  ++world_.stats.downloads;
  if (resumed_from_ > 0) ++world_.stats.downloads_resumed;
  world_.journal.fact(profile_.id, "download_started",
                      {{"action", action_}, {"file", artifact_.filename}, {"from", resumed_from_}});
  HttpRequest request;
  request.caller = profile_.caller;
  request.is_artifact = true;
  request.url = url_;
  request.resume_from = resumed_from_;
  if (profile_.slow) request.bytes_per_s_max = world_.options.faults.slow_bytes_per_s;
  request.on_data = [this](const HttpHead& head, std::string_view bytes) {
    return take(head, bytes);
  };
  request_ =
      world_.http.send(std::move(request), [this](const HttpAnswer& answer) { ended(answer); });
}

// Runs while the connection is read: takes bytes and keeps flags, ended() draws the conclusions.
Taken Download::take(const HttpHead& head, std::string_view bytes) {
  const bool whole = head.status == 200 && resumed_from_ == 0;
  const bool rest = head.status == 206 && resumed_from_ > 0 && head.range_start == resumed_from_;
  if (!whole && !rest)
    return Taken::kAll;  // the body of an error, or bytes that we did not ask for
  world_.stats.bytes_downloaded += static_cast<std::int64_t>(bytes.size());
  if (digest_.bytes() + static_cast<std::int64_t>(bytes.size()) > artifact_.size) {
    too_long_ = true;
    return Taken::kNotWanted;
  }
  if (cut_)
    take_until_cut(bytes);
  else
    digest_.update(bytes);
  return power_lost_ ? Taken::kPowerLost : Taken::kAll;
}

void Download::take_until_cut(std::string_view bytes) {
  const auto take_to = [&](std::int64_t position) {
    const std::int64_t count = std::clamp<std::int64_t>(position - digest_.bytes(), 0,
                                                        static_cast<std::int64_t>(bytes.size()));
    digest_.update(bytes.substr(0, static_cast<std::size_t>(count)));
    bytes.remove_prefix(static_cast<std::size_t>(count));
    return digest_.bytes() == position;
  };
  if (digest_.bytes() <= cut_->persisted && take_to(cut_->persisted))
    flash_.parts.insert_or_assign(artifact_.sha256, digest_);
  if (take_to(cut_->at_byte)) power_lost_ = true;
}

void Download::ended(const HttpAnswer& answer) {
  if (power_lost_) return end(End::kPowerCut, "power cut");
  world_.journal.fact(profile_.id, "download_ended",
                      {{"action", action_},
                       {"file", artifact_.filename},
                       {"status", std::int64_t{answer.head.status}},
                       {"bytes", digest_.bytes()},
                       {"complete", answer.complete},
                       {"error", answer.error}});
  if (too_long_) return verify();
  if (const std::string wrong = wrong_answer(answer); !wrong.empty()) {
    world_.violation(profile_.id, wrong);
    return end(End::kRefused, wrong);
  }
  if (answer.complete && (answer.head.status == 200 || answer.head.status == 206)) return verify();
  if (!answer.complete || classify(answer, profile_.style()) == AnswerClass::kLater)
    return retry(answer);
  end(End::kRefused, fmt::format("artifact answered {}", answer.head.status));
}

// Real clients end the update when a range is not honoured exactly (ddi.md 9).
std::string Download::wrong_answer(const HttpAnswer& answer) const {
  const long status = answer.head.status;
  if (status == 200 && resumed_from_ > 0)
    return fmt::format("range from {} of {} answered with 200", resumed_from_, artifact_.url);
  if (status == 416)
    return fmt::format("range from {} of {} bytes of {} answered with 416", resumed_from_,
                       artifact_.size, artifact_.url);
  if (status == 206 && (resumed_from_ == 0 || answer.head.range_start != resumed_from_))
    return fmt::format("range from {} of {} answered with bytes from {}", resumed_from_,
                       artifact_.url, answer.head.range_start.value_or(-1));
  return {};
}

void Download::retry(const HttpAnswer& answer) {
  ++world_.stats.downloads_broken;
  fruitless_tries_ = digest_.bytes() > resumed_from_ ? 1 : fruitless_tries_ + 1;
  const unsigned tries_max = profile_.style().download_tries_max;
  if (tries_max == 0) {
    if (digest_.bytes() > 0) flash_.parts.insert_or_assign(artifact_.sha256, digest_);
    return end(End::kBrokenOff, answer.error);
  }
  if (fruitless_tries_ > tries_max)
    return end(
        End::kRefused,
        fmt::format("gave up at byte {}: {}", digest_.bytes(),
                    answer.complete ? fmt::format("status {}", answer.head.status) : answer.error));
  const double spread = world_.choices.fraction(
      profile_.id, action_, fmt::format("download-retry-{}-{}", digest_.bytes(), fruitless_tries_));
  retry_ = world_.after(backoff(fruitless_tries_, spread), [this] { fetch(); });
}

void Download::verify() {
  const bool ok = !too_long_ && digest_.bytes() == artifact_.size &&
                  digest_.hashes() == Hashes{artifact_.sha256, artifact_.sha1};
  world_.journal.fact(profile_.id, "verified",
                      {{"action", action_}, {"file", artifact_.filename}, {"ok", ok}});
  if (ok) {
    flash_.parts.insert_or_assign(artifact_.sha256, std::move(digest_));
    return end(End::kVerified, {});
  }
  ++world_.stats.hash_mismatches;
  flash_.parts.erase(artifact_.sha256);
  end(End::kWrongBytes, fmt::format("{}: {} bytes received, {} declared, or their hashes differ",
                                    artifact_.filename, digest_.bytes(), artifact_.size));
}

void Download::end(End how, const std::string& why) {
  const OnEnd on_end = std::move(on_end_);
  on_end(how, why);  // last: it may destroy this
}

}  // namespace ota::sim
