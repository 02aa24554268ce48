// Which devices of a campaign's rollback are still to be looked at for having no way back (decision 10): each once, once more
// behind the deadline, and whoever has become one of them since.
#pragma once

#include <cstdint>

#include "domain/campaign/campaign.hpp"

namespace ota::actors {

class RollbackSearch {
 public:
  void add(std::uint32_t ordinal) { left_.add(ordinal); }
  // What its present rollback adds by now.
  void follow(const domain::Campaign& state, domain::Time now) {
    if (looked_through_ != state.rollback.number) {
      looked_through_ = state.rollback.number;
      left_ = state.to_take_back();
    }
    if (state.rollback.give_up_at <= now && gave_up_on_ != state.rollback.number) {
      gave_up_on_ = state.rollback.number;
      left_ = state.to_take_back();
    }
  }
  bool is_done() const { return left_.isEmpty(); }
  std::uint32_t take() {
    const auto ordinal = left_.minimum();
    left_.remove(ordinal);
    return ordinal;
  }

 private:
  std::uint32_t looked_through_ = 0;      // the rollback whose devices are, or were, looked through
  std::uint32_t gave_up_on_ = 0;          // and once more, behind its deadline
  domain::Bitmap left_;
};

}  // namespace ota::actors
