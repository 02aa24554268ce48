// Conditional requests: If-Match and If-None-Match. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace ota::http {

// Whether a list of entity tags holds `etag` (given without quotes) or is "*". Items may be quoted,
// bare (as some devices send them) or weak; a weak one matches only where `weak_counts`
// (If-None-Match does).
bool etag_list_holds(std::string_view list, std::string_view etag, bool weak_counts);

// The If-Match of a mutation: which revision the caller has seen (spec/api.md section 1).
class IfMatch {
 public:
  IfMatch() = default;  // absent: every revision will do
  explicit IfMatch(std::optional<std::string_view> header) : header_(header) {}
  bool is_present() const { return header_.has_value(); }
  // False: answer PreconditionFailed.
  bool allows(std::uint64_t revision) const;
  // The one revision that is asked for; empty if absent, "*", a list, or not a number (which allows
  // none).
  std::optional<std::uint64_t> revision() const;

 private:
  std::optional<std::string_view> header_;
};

}  // namespace ota::http
