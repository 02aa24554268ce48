#include "http/multipart_stream.hpp"

#include <doctest/doctest.h>

#include <random>
#include <string>

using namespace ota::http;

namespace {

std::string part(const std::string& headers, const std::string& content) {
  return "--B\r\n" + headers + "\r\n\r\n" + content + "\r\n";
}

const std::string kPart =
    "Content-Disposition: form-data; name=\"file\"; filename=\"fw.bin\"\r\n"
    "Content-Type: application/octet-stream";
const std::string kMetadata = "Content-Disposition: form-data; name=\"metadata\"";
// Bytes that look like boundaries but are none.
const std::string kContent =
    "\r\n--\r\n--A\r\n-B\r--B\n--B--\r\n\r\n--" + std::string("\0\xFF", 2) + "\r";

struct ReadParts {
  bool good = false;
  std::string file;
  std::string file_name;
  std::string metadata;
  std::string error;
  std::size_t largest_piece = 0;
};

// Feeds a body in pieces of `step` bytes.
ReadParts read_parts(std::string_view body, std::size_t step) {
  ReadParts result;
  MultipartStream stream("B", "file", [&](std::string_view bytes) {
    result.file.append(bytes);
    result.largest_piece = std::max(result.largest_piece, bytes.size());
  });
  result.good = true;
  for (; !body.empty() && result.good; body.remove_prefix(std::min(step, body.size()))) {
    result.good = stream.feed(body.substr(0, step));
  }
  result.good = stream.finish() && result.good;
  if (stream.has_file()) result.file_name = stream.file().file_name;
  if (const auto* text = stream.text("metadata")) result.metadata = *text;
  if (!result.good) result.error = stream.problem().message;
  return result;
}

ReadParts read_parts(std::string_view body) { return read_parts(body, body.size() + 1); }

std::string file_name_of(const std::string& parameters) {
  return read_parts(part("Content-Disposition: form-data; name=\"file\"" + parameters, "x") + "--B--")
      .file_name;
}

}  // namespace

TEST_CASE("a file and its metadata are read in either order and in pieces of any size") {
  const std::string file = part(kPart, kContent);
  const std::string metadata = part(kMetadata, "{\"name\": \"x\"}");
  for (const auto& body : {file + metadata + "--B--\r\n", metadata + file + "--B--",
                           "preamble\r\n" + file + metadata + "--B--\r\nepilogue"}) {
    for (std::size_t step = 1; step <= body.size() + 1; ++step) {
      const auto result = read_parts(body, step);
      REQUIRE_MESSAGE(result.good, result.error);
      REQUIRE(result.file == kContent);
      REQUIRE(result.file_name == "fw.bin");
      REQUIRE(result.metadata == "{\"name\": \"x\"}");
    }
  }
}

TEST_CASE("empty contents, and spaces behind a boundary, are allowed") {
  const auto result = read_parts("--B  \r\n" + kPart + "\r\n\r\n\r\n" + part(kMetadata, "") + "--B--");
  CHECK(result.good);
  CHECK(result.file.empty());
  CHECK(result.metadata.empty());
}

TEST_CASE("a body that is cut off anywhere is refused at its end") {
  const std::string body = part(kMetadata, "{}") + part(kPart, kContent) + "--B--";
  for (std::size_t size = 0; size < body.size(); ++size) {
    const auto result = read_parts(body.substr(0, size));
    REQUIRE_FALSE(result.good);
    REQUIRE(result.error ==
            "The upload's body is malformed: it ends before its last boundary, so it was cut off");
  }
}

TEST_CASE("malformed bodies are refused with a reason") {
  const auto error = [](const std::string& body) { return read_parts(body).error; };
  CHECK(error("--B\r\n\r\nx").find("has no headers") != std::string::npos);
  CHECK(error("--Bx\r\n").find("not followed by a line's end") != std::string::npos);
  CHECK(error(part("Content-Type: text/plain", "x")).find("no Content-Disposition") !=
        std::string::npos);
  CHECK(error(part("Content-Disposition: attachment; name=\"file\"", "x"))
            .find("must be form-data") != std::string::npos);
  CHECK(error(part("Content-Disposition: form-data; name=\"file", "x")).find("must be form-data") !=
        std::string::npos);
  CHECK(error(part("Content-Disposition: form-data", "x")).find("has no name") !=
        std::string::npos);
  CHECK(error(part("Content-Disposition", "x")).find("without a colon") != std::string::npos);
  CHECK(error(part(kPart + "\r\nContent-Transfer-Encoding: base64", "x"))
            .find("'base64' is not supported") != std::string::npos);
  CHECK(error(part(kPart, "x") + part(kPart, "x")).find("two parts named 'file'") !=
        std::string::npos);
  CHECK(error(part(kMetadata, "x") + part(kMetadata, "x")).find("two parts named 'metadata'") !=
        std::string::npos);
  CHECK(error(std::string(5000, 'x')).find("hold no boundary") != std::string::npos);
  CHECK(error("--B\r\n" + std::string(9000, 'x')).find("headers are longer than 8192") !=
        std::string::npos);
  CHECK(error("--B" + std::string(9000, ' ')).find("endless") != std::string::npos);
  std::string many;
  for (int i = 0; i < 17; ++i) {
    many += part("Content-Disposition: form-data; name=\"p" + std::to_string(i) + "\"", "x");
  }
  CHECK(error(many).find("more than 16 parts") != std::string::npos);
  CHECK(error(part(kMetadata, std::string(256 * 1024 + 1, 'x')) + "--B--")
            .find("larger than 262144 bytes") != std::string::npos);
  CHECK(read_parts(part(kMetadata, std::string(256 * 1024, 'x')) + "--B--").good);
}

TEST_CASE("what is too long is refused wherever it is cut, and what is just not too long is read") {
  const auto end = "\r\n\r\nx\r\n--B--";
  const auto header_of = [](std::size_t size) { return kPart + "\r\nX: " + std::string(size - kPart.size() - 5, 'x'); };
  for (const std::size_t step : {std::size_t{1}, std::size_t{7}, std::size_t{8'199}, std::size_t{100'000}}) {
    CAPTURE(step);
    CHECK(read_parts(std::string(4'094, 'x') + "\r\n--B\r\n" + kPart + end, step).good);
    CHECK_FALSE(read_parts(std::string(4'095, 'x') + "\r\n--B\r\n" + kPart + end, step).good);
    CHECK(read_parts("--B" + std::string(8'192, ' ') + "\r\n" + kPart + end, step).good);
    CHECK_FALSE(read_parts("--B" + std::string(8'193, ' ') + "\r\n" + kPart + end, step).good);
    CHECK(read_parts("--B\r\n" + header_of(8'192) + end, step).good);
    CHECK_FALSE(read_parts("--B\r\n" + header_of(8'193) + end, step).good);
  }
}

TEST_CASE("after an error nothing more is delivered") {
  std::string got;
  MultipartStream stream("B", "file", [&](std::string_view bytes) { got.append(bytes); });
  CHECK_FALSE(stream.feed("--Bxy"));
  CHECK_FALSE(stream.feed(part(kPart, "content") + "--B--"));
  CHECK_FALSE(stream.finish());
  CHECK(got.empty());
}

TEST_CASE("a file streams through in bounded memory") {
  std::size_t total = 0;
  std::size_t largest = 0;
  MultipartStream stream("B", "file", [&](std::string_view bytes) {
    total += bytes.size();
    largest = std::max(largest, bytes.size());
  });
  CHECK(stream.feed("--B\r\n" + kPart + "\r\n\r\n"));
  const std::string piece(10'000, '\r');
  for (int i = 0; i < 1000; ++i) REQUIRE(stream.feed(piece));
  CHECK(stream.feed("\r\n--B--"));
  CHECK(stream.finish());
  CHECK(total == 10'000'000);
  CHECK(largest <= 10'010);
}

TEST_CASE("file names are taken as clients send them, without folders") {
  CHECK(file_name_of("; filename=\"a b.bin\"") == "a b.bin");
  CHECK(file_name_of("; filename=plain.bin") == "plain.bin");
  CHECK(file_name_of("; filename=\"C:\\fw\\x.bin\"") == "x.bin");
  CHECK(file_name_of("; filename=\"../../etc/passwd\"") == "passwd");
  CHECK(file_name_of("; filename=\"a\\\"b;c.bin\"") == "a\"b;c.bin");
  CHECK(file_name_of("; filename=\"x\"; filename*=UTF-8''z%C3%BCri.bin") == "züri.bin");
  CHECK(file_name_of("").empty());
  CHECK(read_parts(part("content-disposition:form-data;filename=f;name=file", "x") + "--B--").file_name ==
        "f");
  for (const std::string& bad :
       {std::string("; filename=\"") + '\x01' + "\"", std::string("; filename=\"\xFF\""),
        "; filename=\"" + std::string(256, 'x') + "\"", std::string("; filename*=latin1''x")}) {
    CHECK_FALSE(
        read_parts(part("Content-Disposition: form-data; name=\"file\"" + bad, "x") + "--B--").good);
  }
}

TEST_CASE("the boundary is found in a Content-Type") {
  CHECK(multipart_boundary("multipart/form-data; boundary=abc") == "abc");
  CHECK(multipart_boundary("Multipart/Form-Data; charset=utf-8; boundary=\"a b:c\"") == "a b:c");
  for (const std::string& bad :
       {std::string("multipart/form-data"), std::string("multipart/form-data; boundary="),
        std::string("multipart/mixed; boundary=abc"), std::string("application/json"),
        std::string(), "multipart/form-data; boundary=" + std::string(71, 'x'),
        std::string("multipart/form-data; boundary=\"a \""),
        std::string("multipart/form-data; boundary=\"abc")}) {
    CAPTURE(bad);
    CHECK_FALSE(multipart_boundary(bad));
  }
}

TEST_CASE("no bytes break the reader") {
  std::mt19937 random(11);
  const std::string seed = part(kPart, kContent) + part(kMetadata, "{}") + "--B--\r\n";
  const std::string alphabet = "\r\n-B:;\"\\= x\0";
  for (int round = 0; round < 20'000; ++round) {
    std::string body = seed;
    for (int i = 0; i < 4; ++i) body[random() % body.size()] = alphabet[random() % alphabet.size()];
    if (random() % 2) body.erase(random() % body.size(), random() % 20);
    const auto whole = read_parts(body);
    const auto pieces = read_parts(body, 1 + random() % 9);
    REQUIRE(whole.good == pieces.good);
    if (whole.good) REQUIRE(whole.file == pieces.file);
    if (whole.good) REQUIRE(whole.metadata == pieces.metadata);
  }
}
