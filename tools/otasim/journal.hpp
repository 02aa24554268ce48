// What the devices saw and did, one JSON line a fact, for checkers to compare with the server's
// view.
//
// Every line is one write(2) with O_APPEND before the simulation goes on: what is in the file has
// happened, whatever kills this process afterwards, and several simulators may share a file. Every
// line has the wall clock ("t", ms since 1970), the device and the fact; numbers and strings as
// named below, action ids as strings.
//
//   polled-first     version                       first poll that was answered
//   version          version                       that it runs: at the first poll, and whenever it
//                                                  changes
//   config_pushed    version, status
//   offered          action, version               a deployment was read
//   no_go            action, why                   over MQTT: it is not to be begun
//   download_started action, file, from            from: offset; > 0 is a Range request
//   download_ended   action, file, bytes, complete, error
//   verified         action, file, ok              SHA-256, SHA-1 and size against the deployment's
//   held             action                        downloaded, waits for permission to install
//   installed        action, version
//   report_sent      action, execution, finished, try, kind    kind: report, duplicate, late
//   report_acked     action, execution, finished, detail, status, kind
//                                                  the complete answer came, status 200
//   report_failed    action, execution, finished, status, error, kind
//   cancel_offered, cancel_answered   action, agreed, status
//   power_cut        action, where                 download, install, after_install
//   rebooted         action                        it is up again
//   ended            action, how                   succeeded, failed, downloaded, cancelled, gone,
//                                                  rejected, skipped, silent
//   violation        text                          the server broke the protocol or a promise
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace ota::sim {

class Journal {
 public:
  using Value = std::variant<std::string_view, std::int64_t, bool>;
  using Field = std::pair<std::string_view, Value>;

  // Opens `path` for appending, creating it; an empty path keeps no journal. Throws when the file
  // cannot be opened.
  explicit Journal(const std::string& path);
  Journal(const Journal&) = delete;
  Journal& operator=(const Journal&) = delete;
  ~Journal();

  // Writes one line. Throws when it could not be written whole: a journal with holes would accuse
  // the server.
  void fact(std::string_view device, std::string_view name, std::initializer_list<Field> fields);

 private:
  std::string path_;
  int fd_ = -1;
};

// Answers one journal line, with its newline. Pure.
std::string journal_line(std::int64_t since_epoch_ms, std::string_view device,
                         std::string_view name, std::initializer_list<Journal::Field> fields);

}  // namespace ota::sim
