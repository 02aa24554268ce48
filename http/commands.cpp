#include "http/commands.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <memory>

#include <fmt/format.h>

#include "http/kept_answer.hpp"
#include "http/limits.hpp"
#include "http/text.hpp"

namespace ota::http {
namespace {

constexpr std::uint32_t kBusyRetry = 1;          // seconds
constexpr std::uint32_t kUnavailableRetry = 5;
constexpr std::uint32_t kQuotaRetry = 60;

eventstore::CommandId first_half(const eventstore::Hash& hash) {
  eventstore::CommandId id;
  std::copy_n(hash.begin(), id.bytes.size(), id.bytes.begin());
  return id;
}

// Nobody may act under a name that the log would not show.
std::optional<Problem> check_user(const RequestContext& context) {
  const auto user = context.header("X-User-Id").value_or("");
  const auto at = nlohmann::json::array({"header", "X-User-Id"});
  if (user.size() > limits::kUserIdBytes) {
    return Problem::invalid_field(
        at,
        fmt::format("X-User-Id must have at most {} bytes, got {} in '{}'", limits::kUserIdBytes,
                    user.size(), shown(user)),
        "string_too_long");
  }
  if (!count_characters(user)) {
    return Problem::invalid_field(at, fmt::format("X-User-Id must be UTF-8 text, got '{}'", shown(user)), "string_unicode");
  }
  return std::nullopt;
}

// Refusals are answers too, unless they say "not now", or what is wrong with the request itself: that is said again, and it
// quotes what was sent, which may be a name. What two have asked for at once is kept once.
void keep_answer(RequestContext& context, const actors::Service& service, const actors::Meta& meta) {
  context.when_answered([&service, command = *meta.command, request = meta.request](const httplib::Response& response) {
    constexpr std::array kNotKept{400, 422, 429};
    if (response.status < 200 || response.status >= 500 || std::ranges::find(kNotKept, response.status) != kNotKept.end()) return;
    if (!service.log().answer(command, service.now())) service.journal().keep_answer(command, to_keep(service, request, response));
  });
}

}  // namespace

Problem problem_of(const domain::DomainError& e) {
  switch (e.code) {
    case domain::ErrorCode::kInvalid:
      return Problem::invalid_field(nlohmann::json::array({"body", e.field}), e.message, "value_error");
    case domain::ErrorCode::kNotFound: return Problem::not_found(e.message);
    case domain::ErrorCode::kStateTransition:
      return Problem::state_transition(e.message, e.current_state, e.requested, e.allowed);
    case domain::ErrorCode::kDuplicate: return Problem::duplicate(e.message);
    case domain::ErrorCode::kRevision: return Problem::precondition_failed(e.message);
    case domain::ErrorCode::kQuota: return Problem::rate_limited(e.message, kQuotaRetry);
    case domain::ErrorCode::kBusy: return Problem::unavailable(e.message, kBusyRetry);
    case domain::ErrorCode::kUnavailable: return Problem::unavailable(e.message, kUnavailableRetry);
  }
  return Problem::internal();
}

eventstore::Hash hash_of(std::initializer_list<std::string_view> parts) {
  eventstore::Hash digest{};
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  EVP_DigestInit_ex(context.get(), EVP_sha256(), nullptr);
  for (const auto part : parts) EVP_DigestUpdate(context.get(), part.data(), part.size());
  EVP_DigestFinal_ex(context.get(), digest.data(), nullptr);
  return digest;
}

std::variant<actors::Meta, Problem> meta_of(const RequestContext& context, const actors::Service& service,
                                            std::uint16_t status) {
  actors::Meta meta;
  meta.status = status;
  if (auto problem = check_user(context)) return *std::move(problem);
  meta.caller = service.caller_of(context.user_id());
  if (context.request_id_is_callers()) meta.correlation = context.request_id();
  if (const auto key = context.idempotency_key()) {
    if (key->empty() || key->size() > limits::kIdempotencyKeyBytes) {
      return Problem::invalid_field({"header", "Idempotency-Key"},
                                    fmt::format("1 to {} bytes are allowed", limits::kIdempotencyKeyBytes),
                                    "string_too_long");
    }
    const auto token = projections::to_store(meta.caller);
    meta.command = first_half(hash_of({domain::view_of(token.bytes), *key}));
    meta.repeatable = true;
  } else if (context.request_id_is_callers()) {
    eventstore::CommandId random;
    const auto bytes = actors::random_bytes(random.bytes.size());
    std::copy(bytes.begin(), bytes.end(), random.bytes.begin());
    meta.command = random;
  } else if (const auto bytes = domain::from_hex(context.request_id()); bytes && bytes->size() == 16) {
    // An id of ours is the command id in hexadecimal, and not stored twice.
    meta.command.emplace();
    std::copy(bytes->begin(), bytes->end(), meta.command->bytes.begin());
  }
  meta.if_match = revisions_of(context.header("If-Match"));
  return meta;
}

eventstore::CommandId command_for(const domain::Caller& caller, std::string_view key, const domain::DeviceId& device) {
  const auto token = projections::to_store(caller);
  // A line's end is in no key and in no id: without it the key "a" of device "bc" were the key "ab" of device "c".
  return first_half(hash_of({domain::view_of(token.bytes), key, "\n", device.value}));
}

actors::Meta device_meta(const RequestContext& context) {
  actors::Meta meta;
  if (context.request_id_is_callers()) meta.correlation = context.request_id();
  return meta;
}

std::optional<Problem> other_request(const eventstore::CommandRecord& record, const actors::Meta& meta) {
  if (record.request == meta.request) return std::nullopt;
  return key_reused();
}

Before look_back(RequestContext& context, const actors::Service& service, std::string_view asked, actors::Meta& meta) {
  if (!meta.repeatable) return {};
  meta.request = hash_of({context.method(), " ", context.path(), "\n", asked});
  const auto kept_answer = [&] { return service.log().answer(*meta.command, service.now()); };
  auto kept = kept_answer();
  if (!kept) {
    // An answer is handed to the journal before it is sent; so is a command before the views know of it.
    service.settle();
    kept = kept_answer();
  }
  if (kept && answer_as_kept(context, service, *kept, meta.request)) return {true, {}};
  const auto record = service.log().command(*meta.command, service.now());
  if (!record) {
    keep_answer(context, service, meta);
    return {};
  }
  if (const auto problem = other_request(*record, meta)) {
    context.answer(*problem);
    return {true, {}};
  }
  service.settle(record->position);  // the answer is read from the views
  return {false, record};
}

std::optional<domain::Stream> stream_at(const actors::Service& service, eventstore::Position position) {
  std::optional<domain::Stream> stream;
  service.log().read_one(position, [&](const eventstore::RecordedEvent& event) {
    stream = domain::parse_stream(event.stream);
    return true;
  });
  return stream;
}

}  // namespace ota::http
