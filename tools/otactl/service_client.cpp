#include "tools/otactl/service_client.hpp"

#include <fmt/format.h>

#include <array>
#include <chrono>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <optional>
#include <thread>
#include <utility>

#include "tools/otactl/failure.hpp"
#include "tools/otactl/output.hpp"
#include "tools/otactl/url.hpp"
#include "tools/otactl/uuid.hpp"

namespace ota::ctl {
namespace {

constexpr std::string_view kBasePath = "/api/v1/ota";
constexpr long kConnectTimeoutMs = 10'000;
constexpr std::chrono::milliseconds kPauseFirst{250};  // between tries; doubles

template <class Value>
void set(CURL* easy, CURLoption option, Value value) {
  const CURLcode code = curl_easy_setopt(easy, option, value);
  if (code != CURLE_OK)
    throw Failure(kExitFailed, fmt::format("libcurl refused option {}: {}",
                                           static_cast<int>(option), curl_easy_strerror(code)));
}

// Failures of the connection: trying again may help. Others (address, certificate, file) stay as
// they are.
bool is_worth_another_try(CURLcode code) {
  switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_CONNECT:
    case CURLE_OPERATION_TIMEDOUT:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_GOT_NOTHING:
    case CURLE_PARTIAL_FILE:
      return true;
    default:
      return false;
  }
}

std::size_t took_body(char* bytes, std::size_t size, std::size_t count, void* body) {
  static_cast<std::string*>(body)->append(bytes, size * count);
  return size * count;
}

int took_progress(void* on_progress, curl_off_t, curl_off_t, curl_off_t upload_total,
                  curl_off_t uploaded) {
  const auto& call = *static_cast<const OnProgress*>(on_progress);
  if (call && upload_total > 0) call(uploaded, upload_total);
  return 0;
}

using Mime = std::unique_ptr<curl_mime, decltype(&curl_mime_free)>;
struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};
using File = std::unique_ptr<std::FILE, CloseFile>;

// Makes a handle forget what it points to before that goes.
class ResetAtEnd {
 public:
  explicit ResetAtEnd(CURL* easy) : easy_(easy) {}
  ResetAtEnd(const ResetAtEnd&) = delete;
  ResetAtEnd& operator=(const ResetAtEnd&) = delete;
  ~ResetAtEnd() { curl_easy_reset(easy_); }

 private:
  CURL* easy_;
};

bool add_file(curl_mime* mime, const std::string& metadata, const std::string& path) {
  // Metadata first: the service can refuse it before it has received the file.
  curl_mimepart* text = curl_mime_addpart(mime);
  curl_mime_name(text, "metadata");
  curl_mime_type(text, "application/json");
  curl_mime_data(text, metadata.data(), metadata.size());
  curl_mimepart* file = curl_mime_addpart(mime);
  curl_mime_name(file, "file");
  curl_mime_type(file, "application/octet-stream");
  return curl_mime_filedata(file, path.c_str()) == CURLE_OK;
}

}  // namespace

struct ServiceClient::Request {
  const char* method;
  std::string path;  // with the base path
  std::string body;  // JSON
  std::string file;  // with it: multipart, the body is its metadata
  OnProgress on_progress;
  std::string file_type;  // with it: the file alone is the body
  std::string last_event_id = {};  // with it: an answer without an end
};

ServiceClient::ServiceClient(ServiceSettings settings)
    : settings_(std::move(settings)), easy_(curl_easy_init()) {
  if (!easy_) throw Failure(kExitFailed, "curl_easy_init failed");
}

ServiceClient::~ServiceClient() = default;

// The same path as of the moment that was named.
std::string ServiceClient::asked(const std::string& path) const {
  if (settings_.as_of.empty()) return path;
  return fmt::format("{}{}as_of={}", path, path.find('?') == std::string::npos ? '?' : '&', escape(settings_.as_of));
}

void ServiceClient::refuse_past(std::string_view method) const {
  if (settings_.as_of.empty() || method == "GET") return;
  throw Failure(kExitUsage, fmt::format("--as-of {}: this command changes something, and the past cannot be changed", settings_.as_of));
}

Reply ServiceClient::get(const std::string& path) {
  return perform({"GET", std::string{kBasePath} + asked(path), {}, {}, {}, {}});
}

Reply ServiceClient::get_from_root(const std::string& path) {
  if (!settings_.as_of.empty()) throw Failure(kExitUsage, fmt::format("--as-of {}: {} shows the present alone", settings_.as_of, path));
  return perform({"GET", path, {}, {}, {}, {}});
}

Reply ServiceClient::post(const std::string& path, const nlohmann::json& body) {
  return perform({"POST", std::string{kBasePath} + path, body.dump(), {}, {}, {}});
}

Reply ServiceClient::remove(const std::string& path) {
  return perform({"DELETE", std::string{kBasePath} + path, {}, {}, {}, {}});
}

Reply ServiceClient::upload(const std::string& path, const std::string& metadata,
                            const std::string& file, OnProgress on_progress) {
  return perform({"POST", std::string{kBasePath} + path, metadata, file, std::move(on_progress), {}});
}

Reply ServiceClient::send_file(const std::string& path, const std::string& type,
                               const std::string& file, OnProgress on_progress) {
  return perform(
      {"POST", std::string{kBasePath} + path, {}, file, std::move(on_progress), type});
}

namespace {

// Where the bytes of a stream go.
struct StreamSink {
  CURL* easy;
  const std::function<bool(std::string_view)>& take;
  Reply& reply;
  bool had_enough = false;
  std::exception_ptr thrown = nullptr;
};

// No exception crosses libcurl.
std::size_t took_piece(char* bytes, std::size_t size, std::size_t count, void* to) {
  StreamSink& sink = *static_cast<StreamSink*>(to);
  curl_easy_getinfo(sink.easy, CURLINFO_RESPONSE_CODE, &sink.reply.status);
  if (!sink.reply.ok()) return took_body(bytes, size, count, &sink.reply.body);
  try {
    sink.had_enough = !sink.take({bytes, size * count});
    return sink.had_enough ? 0 : size * count;
  } catch (...) {
    sink.thrown = std::current_exception();
    return 0;
  }
}

}  // namespace

ServiceClient::Streamed ServiceClient::stream(const std::string& path, const std::string& last_event_id,
                                              const std::function<bool(std::string_view)>& take) {
  const Request request{"GET", std::string{kBasePath} + asked(path), {}, {}, {}, {}, last_event_id};
  Streamed streamed;
  CURL* easy = easy_.get();
  set_up(request, streamed.reply);
  const std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)> list{headers(request, {}), &curl_slist_free_all};
  const ResetAtEnd reset{easy};
  StreamSink sink{easy, take, streamed.reply};
  std::array<char, CURL_ERROR_SIZE> message{};
  set(easy, CURLOPT_ERRORBUFFER, message.data());
  set(easy, CURLOPT_HTTPHEADER, list.get());
  set(easy, CURLOPT_WRITEFUNCTION, &took_piece);
  set(easy, CURLOPT_WRITEDATA, static_cast<void*>(&sink));
  const CURLcode code = curl_easy_perform(easy);
  if (sink.thrown) std::rethrow_exception(sink.thrown);
  streamed.had_enough = sink.had_enough;
  curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &streamed.reply.status);
  const char* const what = message[0] != '\0' ? message.data() : curl_easy_strerror(code);
  if (code != CURLE_OK && !sink.had_enough && !is_worth_another_try(code)) throw Failure(kExitUnreachable, what);
  streamed.why = code == CURLE_OK ? "the service has ended the stream" : what;
  return streamed;
}

Reply ServiceClient::perform(const Request& request) {
  refuse_past(request.method);
  const std::string idempotency_key = random_uuid();
  auto pause = kPauseFirst;
  for (unsigned tried = 1;; ++tried) {
    Reply reply;
    std::string error;
    const CURLcode code = try_once(request, idempotency_key, reply, error);
    if (code == CURLE_OK) return reply;
    if (code == CURLE_READ_ERROR)
      throw Failure(kExitFailed, fmt::format("cannot read '{}'", request.file));
    if (!is_worth_another_try(code) || tried >= tries_)
      throw Failure(kExitUnreachable,
                    fmt::format("no answer from {}{} after {} {}: {}", settings_.server,
                                request.path, tried, tried == 1 ? "try" : "tries", error));
    note("otactl: {}; trying again ({} of {})\n", error, tried + 1, tries_);
    std::this_thread::sleep_for(pause);
    pause *= 2;
  }
}

curl_slist* ServiceClient::headers(const Request& request,
                                   const std::string& idempotency_key) const {
  curl_slist* list = nullptr;
  const auto add = [&list](const std::string& line) {
    list = curl_slist_append(list, line.c_str());
  };
  add(request.last_event_id.empty() ? "Accept: application/json" : "Accept: text/event-stream, application/json");
  if (!request.last_event_id.empty()) add("Last-Event-ID: " + request.last_event_id);
  const bool is_post = std::string_view{request.method} == "POST";
  if (is_post && request.file.empty()) add("Content-Type: application/json");
  if (!request.file_type.empty()) add("Content-Type: " + request.file_type);
  if (is_post) add("Idempotency-Key: " + idempotency_key);
  if (!settings_.user.empty()) add("X-User-Id: " + settings_.user);
  if (!settings_.token.empty()) add("Authorization: Bearer " + settings_.token);
  if (!settings_.api_key.empty()) add("X-API-Key: " + settings_.api_key);
  return list;
}

void ServiceClient::set_up(const Request& request, Reply& reply) {
  CURL* easy = easy_.get();
  curl_easy_reset(easy);
  set(easy, CURLOPT_URL, (settings_.server + request.path).c_str());
  // A device may be called "..", and is no step upwards.
  set(easy, CURLOPT_PATH_AS_IS, 1L);
  set(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  set(easy, CURLOPT_USERAGENT, "otactl/" OTA_VERSION);
  set(easy, CURLOPT_NOSIGNAL, 1L);
  set(easy, CURLOPT_CONNECTTIMEOUT_MS, kConnectTimeoutMs);
  if (request.file.empty() && request.last_event_id.empty()) {
    set(easy, CURLOPT_TIMEOUT, settings_.seconds_max);
  } else {  // a stream is never silent for long either
    set(easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
    set(easy, CURLOPT_LOW_SPEED_TIME, settings_.seconds_max);
  }
  set(easy, CURLOPT_WRITEFUNCTION, &took_body);
  set(easy, CURLOPT_WRITEDATA, static_cast<void*>(&reply.body));
  if (!settings_.ca_file.empty()) set(easy, CURLOPT_CAINFO, settings_.ca_file.c_str());
  if (settings_.insecure) {
    set(easy, CURLOPT_SSL_VERIFYPEER, 0L);
    set(easy, CURLOPT_SSL_VERIFYHOST, 0L);
  }
}

CURLcode ServiceClient::try_once(const Request& request, const std::string& idempotency_key,
                                 Reply& reply, std::string& error) {
  CURL* easy = easy_.get();
  set_up(request, reply);
  std::array<char, CURL_ERROR_SIZE> message{};
  const std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)> list{
      headers(request, idempotency_key), &curl_slist_free_all};
  const bool as_form = !request.file.empty() && request.file_type.empty();
  const Mime mime{as_form ? curl_mime_init(easy) : nullptr, &curl_mime_free};
  const File file{request.file_type.empty() ? nullptr : std::fopen(request.file.c_str(), "rb")};
  const ResetAtEnd reset{easy};
  set(easy, CURLOPT_ERRORBUFFER, message.data());
  set(easy, CURLOPT_HTTPHEADER, list.get());
  if (as_form) {
    if (!add_file(mime.get(), request.body, request.file)) return CURLE_READ_ERROR;
    set(easy, CURLOPT_MIMEPOST, mime.get());
  } else if (!request.file_type.empty()) {
    std::error_code failed;
    const auto size = std::filesystem::file_size(request.file, failed);
    if (!file || failed) return CURLE_READ_ERROR;
    set(easy, CURLOPT_POST, 1L);
    set(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(size));
    set(easy, CURLOPT_READDATA, static_cast<void*>(file.get()));
  } else if (std::string_view{request.method} == "POST") {
    set(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
    set(easy, CURLOPT_POSTFIELDS, request.body.c_str());
  } else {
    set(easy, CURLOPT_CUSTOMREQUEST, request.method);
  }
  if (!request.file.empty()) {
    set(easy, CURLOPT_NOPROGRESS, 0L);
    set(easy, CURLOPT_XFERINFOFUNCTION, &took_progress);
    set(easy, CURLOPT_XFERINFODATA, static_cast<const void*>(&request.on_progress));
  }
  const CURLcode code = curl_easy_perform(easy);
  curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &reply.status);
  error = message[0] != '\0' ? message.data() : curl_easy_strerror(code);
  // The service may refuse an upload and close before it has read all of it: its words count, not
  // the broken connection.
  const bool broken = code == CURLE_SEND_ERROR || code == CURLE_RECV_ERROR;
  if (!request.file.empty() && broken && reply.status >= 400) return CURLE_OK;
  return code;
}

nlohmann::json expect_json(const Reply& reply) {
  if (!reply.ok()) throw Failure(kExitFailed, describe_error(reply.status, reply.body));
  auto parsed = nlohmann::json::parse(reply.body, nullptr, false);
  if (parsed.is_discarded())
    throw Failure(kExitFailed, fmt::format("the service answered {} with a body that is not JSON",
                                           reply.status));
  return parsed;
}

}  // namespace ota::ctl
