#include "projections/user_view.hpp"

#include "projections/limits.hpp"

namespace ota::projections {
namespace {

std::string user_key(domain::Caller token) { return key_in(Table::kUser).u64(token.token).take(); }

}  // namespace

std::string RowCodec<domain::User>::encode(const domain::User& u) {
  return BytesOut()
      .u64(u.token.token)
      .u8(u.beta_opt_in ? 1 : 0)
      .u8(u.paused_until ? 1 : 0)
      .time(u.paused_until.value_or(domain::Time{}))
      .u8(u.erased ? 1 : 0)
      .time(u.updated_at)
      .u32(u.revision)
      .u64(u.position.value)
      .take();
}
std::optional<domain::User> RowCodec<domain::User>::decode(std::string_view bytes) {
  BytesIn in(bytes);
  domain::User u;
  u.token.token = in.u64();
  u.beta_opt_in = in.u8() != 0;
  const bool paused = in.u8() != 0;
  const auto until = in.time();
  if (paused) u.paused_until = until;
  u.erased = in.u8() != 0;
  u.updated_at = in.time();
  u.revision = in.u32();
  u.position.value = in.u64();
  return in.complete() ? std::optional(u) : std::nullopt;
}

UserView::UserView(Rows& rows) : users_(rows, limits::kCachedCounters) {}

void UserView::apply(Change& change) {
  const auto* stream = std::get_if<domain::UserStream>(&change.event.stream);
  if (stream) domain::evolve(users_.edit_or_make(user_key(stream->token)), change.event);
}

std::optional<domain::User> user(const Reader& reader, domain::Caller token) {
  return reader.row<domain::User>(user_key(token));
}

std::vector<domain::Caller> erased_users(const Reader& reader) {
  std::vector<domain::Caller> erased;
  for (Range rows(reader, key_in(Table::kUser).take()); rows.valid(); rows.next()) {
    const auto user = Reader::decoded<domain::User>(rows.value());
    if (user.erased) erased.push_back(user.token);
  }
  return erased;
}

}  // namespace ota::projections
