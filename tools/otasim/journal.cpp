#include "tools/otasim/journal.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <system_error>

namespace ota::sim {
namespace {

void append_quoted(std::string& line, std::string_view text) {
  line += '"';
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      line += '\\';
      line += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      line += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
    } else {
      line += c;
    }
  }
  line += '"';
}

struct AppendValue {
  std::string& line;
  void operator()(std::string_view text) const { append_quoted(line, text); }
  void operator()(std::int64_t number) const { line += fmt::format_int(number).c_str(); }
  void operator()(bool truth) const { line += truth ? "true" : "false"; }
};

}  // namespace

std::string journal_line(std::int64_t since_epoch_ms, std::string_view device,
                         std::string_view name, std::initializer_list<Journal::Field> fields) {
  std::string line = fmt::format("{{\"t\":{},\"device\":", since_epoch_ms);
  append_quoted(line, device);
  line += ",\"fact\":";
  append_quoted(line, name);
  for (const auto& [key, value] : fields) {
    line += ',';
    append_quoted(line, key);
    line += ':';
    std::visit(AppendValue{line}, value);
  }
  line += "}\n";
  return line;
}

Journal::Journal(const std::string& path) : path_(path) {
  if (path.empty()) return;
  fd_ = ::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
  if (fd_ < 0)
    throw std::system_error(errno, std::generic_category(), "cannot open journal '" + path + "'");
}

Journal::~Journal() {
  if (fd_ >= 0) ::close(fd_);
}

void Journal::fact(std::string_view device, std::string_view name,
                   std::initializer_list<Field> fields) {
  if (fd_ < 0) return;
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const std::string line = journal_line(
      std::chrono::duration_cast<std::chrono::milliseconds>(now).count(), device, name, fields);
  ssize_t written = 0;
  do {
    written = ::write(fd_, line.data(), line.size());
  } while (written < 0 && errno == EINTR);
  if (written != static_cast<ssize_t>(line.size()))
    throw std::system_error(written < 0 ? errno : ENOSPC, std::generic_category(),
                            "cannot write journal '" + path_ + "'");
}

}  // namespace ota::sim
