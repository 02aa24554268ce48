// A source of files on a free loopback port that does with every question what the test says: answers it, stalls, cuts it off,
// lies.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace ota::gateways::testing {

class FileServer {
 public:
  struct Question {
    std::string path;
    std::optional<std::uint64_t> from;  // of "Range: bytes=4-"
    std::string head;                   // all of it
  };
  // The connection to who asked; closed when the source has done with it.
  class Wire {
   public:
    explicit Wire(int socket) : socket_(socket) {}
    void send(std::string_view bytes) const;
    // Says nothing more until the other side has hung up.
    void stall() const;

   private:
    int socket_;
  };
  // Called on a thread of each connection.
  using Source = std::function<void(const Question&, const Wire&)>;

  explicit FileServer(Source source);
  ~FileServer();  // hangs up on everybody
  FileServer(const FileServer&) = delete;
  FileServer& operator=(const FileServer&) = delete;

  std::string url(const std::string& path = "/f.bin") const;
  // So far, in order.
  std::vector<Question> questions() const;

 private:
  void accept_all();
  void serve(int socket);

  const Source source_;
  int listener_ = -1;
  int port_ = 0;
  mutable std::mutex mutex_;
  std::vector<Question> questions_;
  std::set<int> open_;
  std::vector<std::thread> serving_;
  std::thread accepting_;
};

// A port that nobody listens on.
std::string url_of_nobody();

// "HTTP/1.1 <status>" with these fields (whole lines with CR LF) and this body, of which the length is not told.
std::string answer(const std::string& status, const std::string& fields, std::string_view body = {});
// 200 with the length of the body.
std::string file(std::string_view bytes);
// What a good server answers: the file, or the part of it that was asked for.
std::string file_or_part(const FileServer::Question& question, std::string_view bytes);
FileServer::Source good_source(std::string bytes);

}  // namespace ota::gateways::testing
