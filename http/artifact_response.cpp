#include "http/artifact_response.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "http/byte_range.hpp"
#include "http/conditional.hpp"
#include "http/limits.hpp"
#include "http/request_id.hpp"
#include "http/text.hpp"

namespace ota::http {
namespace {

constexpr std::size_t kDispositionCharacters = 78;  // spec/ddi.md section 5

constexpr std::string_view kPlain = "._-";    // and letters and digits: what a file's name may be of without quotes

// The first characters of a text, never half of one.
std::string_view first_characters(std::string_view text, std::size_t count) {
  std::size_t end = 0;
  for (; end < text.size(); ++end) {
    const bool begins = (static_cast<unsigned char>(text[end]) & 0xC0) != 0x80;
    if (begins && count-- == 0) break;
  }
  return text.substr(0, end);
}

std::string content_range(const ByteRange& range, std::uint64_t size) {
  return fmt::format("bytes {}-{}/{}", range.first, range.last, size);
}

// The answer's body as pieces, and how many bytes they are.
struct Body {
  std::vector<TransferPiece> pieces;
  std::uint64_t size = 0;

  void add(std::string text, std::uint64_t offset, std::uint64_t bytes) {
    size += text.size() + bytes;
    pieces.push_back({std::move(text), offset, bytes});
  }
};

Body multipart_body(const std::vector<ByteRange>& ranges, std::uint64_t size,
                    std::string_view content_type, std::string_view boundary) {
  Body body;
  std::string_view line_end;  // the first boundary begins the body
  for (const ByteRange& range : ranges) {
    body.add(fmt::format("{}--{}\r\nContent-Type: {}\r\nContent-Range: {}\r\n\r\n", line_end,
                         boundary, content_type, content_range(range, size)),
             range.first, range.size());
    line_end = "\r\n";
  }
  body.add(fmt::format("\r\n--{}--\r\n", boundary), 0, 0);
  return body;
}

// Sends the pieces on the handler's thread, for artifacts without a descriptor.
class PieceReader {
 public:
  PieceReader(std::shared_ptr<const actors::Artifact> artifact, std::vector<TransferPiece> pieces)
      : artifact_(std::move(artifact)),
        pieces_(std::move(pieces)),
        buffer_(limits::kFilePieceBytes) {}

  // httplib asks until the whole length has been given.
  bool give(httplib::DataSink& sink) {
    while (at_ < pieces_.size()) {
      TransferPiece& piece = pieces_[at_];
      if (!piece.text.empty()) {
        const std::string text = std::exchange(piece.text, {});
        return sink.write(text.data(), text.size());
      }
      if (piece.size > 0) {
        const auto wanted =
            static_cast<std::size_t>(std::min<std::uint64_t>(piece.size, buffer_.size()));
        const std::size_t count = artifact_->read(piece.offset, buffer_.data(), wanted);
        piece.offset += count;
        piece.size -= count;
        return count > 0 && sink.write(buffer_.data(), count);
      }
      ++at_;
    }
    return false;
  }

  // Whether everything was given. (httplib's own flag is also true for an answer that a shutdown
  // cut off.)
  bool is_done() const {
    return std::all_of(
        pieces_.begin() + static_cast<std::ptrdiff_t>(at_), pieces_.end(),
        [](const TransferPiece& piece) { return piece.text.empty() && piece.size == 0; });
  }

 private:
  std::shared_ptr<const actors::Artifact> artifact_;
  std::vector<TransferPiece> pieces_;
  std::vector<char> buffer_;
  std::size_t at_ = 0;
};

void send_by_handler(RequestContext& context, std::shared_ptr<const actors::Artifact> artifact,
                     Body body, std::function<void(bool)> on_end) {
  const std::uint64_t size = body.size;
  auto reader = std::make_shared<PieceReader>(std::move(artifact), std::move(body.pieces));
  const std::string content_type = context.response().get_header_value("Content-Type");
  context.response().headers.erase("Content-Type");
  context.response().headers.erase("Content-Length");
  context.response().set_content_provider(
      static_cast<std::size_t>(size), content_type,
      [reader](std::size_t, std::size_t, httplib::DataSink& sink) {
        try {
          return reader->give(sink);
        } catch (const actors::ArtifactError&) {
          return false;  // the head is out: breaking the connection off is what tells the client
        }
      },
      [reader, on_end = std::move(on_end)](bool success) {
        if (on_end) on_end(success && reader->is_done());
      });
}

void send_by_transfer(RequestContext& context, std::shared_ptr<const actors::Artifact> artifact,
                      Body body, std::function<void(bool)> on_end) {
  Transfer transfer;
  transfer.descriptor = artifact->descriptor();
  transfer.holder = std::move(artifact);
  transfer.pieces = std::move(body.pieces);
  transfer.on_end = std::move(on_end);
  context.send_after_head(std::move(transfer));
}

void refuse(RequestContext& context, const ArtifactAnswer& answer, int status,
            std::string message) {
  if (!answer.errors_have_bodies) return context.answer_empty(status);
  Problem problem = Problem::bad_request(std::move(message));
  if (status == 412) problem = Problem::precondition_failed(problem.message);
  problem.status = status;
  context.answer(problem);
}

// The headers that every answer about the artifact carries.
void describe(RequestContext& context, const ArtifactAnswer& answer) {
  context.set_header("ETag", '"' + answer.etag + '"');
  context.set_header("Last-Modified", format_http_date(answer.last_modified));
  context.set_header("Accept-Ranges", "bytes");
}

// Whether the request's conditions end it without bytes; then it is answered.
bool ended_by_condition(RequestContext& context, const ArtifactAnswer& answer) {
  const auto if_match = context.header("If-Match");
  if (if_match && !etag_list_holds(*if_match, answer.etag, false)) {
    refuse(context, answer, 412,
           fmt::format("If-Match does not name the entity tag {}", answer.etag));
    return true;
  }
  const auto if_none_match = context.header("If-None-Match");
  if (if_none_match && etag_list_holds(*if_none_match, answer.etag, true)) {
    describe(context, answer);
    context.answer_empty(304);
    return true;
  }
  return false;
}

// The ranges that are to be sent; empty: the whole. Without a value the request was answered with
// 416.
std::optional<std::vector<ByteRange>> choose_ranges(RequestContext& context,
                                                    const ArtifactAnswer& answer,
                                                    std::uint64_t size) {
  const auto range = context.header("Range");
  if (!range || context.is_head()) return std::vector<ByteRange>();
  const auto if_range = context.header("If-Range");
  if (if_range && !if_range_holds(*if_range, answer.etag, answer.last_modified)) {
    return std::vector<ByteRange>();
  }
  auto decision = parse_byte_ranges(*range, size);
  if (decision.satisfiable) return std::move(decision.ranges);
  describe(context, answer);
  context.set_header("Content-Range", fmt::format("bytes */{}", size));
  refuse(context, answer, 416,
         fmt::format("Range '{}' cannot be met: the artifact has {} bytes", shown(*range), size));
  return std::nullopt;
}

}  // namespace

void answer_artifact(RequestContext& context, std::shared_ptr<const actors::Artifact> artifact,
                     ArtifactAnswer answer) {
  if (ended_by_condition(context, answer)) return;
  const std::uint64_t size = artifact->size();
  const auto ranges = choose_ranges(context, answer, size);
  if (!ranges) return;

  Body body;
  std::string content_type = answer.content_type;
  if (ranges->empty()) {
    body.add("", 0, size);
  } else if (ranges->size() == 1) {
    body.add("", ranges->front().first, ranges->front().size());
    context.set_header("Content-Range", content_range(ranges->front(), size));
  } else {
    const std::string boundary = new_request_id();
    body = multipart_body(*ranges, size, answer.content_type, boundary);
    content_type = "multipart/byteranges; boundary=" + boundary;
  }
  Delivery delivery;
  delivery.status = ranges->empty() ? 200 : 206;
  const bool has_last_byte = ranges->empty() || ranges->back().last + 1 == size;

  context.answer_empty(delivery.status);
  describe(context, answer);
  context.set_header("X-Content-Type-Options", "nosniff");
  if (!answer.file_name.empty()) {
    context.set_header("Content-Disposition", content_disposition(answer.file_name));
  }
  context.set_header("Content-Type", content_type);
  context.set_header("Content-Length", std::to_string(body.size));
  if (context.is_head()) return;

  std::function<void(bool)> on_end;
  if (answer.on_end) {
    on_end = [delivery, has_last_byte, report = std::move(answer.on_end)](bool complete) mutable {
      delivery.complete = complete;
      delivery.last_byte_sent = complete && has_last_byte;
      report(delivery);
    };
  }
  if (artifact->descriptor() >= 0 || body.size == 0) {
    send_by_transfer(context, std::move(artifact), std::move(body), std::move(on_end));
  } else {
    send_by_handler(context, std::move(artifact), std::move(body), std::move(on_end));
  }
}

std::string content_disposition(std::string_view file_name) {
  const std::string_view name = first_characters(file_name, kDispositionCharacters);
  const auto encoded = percent_encode(name, kPlain);
  if (encoded == name) return "attachment;filename=" + std::string(name);
  std::string quoted;
  for (const char c : name) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') quoted.push_back('\\');
    quoted.push_back(byte < 32 || byte >= 127 ? '_' : c);
  }
  std::string text = "attachment;filename=\"" + quoted + '"';
  if (!is_printable_ascii(name)) text += ";filename*=UTF-8''" + encoded;
  return text;
}

}  // namespace ota::http
