// What users want for their devices, by token.
#pragma once

#include <optional>
#include <vector>

#include "domain/user/user.hpp"
#include "projections/view.hpp"

namespace ota::projections {

template <>
struct RowCodec<domain::User> {
  static std::string encode(const domain::User& user);
  static std::optional<domain::User> decode(std::string_view bytes);
};

class UserView final : public View {
 public:
  explicit UserView(Rows& rows);

  std::string_view name() const override { return "users"; }
  void apply(Change& change) override;
  void commit() override { users_.commit(); }

 private:
  RowCache<domain::User> users_;
};

// Empty: nothing is known of them.
std::optional<domain::User> user(const Reader& reader, domain::Caller token);
// Whose names may stand nowhere any more.
std::vector<domain::Caller> erased_users(const Reader& reader);

}  // namespace ota::projections
