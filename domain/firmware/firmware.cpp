#include "domain/firmware/firmware.hpp"

#include <fmt/format.h>

namespace ota::domain {
namespace {

using Md5 = std::array<std::uint8_t, 16>;

bool is_known(const Md5& md5) { return md5 != Md5{}; }

std::string name_of(const FirmwareRegistered& r) { return fmt::format("{} {}", r.name, r.facts.version); }

struct Fold {
  Firmware& s;
  const Recorded& r;

  void operator()(const FirmwareRegistered& e) {
    s.exists = true;
    s.record = e;
    s.created_by = r.caller;
    s.created_at = r.time;
  }
  void operator()(const FirmwareContentStored& e) {
    s.content_here = true;
    s.content_error.clear();
    s.sha1 = e.sha1;
    if (is_known(e.md5)) s.record.md5 = e.md5;
  }
  void operator()(const FirmwareContentFailed& e) { s.content_error = e.reason; }
  void operator()(const FirmwareSourceChanged& e) {
    s.record.file_url = e.file_url;
    s.record.kept_elsewhere = e.kept_elsewhere;
    s.content_error.clear();
  }
  void operator()(const FirmwareDeprecated& e) {
    s.status = FirmwareStatus::kDeprecated;
    s.status_reason = e.reason;
  }
  void operator()(const FirmwareRestored& e) {
    s.status = FirmwareStatus::kAvailable;
    s.status_reason = e.reason;
  }
  void operator()(const FirmwareRecalled& e) {
    s.status = FirmwareStatus::kRecalled;
    s.status_reason = e.reason;
  }
  template <class Other>
  void operator()(const Other&) {}
};

Events one(const Firmware& s, Event event) {
  return {{s.record.id, std::move(event), std::nullopt}};
}

FirmwareContentStored stored(const Firmware& s, const std::array<std::uint8_t, 20>& sha1, const Md5& md5) {
  return {sha1, is_known(s.record.md5) ? Md5{} : md5};
}

// Same key, same bytes: the record that is there (BR-OTA-005); other bytes must not pass for it (decision 1). While its
// bytes are not here they may come with this registration, or it tells where they are (decision 29).
Decision again(const Firmware& s, const RegisterFirmware& c) {
  const auto& r = c.record;
  if (!same_bytes(s.record, r)) {
    return DomainError{ErrorCode::kDuplicate,
                       fmt::format("firmware {} for {} is registered with other bytes: {}", name_of(s.record),
                                   s.record.facts.device_model, to_text(s.record.id)),
                       {}, {}, {}, {}};
  }
  if (s.content_here) return Events{};
  if (c.sha1) return one(s, stored(s, *c.sha1, r.md5));
  if (r.file_url.empty() || s.status == FirmwareStatus::kRecalled) return Events{};
  const bool same_source = r.file_url == s.record.file_url && r.kept_elsewhere == s.record.kept_elsewhere;
  if (same_source && s.content_error.empty()) return Events{};
  return one(s, FirmwareSourceChanged{r.file_url, r.kept_elsewhere});
}

Decision on(const Firmware& s, const RegisterFirmware& c, const Context&) {
  if (s.exists) return again(s, c);
  Events events{{c.record.id, c.record, std::nullopt}};
  if (c.sha1) events.push_back({c.record.id, FirmwareContentStored{*c.sha1}, std::nullopt});
  return events;
}

Decision on(const Firmware& s, const StoreContent& c, const Context&) {
  if (!s.exists) return not_found("Firmware", to_text(s.record.id));
  if (s.content_here) return Events{};
  FirmwareRegistered found = s.record;
  found.sha256 = c.sha256;
  found.md5 = c.md5;
  found.facts.file_size = c.size;
  if (!same_bytes(s.record, found)) {
    return invalid("content", fmt::format("{} bytes with the SHA-256 {} are not those of firmware {}", c.size,
                                          to_hex(view_of(c.sha256)), to_text(s.record.id)));
  }
  return one(s, stored(s, c.sha1, c.md5));
}

// Of a source that is no longer the one, or that nobody asks, this says nothing.
Decision on(const Firmware& s, const GiveUpContent& c, const Context&) {
  if (!s.exists) return not_found("Firmware", to_text(s.record.id));
  if (!is_to_fetch(s) || c.file_url != s.record.file_url) return Events{};
  return one(s, FirmwareContentFailed{c.reason});
}

Decision on(const Firmware& s, const DeprecateFirmware& c, const Context&) {
  if (!s.exists) return not_found("Firmware", to_text(s.record.id));
  if (s.status == FirmwareStatus::kDeprecated) return Events{};
  if (s.status == FirmwareStatus::kRecalled) {
    return wrong_state("firmware", to_text(s.status), "deprecate", {"available"});
  }
  return one(s, FirmwareDeprecated{c.reason});
}

Decision on(const Firmware& s, const RestoreFirmware& c, const Context&) {
  if (!s.exists) return not_found("Firmware", to_text(s.record.id));
  if (s.status == FirmwareStatus::kAvailable) return Events{};
  if (s.status == FirmwareStatus::kRecalled) {
    return wrong_state("firmware", to_text(s.status), "restore", {"deprecated"});
  }
  return one(s, FirmwareRestored{c.reason});
}

// For good: what was wrong with these bytes stays wrong (decision 2).
Decision on(const Firmware& s, const RecallFirmware& c, const Context&) {
  if (!s.exists) return not_found("Firmware", to_text(s.record.id));
  if (s.status == FirmwareStatus::kRecalled) return Events{};
  return one(s, FirmwareRecalled{c.reason});
}

}  // namespace

Content content_of(const Firmware& f) {
  if (f.content_here) return Content::kHere;
  return f.content_error.empty() ? Content::kPending : Content::kFailed;
}

std::string_view to_text(Content content) {
  switch (content) {
    case Content::kHere: return "here";
    case Content::kPending: return "pending";
    case Content::kFailed: return "failed";
  }
  return "unknown";
}

std::optional<Content> parse_content(std::string_view word) {
  for (const auto content : {Content::kHere, Content::kPending, Content::kFailed}) {
    if (word == to_text(content)) return content;
  }
  return std::nullopt;
}

bool is_to_fetch(const Firmware& f) {
  return f.exists && !f.content_here && f.content_error.empty() && !f.record.file_url.empty() &&
         !f.record.kept_elsewhere && f.status != FirmwareStatus::kRecalled;
}

std::string why_not_here(const Firmware& f) {
  const auto url = without_query(f.record.file_url);
  if (f.content_here) return {};
  if (f.record.kept_elsewhere) {
    return fmt::format("firmware {} stays at {} (\"fetch\": false): it is never offered to devices that poll",
                       name_of(f.record), url);
  }
  if (!f.content_error.empty()) {
    return fmt::format("the content of firmware {} could not be fetched: {}", name_of(f.record), f.content_error);
  }
  return fmt::format("the content of firmware {} is not here yet: it is fetched from {}", name_of(f.record), url);
}

std::string_view without_query(std::string_view url) { return url.substr(0, url.find_first_of("?#")); }

bool same_bytes(const FirmwareRegistered& a, const FirmwareRegistered& b) {
  const bool other_md5 = is_known(a.md5) && is_known(b.md5) && a.md5 != b.md5;
  return a.sha256 == b.sha256 && a.facts.file_size == b.facts.file_size && !other_md5;
}

void evolve(Firmware& state, const Recorded& event) {
  std::visit(Fold{state, event}, event.event);
  state.updated_at = event.time;
  state.position = event.position;
  ++state.revision;
}

Decision decide(const Firmware& state, const FirmwareCommand& command, const Context& context) {
  return std::visit([&](const auto& c) { return on(state, c, context); }, command);
}

}  // namespace ota::domain
