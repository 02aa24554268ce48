#include "tools/otactl/event_messages.hpp"

#include <fmt/format.h>

#include <utility>

#include "tools/otactl/failure.hpp"

namespace ota::ctl {

void EventMessages::add(std::string_view bytes, const std::function<void(const EventMessage&)>& take) {
  while (!bytes.empty()) {
    if (std::exchange(after_cr_, false) && bytes.front() == '\n') bytes.remove_prefix(1);
    const auto end = bytes.find_first_of("\r\n");
    line_ += bytes.substr(0, end);
    if (line_.size() + message_.data.size() > kMessageBytes) {
      throw Failure(kExitFailed, fmt::format("the service sends a message of more than {} bytes", kMessageBytes));
    }
    if (end == std::string_view::npos) return;
    after_cr_ = bytes[end] == '\r';
    bytes.remove_prefix(end + 1);
    end_line(take);
    line_.clear();
  }
}

void EventMessages::begin_anew() {
  line_.clear();
  after_cr_ = false;
  has_data_ = false;
  message_ = EventMessage{std::move(message_.id), {}, {}};
}

void EventMessages::end_line(const std::function<void(const EventMessage&)>& take) {
  if (!line_.empty()) {
    const std::string_view line = line_;
    const auto colon = line.find(':');
    auto value = colon == std::string_view::npos ? std::string_view() : line.substr(colon + 1);
    if (value.starts_with(' ')) value.remove_prefix(1);
    return take_field(line.substr(0, colon), value);
  }
  if (std::exchange(has_data_, false)) take(message_);
  message_.type.clear();
  message_.data.clear();
}

void EventMessages::take_field(std::string_view name, std::string_view value) {
  if (name == "id") message_.id = value;
  if (name == "event") message_.type = value;
  if (name != "data") return;
  if (std::exchange(has_data_, true)) message_.data += '\n';
  message_.data += value;
}

}  // namespace ota::ctl
