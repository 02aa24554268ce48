#include "gateways/fetch/http_fetch.hpp"

#include <curl/curl.h>
#include <fmt/format.h>

#include <charconv>
#include <exception>
#include <memory>
#include <stdexcept>

namespace ota::gateways::fetch {
namespace {

using Clock = std::chrono::steady_clock;

struct FreeEasy {
  void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
};
using Easy = std::unique_ptr<CURL, FreeEasy>;
struct FreeList {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};

template <class Value>
void set(CURL* easy, CURLoption option, Value value) {
  const CURLcode code = curl_easy_setopt(easy, option, value);
  if (code == CURLE_OK) return;
  throw std::runtime_error(
      fmt::format("libcurl refused option {}: {}", static_cast<int>(option), curl_easy_strerror(code)));
}

bool starts_like(std::string_view line, std::string_view name) {
  if (line.size() < name.size()) return false;
  for (std::size_t i = 0; i < name.size(); ++i) {
    const char c = line[i] >= 'A' && line[i] <= 'Z' ? static_cast<char>(line[i] + 32) : line[i];
    if (c != name[i]) return false;
  }
  return true;
}

// "bytes 100-299/300"; the total may be "*".
struct ContentRange {
  std::uint64_t first = 0;
  std::optional<std::uint64_t> total;
};
std::optional<ContentRange> parse_range(std::string_view text) {
  const auto at = text.find("bytes ");
  if (at == std::string_view::npos) return std::nullopt;
  text.remove_prefix(at + 6);
  ContentRange range;
  const auto* const end = text.data() + text.size();
  auto read = std::from_chars(text.data(), end, range.first);
  if (read.ec != std::errc{}) return std::nullopt;
  const auto slash = text.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  std::uint64_t total = 0;
  if (std::from_chars(text.data() + slash + 1, end, total).ec == std::errc{}) range.total = total;
  return range;
}

// One answer as it comes in. libcurl calls from within perform(); an exception waits until that is over.
class Answer {
 public:
  Answer(CURL* easy, const Question& question, const Patience& patience, Receiver& receiver)
      : easy_(easy), question_(question), patience_(patience), receiver_(receiver) {}

  static std::size_t on_header(char* bytes, std::size_t size, std::size_t count, void* self) {
    return static_cast<Answer*>(self)->header({bytes, size * count}) ? size * count : 0;
  }
  static std::size_t on_body(char* bytes, std::size_t size, std::size_t count, void* self) {
    return static_cast<Answer*>(self)->body({bytes, size * count}) ? size * count : 0;
  }
  static int on_progress(void* self, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
    return static_cast<Answer*>(self)->goes_on() ? 0 : 1;
  }

  Ending ending(CURLcode code, const char* words);

 private:
  bool header(std::string_view line) {
    head_bytes_ += line.size();
    if (head_bytes_ > limits::kHeadBytes) {
      return stop({End::kRefused, fmt::format("the head of the answer has more than {} bytes", limits::kHeadBytes), {}});
    }
    if (starts_like(line, "http/")) {  // of the next answer, behind a redirect
      range_.reset();
      chunked_ = false;
    } else if (starts_like(line, "content-range:")) {
      range_ = parse_range(line);
    } else if (starts_like(line, "transfer-encoding:")) {
      chunked_ = line.find("chunked") != std::string_view::npos;
    }
    return true;
  }

  bool body(std::string_view bytes) {
    try {
      if (!begun_ && !begin()) return false;
      if (bytes.size() > question_.size - here_) {
        return stop({End::kOther, fmt::format("a file of more than {} bytes is there", question_.size), {}});
      }
      receiver_.take(bytes);
      here_ += bytes.size();
      in_window_ += bytes.size();
      return true;
    } catch (...) {
      thrown_ = std::current_exception();
      return false;
    }
  }

  // Is this what was asked for? Before its first byte.
  bool begin() {
    const long status = status_now();
    if (status != 200 && status != 206) return stop(of_status(status));
    std::uint64_t at = 0;
    if (status == 206) {
      if (question_.from == 0 || !range_ || range_->first != question_.from) {
        return stop({End::kStartAnew, "the source answers with a part that was not asked for", {}});
      }
      if (range_->total && *range_->total != question_.size) {
        return stop({End::kStartAnew, fmt::format("a file of {} bytes is there now", *range_->total), {}});
      }
      at = question_.from;
    } else if (const auto length = length_now(); length && *length != question_.size) {
      return stop(of_another_size(*length));
    }
    receiver_.begin(at);
    here_ = at;
    begun_ = true;
    return true;
  }

  bool goes_on() {
    if (receiver_.is_over()) return stop({End::kOver, {}, {}});
    const auto now = Clock::now();
    if (in_window_ >= patience_.stall_bytes) {
      window_since_ = now;
      in_window_ = 0;
    }
    if (now - window_since_ < patience_.stall) return true;
    return stop({End::kAgain, fmt::format("the source has stalled: {} bytes in {} ms", in_window_, patience_.stall.count()), {}});
  }

  bool stop(Ending ending) {
    if (!stopped_) stopped_ = std::move(ending);
    return false;
  }

  long status_now() const {
    long status = 0;
    curl_easy_getinfo(easy_, CURLINFO_RESPONSE_CODE, &status);
    return status;
  }
  std::optional<std::uint64_t> length_now() const {
    curl_off_t length = -1;
    curl_easy_getinfo(easy_, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
    return length < 0 ? std::nullopt : std::optional(static_cast<std::uint64_t>(length));
  }
  // Would a cut be seen, or does the end of the connection end the body?
  bool has_an_end() const {
    long version = 0;
    curl_easy_getinfo(easy_, CURLINFO_HTTP_VERSION, &version);
    return length_now() || chunked_ || version >= CURL_HTTP_VERSION_2_0;
  }

  Ending of_status(long status) const {
    if (status == 416 && question_.from > 0) {
      return {End::kStartAnew, fmt::format("the file that is there ends before byte {}", question_.from), {}};
    }
    curl_off_t wait_s = 0;
    curl_easy_getinfo(easy_, CURLINFO_RETRY_AFTER, &wait_s);
    Ending ending{End::kRefused, fmt::format("the source answered HTTP {}", status), {}};
    if (wait_s > 0) ending.retry_after = std::chrono::seconds(wait_s);
    if (status == 408 || status == 425 || status == 429 || status >= 500) ending.end = End::kAgain;
    return ending;
  }
  Ending of_another_size(std::uint64_t size) const {
    return {End::kOther, fmt::format("a file of {} bytes is there, {} were announced", size, question_.size), {}};
  }
  Ending of_failure(CURLcode code, const char* words) const;

  CURL* easy_;
  const Question& question_;
  const Patience& patience_;
  Receiver& receiver_;
  std::optional<ContentRange> range_;
  bool chunked_ = false;
  std::size_t head_bytes_ = 0;
  bool begun_ = false;
  std::uint64_t here_ = 0;
  std::optional<Ending> stopped_;
  std::exception_ptr thrown_;
  Clock::time_point window_since_ = Clock::now();
  std::uint64_t in_window_ = 0;
};

// What a source says by where it leads is an answer of its own; all else is the way to it.
Ending Answer::of_failure(CURLcode code, const char* words) const {
  const std::string why = words[0] ? words : curl_easy_strerror(code);
  switch (code) {
    case CURLE_TOO_MANY_REDIRECTS:
      return {End::kRefused, fmt::format("the source redirects more than {} times", limits::kRedirects), {}};
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_URL_MALFORMAT:
    case CURLE_LOGIN_DENIED:              // a redirect with a name and a password in it
      return {End::kRefused, "the source leads to where nothing is fetched from: " + why, {}};
    default:
      return {End::kAgain, why, {}};
  }
}

Ending Answer::ending(CURLcode code, const char* words) {
  if (thrown_) std::rethrow_exception(thrown_);
  if (stopped_) return *stopped_;
  if (begun_ && here_ == question_.size) return {End::kWhole, {}, {}};
  if (code != CURLE_OK) return of_failure(code, words);
  const long status = status_now();
  if (status != 200 && status != 206) return of_status(status);
  if (status == 200 && has_an_end()) return of_another_size(here_);
  return {End::kAgain, fmt::format("the answer ended after {} of {} bytes", here_, question_.size), {}};
}

}  // namespace

Ending ask(const Question& question, const Patience& patience, Receiver& receiver) {
  const Easy easy(curl_easy_init());
  if (!easy) throw std::runtime_error("libcurl cannot be started");
  Answer answer(easy.get(), question, patience, receiver);
  char words[CURL_ERROR_SIZE] = "";
  const std::unique_ptr<curl_slist, FreeList> headers(curl_slist_append(nullptr, "Accept-Encoding: identity"));
  const std::string range = fmt::format("{}-", question.from);
  set(easy.get(), CURLOPT_URL, question.url.c_str());
  set(easy.get(), CURLOPT_ERRORBUFFER, words);
  set(easy.get(), CURLOPT_NOSIGNAL, 1L);
  set(easy.get(), CURLOPT_QUICK_EXIT, 1L);  // a stop does not wait for a name server
  set(easy.get(), CURLOPT_PROTOCOLS_STR, "http,https");
  set(easy.get(), CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
  set(easy.get(), CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
  set(easy.get(), CURLOPT_FOLLOWLOCATION, 1L);
  set(easy.get(), CURLOPT_MAXREDIRS, limits::kRedirects);
  set(easy.get(), CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(patience.connect.count()));
  set(easy.get(), CURLOPT_HTTPHEADER, headers.get());
  set(easy.get(), CURLOPT_HTTP_CONTENT_DECODING, 0L);
  set(easy.get(), CURLOPT_USERAGENT, "ota_service/" OTA_VERSION);
  set(easy.get(), CURLOPT_BUFFERSIZE, limits::kPieceBytes);
  if (question.from > 0) set(easy.get(), CURLOPT_RANGE, range.c_str());
  set(easy.get(), CURLOPT_HEADERFUNCTION, &Answer::on_header);
  set(easy.get(), CURLOPT_HEADERDATA, static_cast<void*>(&answer));
  set(easy.get(), CURLOPT_WRITEFUNCTION, &Answer::on_body);
  set(easy.get(), CURLOPT_WRITEDATA, static_cast<void*>(&answer));
  set(easy.get(), CURLOPT_NOPROGRESS, 0L);
  set(easy.get(), CURLOPT_XFERINFOFUNCTION, &Answer::on_progress);
  set(easy.get(), CURLOPT_XFERINFODATA, static_cast<void*>(&answer));
  const CURLcode code = curl_easy_perform(easy.get());
  return answer.ending(code, words);
}

}  // namespace ota::gateways::fetch
