#include "http/web_url.hpp"

#include <doctest/doctest.h>

namespace ota::http {
namespace {

std::string name_in(std::string_view url) {
  const auto parsed = parse_web_url(url);
  REQUIRE_MESSAGE(std::holds_alternative<WebUrl>(parsed), url);
  CHECK(std::get<WebUrl>(parsed).text == url);
  return std::get<WebUrl>(parsed).file_name;
}

std::string fault_of(std::string_view url) {
  const auto parsed = parse_web_url(url);
  const auto* fault = std::get_if<std::string>(&parsed);
  return fault ? *fault : "accepted";
}

TEST_CASE("the file's name is the end of the URL's path") {
  CHECK(name_in("https://files.example/a/b/frame-2.0.bin") == "frame-2.0.bin");
  CHECK(name_in("HTTP://files.example:8080/frame.tar.gz?token=a/b.zip#part/c") == "frame.tar.gz");
  CHECK(name_in("http://[::1]/frame.bin") == "frame.bin");
  CHECK(name_in("http://[::1]:80/frame.bin") == "frame.bin");
  CHECK(name_in("https://files.example/my%20frame%2B.bin") == "my frame+.bin");
  CHECK(name_in("https://files.example/frames/").empty());
  CHECK(name_in("https://files.example").empty());
  CHECK(name_in("https://files.example?f.bin").empty());
}

TEST_CASE("what is no URL of a file on the web is told, with what is wrong") {
  for (const char* url : {"", "ftp://files.example/f.bin", "file:///f.bin", "files.example/f.bin", "/f.bin", "https:/files.example"}) {
    CAPTURE(url);
    CHECK(fault_of(url).find("does not begin with http:// or https://") != std::string::npos);
  }
  for (const char* url : {"http:///f.bin", "http://:80/f.bin", "http://h:/f.bin", "http://h:0/f.bin", "http://h:65536/f.bin",
                          "http://h:8x/f.bin", "http://[]/f.bin", "http://[::1/f.bin", "http://[::1]8/f.bin"}) {
    CAPTURE(url);
    CHECK(fault_of(url).find("is no host with an optional port") != std::string::npos);
  }
  for (const char* url : {"http://h/a b.bin", "http://h/\xc3\xa9.bin", "http://h/a\nb.bin", "http://h/<a>.bin", "http://h/a\\b.bin"}) {
    CAPTURE(url);
    CHECK(fault_of(url).find("must be percent-encoded") != std::string::npos);
  }
  CHECK(fault_of("http://h/a%2.bin").find("two hexadecimal digits") != std::string::npos);
}

TEST_CASE("a password is neither taken nor repeated") {
  for (const char* url : {"https://ada:secret@files.example/f.bin", "https://secret@files.example/f.bin", "ftp://ada:secret@h/f.bin",
                          "https://ada:secret@h /f.bin"}) {
    CAPTURE(url);
    const auto fault = fault_of(url);
    CHECK(fault != "accepted");
    CHECK(fault.find("secret") == std::string::npos);
  }
  CHECK(name_in("https://files.example/a@b/f@2.bin") == "f@2.bin");
}

}  // namespace
}  // namespace ota::http
