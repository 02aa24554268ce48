#include "tools/benchmarks/download_plan.hpp"

#include <fmt/format.h>

#include <stdexcept>

#include "tools/benchmarks/firmware_bytes.hpp"

namespace ota::bench {

DownloadPlan::DownloadPlan(std::vector<std::string> path_of, std::size_t file_bytes,
                           std::size_t range_bytes)
    : path_of_(std::move(path_of)),
      file_bytes_(file_bytes),
      range_bytes_(range_bytes),
      seats_(path_of_.size()) {
  const std::size_t ranges = file_bytes / range_bytes;
  for (std::size_t i = 0; i < seats_.size(); ++i) {
    seats_[i].first = i * ranges / seats_.size() * range_bytes;
  }
}

LoadOptions DownloadPlan::options(int port) const {
  constexpr int kWhole = 200;
  constexpr int kPart = 206;
  LoadOptions options;
  options.port = port;
  options.connections = seats_.size();
  options.status = range_bytes_ == file_bytes_ ? kWhole : kPart;
  options.body_bytes = range_bytes_;
  options.kept_body_bytes = sizeof(std::uint64_t);
  return options;
}

std::string_view DownloadPlan::next(std::size_t connection) {
  Seat& seat = seats_[connection];
  seat.asked = seat.first;
  seat.first = (seat.first + range_bytes_) % file_bytes_;
  const std::string range = range_bytes_ == file_bytes_
                                ? ""
                                : fmt::format("Range: bytes={}-{}\r\n", seat.asked,
                                              seat.asked + range_bytes_ - 1);
  seat.request = fmt::format("GET {} HTTP/1.1\r\nHost: 127.0.0.1\r\n{}\r\n", path_of_[connection], range);
  return seat.request;
}

void DownloadPlan::answered(std::size_t connection, std::string_view body) {
  const std::uint64_t asked = seats_[connection].asked;
  if (FirmwareBytes::offset_in(body) == asked) return;
  throw std::runtime_error(fmt::format("the bytes at {} are not those of the file", asked));
}

}  // namespace ota::bench
