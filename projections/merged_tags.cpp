#include "projections/merged_tags.hpp"

#include <algorithm>

#include "projections/decoded.hpp"
#include "projections/limits.hpp"

namespace ota::projections {
namespace {

// The events of one tag, of which a few are in memory.
class TagInPieces {
 public:
  TagInPieces(const eventstore::Log& log, const std::string& tag, domain::Position after, domain::Position until)
      : log_(log), tag_(tag), after_(after), until_(until) {}

  // The next one; null: there is none.
  const domain::Recorded* next() {
    if (at_ == piece_.size() && !is_last_) read_piece();
    return at_ < piece_.size() ? &piece_[at_] : nullptr;
  }
  void pass() { ++at_; }

 private:
  void read_piece() {
    piece_.clear();
    at_ = 0;
    log_.read_tag(tag_, to_store(after_), [this](const eventstore::RecordedEvent& event) {
      if (event.position.value > until_.value || piece_.size() == limits::kMergedPieceEvents) return false;
      piece_.push_back(decode_sound(event));
      return true;
    });
    is_last_ = piece_.size() < limits::kMergedPieceEvents;
    if (!piece_.empty()) after_ = piece_.back().position;
  }

  const eventstore::Log& log_;
  const std::string& tag_;
  domain::Position after_;
  const domain::Position until_;
  std::vector<domain::Recorded> piece_;
  std::size_t at_ = 0;
  bool is_last_ = false;
};

}  // namespace

void read_merged(const eventstore::Log& log, const MergedTags& tags, const MergedVisitor& visit) {
  std::vector<TagInPieces> beside;
  for (const auto& tag : tags.others) beside.emplace_back(log, tag, std::max(tags.after, tags.others_after), tags.until);
  const auto give_before = [&](domain::Position position) {
    for (;;) {
      TagInPieces* first = nullptr;
      for (auto& tag : beside) {
        if (tag.next() && (!first || tag.next()->position < first->next()->position)) first = &tag;
      }
      if (!first || first->next()->position >= position) return;
      visit(*first->next(), nullptr);
      first->pass();
    }
  };
  log.read_tag(tags.own, to_store(tags.after), [&](const eventstore::RecordedEvent& event) {
    if (event.position.value > tags.until.value) return false;
    const auto recorded = decode_sound(event);
    give_before(recorded.position);
    visit(recorded, &event);
    return true;
  });
  give_before({UINT64_MAX});
}

void read_merged(const eventstore::Log& log, const std::string& own, const std::vector<std::string>& others,
                 domain::Position after, domain::Position until, const MergedVisitor& visit) {
  read_merged(log, {.own = own, .others = others, .after = after, .others_after = after, .until = until}, visit);
}

}  // namespace ota::projections
