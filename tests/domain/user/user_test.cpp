// Users: their preferences, and that they are forgotten (decision 18).
#include "domain/user/user.hpp"

#include <doctest/doctest.h>

#include "tests/domain/given.hpp"

using namespace ota::domain;
using namespace ota::domain::testing;

namespace {

constexpr Caller kAnna{0xa};

User folded(const std::vector<Event>& events) {
  User user;
  user.token = kAnna;
  std::uint64_t position = 0;
  for (const auto& event : events) evolve(user, {{++position}, kBefore, UserStream{kAnna}, event, {}, {}});
  return user;
}

Decision decided(const std::vector<Event>& events, const UserCommand& command) {
  const Settings settings;
  return decide(folded(events), command, {kNow, {}, settings});
}

}  // namespace

TEST_CASE("decision 18: preferences take the place of the last ones, and the same again writes nothing") {
  const auto wanted = ChangePreferences{true, kNow + hours(1)};
  const auto first = decided({}, wanted);
  REQUIRE(first.ok());
  REQUIRE(first.value().size() == 1);
  CHECK(first.value()[0].stream == Stream(UserStream{kAnna}));
  CHECK(first.value()[0].event == Event(UserPreferencesChanged{true, kNow + hours(1)}));
  CHECK(decided({UserPreferencesChanged{true, kNow + hours(1)}}, wanted).value().empty());
  CHECK(decided({}, ChangePreferences{}).value().empty());
  const auto user = folded({UserPreferencesChanged{true, kNow}, UserPreferencesChanged{}});
  CHECK_FALSE(user.beta_opt_in);
  CHECK_FALSE(user.paused_until);
  CHECK(user.revision == 2);
}

TEST_CASE("decision 18: a deleted user has no preferences, is erased once, and wants nothing any more") {
  const std::vector<Event> before{UserPreferencesChanged{true, kNow}};
  const auto erased = decided(before, EraseUser{});
  REQUIRE(erased.ok());
  CHECK(erased.value()[0].event == Event(SubjectErased{kAnna}));
  const std::vector<Event> after{before[0], SubjectErased{kAnna}};
  CHECK(folded(after).erased);
  CHECK_FALSE(folded(after).beta_opt_in);
  CHECK(decided(after, EraseUser{}).value().empty());
  CHECK_FALSE(decided(after, ChangePreferences{true, {}}).ok());
}
