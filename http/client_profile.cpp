#include "http/client_profile.hpp"

#include <algorithm>
#include <array>

#include "http/text.hpp"

namespace ota::http {
namespace {

constexpr std::array<ClientProfile, 3> kProfiles{{
    {.name = "swupdate", .agent = "libcurl-agent/", .skip_is_success = true, .follows_redirects = true, .loops_at_gone = true},
    {.name = "rauc", .agent = "rauc-hawkbit-c-agent/", .waits_at_skip = true, .follows_redirects = true},
    {.name = "zephyr", .agent = "", .knows_no_skip = true},
}};
constexpr ClientProfile kCareful{};

}  // namespace

std::span<const ClientProfile> client_profiles() { return kProfiles; }

const ClientProfile& client_profile(std::string_view attribute, std::string_view by_model, std::string_view user_agent) {
  const auto find = [](auto holds) {
    const auto found = std::find_if(kProfiles.begin(), kProfiles.end(), holds);
    return found == kProfiles.end() ? nullptr : &*found;
  };
  for (const auto name : {attribute, by_model}) {
    const auto* named = find([&](const auto& profile) { return equals_ignoring_case(profile.name, name); });
    if (named) return *named;
  }
  const auto* seen = find([&](const auto& profile) {
    return !profile.agent.empty() && equals_ignoring_case(user_agent.substr(0, profile.agent.size()), profile.agent);
  });
  return seen ? *seen : kCareful;
}

}  // namespace ota::http
