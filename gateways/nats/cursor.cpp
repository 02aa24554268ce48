#include "gateways/nats/cursor.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <fstream>
#include <iterator>
#include <stdexcept>

#include "gateways/artifact_folder.hpp"

namespace ota::gateways::nats {
namespace {

constexpr const char* kName = "cursor";
constexpr const char* kTemporary = "cursor.new";

domain::Position parse(const std::filesystem::path& file, const std::string& text) {
  domain::Position position;
  const char* end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, position.value);
  if (read.ec != std::errc{} || std::string_view(read.ptr, end) != "\n") {
    throw std::runtime_error(fmt::format(
        "{} is not a position in the log and a line end: it is damaged. Without it, everything "
        "in the log is published again",
        file.string()));
  }
  return position;
}

void write(const std::filesystem::path& file, const std::string& text) {
  FileHandle out(::open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
  if (!out.is_open()) throw file_error("create", file, errno);
  // So few bytes are written at once or not at all.
  const auto written = ::write(out.get(), text.data(), text.size());
  if (written != static_cast<ssize_t>(text.size()))
    throw file_error("write", file, written < 0 ? errno : ENOSPC);
  if (::fsync(out.get()) != 0) throw file_error("sync", file, errno);
}

}  // namespace

Cursor::Cursor(std::filesystem::path directory) : directory_(std::move(directory)) {
  create_folder(directory_);
  const auto file = directory_ / kName;
  std::ifstream in(file, std::ios::binary);
  if (!in) {
    if (std::filesystem::exists(file)) throw file_error("open", file, errno);
    return;
  }
  position_ = parse(file, {std::istreambuf_iterator<char>(in), {}});
}

void Cursor::move_to(domain::Position position) {
  if (position == position_) return;
  const auto temporary = directory_ / kTemporary;
  write(temporary, fmt::format("{}\n", position.value));
  std::error_code error;
  std::filesystem::rename(temporary, directory_ / kName, error);
  if (error) throw file_error("rename", temporary, error.value());
  sync_folder(directory_);
  position_ = position;
}

}  // namespace ota::gateways::nats
