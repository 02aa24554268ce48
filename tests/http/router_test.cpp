#include "http/router.hpp"

#include <doctest/doctest.h>
#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>

#include <sstream>

#include "tests/http/text_context.hpp"

using namespace ota::http;
using nlohmann::json;
using test::TextContext;

namespace {

// A handler that answers the route's name and its parameters.
RouteHandler answers_with(std::string name, std::vector<std::string> parameters = {}) {
  return [name = std::move(name), parameters = std::move(parameters)](RequestContext& context) {
    std::string text = name;
    for (const auto& parameter : parameters) text += " " + context.parameter(parameter);
    context.answer_text(200, text + context.body(), "text/plain");
  };
}

// What is logged while it lives.
struct CapturedLog {
  CapturedLog() : before(spdlog::default_logger()) {
    spdlog::set_default_logger(std::make_shared<spdlog::logger>(
        "test", std::make_shared<spdlog::sinks::ostream_sink_mt>(text)));
    spdlog::default_logger()->set_pattern("%v");
  }
  ~CapturedLog() { spdlog::set_default_logger(before); }
  std::shared_ptr<spdlog::logger> before;
  std::ostringstream text;
};

struct Answer {
  int status;
  std::string body;
  httplib::Headers headers;
  std::string header(const std::string& name) const {
    const auto at = headers.find(name);
    return at == headers.end() ? "" : at->second;
  }
};

Answer ask(const Router& router, const std::string& method, const std::string& target,
           const std::string& fields = "", const std::string& body = "") {
  TextContext made(method, target, fields, body);
  router.handle(made.context);
  return {made.response.status, made.response.body, made.response.headers};
}

}  // namespace

TEST_CASE("a failure is logged with the path that was asked for, unless it names a person") {
  Router router;
  auto api = router.under({"/api/v1/ota"});
  for (const auto* path : {"/devices/{id}", "/users/{user_id}"}) {
    api.add("GET", path, [](RequestContext&) { throw std::runtime_error("out of luck"); });
  }
  const CapturedLog log;
  CHECK(ask(router, "GET", "/api/v1/ota/devices/pump-7").status == 500);
  CHECK(ask(router, "GET", "/api/v1/ota/users/ada.lovelace").status == 500);
  const auto text = log.text.str();
  CHECK(text.find("pump-7") != text.npos);
  CHECK(text.find("/users/{user_id}") != text.npos);
  CHECK(text.find("ada.lovelace") == text.npos);
}

TEST_CASE("routes answer under every base path, with their parameters") {
  Router router;
  auto api = router.under({"/api/v1/ota", "/api/v1"});
  api.add("GET", "/campaigns", answers_with("list"));
  api.add("GET", "/campaigns/{id}", answers_with("one", {"id"}));
  api.add("POST", "/campaigns/{id}/start", answers_with("start", {"id"}));
  router.add("GET", "/{tenant}/controller/v1/{device}/softwaremodules/{module}",
             answers_with("ddi", {"tenant", "device", "module"}));
  router.add("GET", "/", answers_with("root"));

  for (const std::string base : {"/api/v1/ota", "/api/v1"}) {
    CHECK(ask(router, "GET", base + "/campaigns").body == "list");
    CHECK(ask(router, "GET", base + "/campaigns/").body == "list");
    CHECK(ask(router, "GET", base + "/campaigns/camp_1?as_of=5").body == "one camp_1");
    CHECK(ask(router, "POST", base + "/campaigns/camp_1/start").body == "start camp_1");
  }
  CHECK(ask(router, "GET", "/DEFAULT/controller/v1/pump-7/softwaremodules/88").body ==
        "ddi DEFAULT pump-7 88");
  CHECK(ask(router, "GET", "/").body == "root");
  CHECK(router.describe().front() == "GET /api/v1/ota/campaigns");
  CHECK(router.describe().size() == 8);
}

TEST_CASE("a segment that is written out wins, unless it leads nowhere") {
  Router router;
  router.add("POST", "/devices/bulk/update", answers_with("bulk"));
  router.add("POST", "/devices/import", answers_with("import"));
  router.add("POST", "/devices/{id}/update", answers_with("update", {"id"}));
  router.add("GET", "/devices/{id}", answers_with("device", {"id"}));
  router.add("GET", "/devices/{id}/why", answers_with("why", {"id"}));
  CHECK(ask(router, "POST", "/devices/bulk/update").body == "bulk");
  CHECK(ask(router, "POST", "/devices/pump/update").body == "update pump");
  CHECK(ask(router, "GET", "/devices/bulk/why").body == "why bulk");
  CHECK(ask(router, "GET", "/devices/bulk").body == "device bulk");
  CHECK(ask(router, "GET", "/devices/import").body == "device import");
  CHECK(ask(router, "POST", "/devices/import").body == "import");
}

TEST_CASE("a word between two segments wins over a {name}, also where the path goes on alike") {
  Router router;
  auto api = router.under({"/api"});
  api.add("POST", "/devices/{id}/update", answers_with("one", {"id"}));
  api.add("POST", "/devices/bulk/update", answers_with("many"));
  api.add("POST", "/devices/import", answers_with("import"));
  api.add("PUT", "/devices/{id}", answers_with("put", {"id"}));
  CHECK(ask(router, "POST", "/api/devices/bulk/update").body == "many");
  CHECK(ask(router, "POST", "/api/devices/bulk2/update").body == "one bulk2");
  CHECK(ask(router, "PUT", "/api/devices/bulk").body == "put bulk");
  CHECK(ask(router, "PUT", "/api/devices/import").body == "put import");
  CHECK(ask(router, "POST", "/api/devices/import").body == "import");
}

TEST_CASE("segments are percent-decoded once, and an encoded slash does not split them") {
  Router router;
  router.add("GET", "/devices/{id}", answers_with("device", {"id"}));
  CHECK(ask(router, "GET", "/devices/a%2Fb").body == "device a/b");
  CHECK(ask(router, "GET", "/devices/100%2525").body == "device 100%25");
  CHECK(ask(router, "GET", "/devices/z%C3%BCri+1").body == "device züri+1");
  CHECK(ask(router, "GET", "/%64evices/x").body == "device x");
}

TEST_CASE("an id that cannot be is 422 and names the parameter") {
  Router router;
  router.add("GET", "/devices/{device_id}/updates", answers_with("updates", {"device_id"}));
  const auto type_of = [&](const std::string& id) {
    const auto answer = ask(router, "GET", "/devices/" + id + "/updates");
    CHECK(answer.status == 422);
    const auto body = json::parse(answer.body);
    CHECK(body["error"] == "ValidationError");
    CHECK(body["detail"][0]["loc"] == json({"path", "device_id"}));
    return body["detail"][0]["type"].get<std::string>();
  };
  CHECK(type_of("") == "string_too_short");
  CHECK(type_of("a%0Ab") == "string_pattern_mismatch");
  CHECK(type_of("a%00b") == "string_pattern_mismatch");
  CHECK(type_of("%FF") == "string_pattern_mismatch");
  CHECK(type_of("%zz") == "url_encoding");
  CHECK(type_of(std::string(257, 'x')) == "string_too_long");
  CHECK(ask(router, "GET", "/devices/" + std::string(256, 'x') + "/updates").status == 200);
  std::string umlauts;
  for (int i = 0; i < 256; ++i) umlauts += "%C3%BC";
  CHECK(ask(router, "GET", "/devices/" + umlauts + "/updates").status == 200);
}

TEST_CASE("what is not there is 404, and another method 405 with what is allowed") {
  Router router;
  router.add("GET", "/campaigns/{id}", answers_with("get", {"id"}));
  router.add("PUT", "/campaigns/{id}", answers_with("put", {"id"}));
  const auto missing = ask(router, "GET", "/nothing/here");
  CHECK(missing.status == 404);
  CHECK(json::parse(missing.body)["message"] == "No route GET /nothing/here");
  CHECK(ask(router, "GET", "/campaigns/x/y").status == 404);
  CHECK(ask(router, "GET", std::string(40, '/')).status == 404);

  const auto wrong = ask(router, "DELETE", "/campaigns/x");
  CHECK(wrong.status == 405);
  CHECK(wrong.header("Allow") == "GET, HEAD, PUT");
  CHECK(json::parse(wrong.body)["error"] == "MethodNotAllowed");
  CHECK(ask(router, "HEAD", "/campaigns/x").body == "get x");
  const auto options = ask(router, "OPTIONS", "/campaigns/x");
  CHECK(options.status == 204);
  CHECK(options.header("Allow") == "GET, HEAD, PUT, OPTIONS");

  router.add("PUT", "/campaigns/all", answers_with("put all", {}));  // the same path as another route's
  router.add("PUTS", "/campaigns/all", answers_with("puts all", {}));
  CHECK(ask(router, "DELETE", "/campaigns/all").header("Allow") == "PUT, PUTS, GET, HEAD");
}

TEST_CASE("a route's body is read up to its limit, unless it streams") {
  Router router;
  router.add("POST", "/small", answers_with("small "), {.body_bytes_max = 10});
  router.add("POST", "/stream",
             [](RequestContext& context) {
               char bytes[4];
               const auto read = context.body_stream().read(bytes, sizeof bytes);
               context.answer_text(200, std::string(bytes, read.count), "text/plain");
             },
             {.body_bytes_max = 1, .streams_body = true});
  CHECK(ask(router, "POST", "/small", "", "0123456789").body == "small 0123456789");
  const auto large = ask(router, "POST", "/small", "", "0123456789a");
  CHECK(large.status == 413);
  CHECK(json::parse(large.body)["error"] == "BadRequest");
  CHECK(ask(router, "POST", "/stream", "", "streamed").body == "stre");
}

TEST_CASE("a route with a limit on how many run at once answers 503 beyond it") {
  Router router;
  int inner_status = 0;
  router.add("GET", "/x",
             [&](RequestContext& context) {
               if (inner_status == 0) {
                 const auto inner = ask(router, "GET", "/x");
                 inner_status = inner.status;
                 CHECK(inner.header("Retry-After") == "5");
               }
               context.answer_empty(200);
             },
             {.running_max = 1});
  CHECK(ask(router, "GET", "/x").status == 200);
  CHECK(inner_status == 503);
  CHECK(ask(router, "GET", "/x").status == 200);
}

TEST_CASE("a route's check comes before its body is read") {
  Router router;
  router.add("POST", "/x", answers_with("x"),
             {.body_bytes_max = 3, .check = [](const RequestContext& context) {
                return context.header("X-Wrong") ? std::optional(Problem::forbidden("wrong"))
                                                 : std::nullopt;
              }});
  CHECK(ask(router, "POST", "/x", "", "abc").body == "xabc");
  CHECK(ask(router, "POST", "/x", "X-Wrong: 1\r\n", "too large").status == 403);
}

TEST_CASE("a header that would hold a line's end is a failure of the handler, not a header") {
  Router router;
  const CapturedLog log;
  router.add("GET", "/x", [](RequestContext& context) {
    context.set_header("X-Name", "a\r\nSet-Cookie: b");
    context.answer_empty(200);
  });
  CHECK(ask(router, "GET", "/x").status == 500);
}

TEST_CASE("every answer carries the request's id, or a new one") {
  Router router;
  router.add("GET", "/x", answers_with("x"));
  CHECK(ask(router, "GET", "/x", "X-Request-Id: mine-1\r\n").header("X-Request-Id") == "mine-1");
  CHECK(ask(router, "GET", "/x", "X-Request-Id: " + std::string(70, 'a') + "\r\n")
            .header("X-Request-Id") == std::string(64, 'a'));
  for (const char* unusable :
       {"", "X-Request-Id:\r\n", "X-Request-Id: z\xC3\xBCri\r\n", "X-Request-Id: a\tb\r\n"}) {
    const auto answer = ask(router, "GET", "/y", unusable);
    CHECK(answer.header("X-Request-Id").size() == 32);
    CHECK(json::parse(answer.body)["request_id"] == answer.header("X-Request-Id"));
  }
  CHECK(ask(router, "GET", "/x").header("X-Request-Id") !=
        ask(router, "GET", "/x").header("X-Request-Id"));
}

TEST_CASE("only answers to GET are kept from caches, where the group says so") {
  Router router;
  auto api = router.under({"/api"}, {.no_store = true});
  api.add("GET", "/x", answers_with("x"));
  api.add("POST", "/x", answers_with("x"));
  router.add("GET", "/y", answers_with("y"));
  CHECK(ask(router, "GET", "/api/x").header("Cache-Control") == "no-store");
  CHECK(ask(router, "HEAD", "/api/x").header("Cache-Control") == "no-store");
  CHECK(ask(router, "POST", "/api/x").header("Cache-Control").empty());
  CHECK(ask(router, "GET", "/y").header("Cache-Control").empty());
}

TEST_CASE("an Idempotency-Key must be printable and short") {
  Router router;
  router.add("POST", "/x", answers_with("x"));
  CHECK(ask(router, "POST", "/x", "Idempotency-Key: k-1\r\n").status == 200);
  for (const std::string& key :
       {std::string(), std::string(256, 'k'), std::string("z\xC3\xBCri")}) {
    const auto answer = ask(router, "POST", "/x", "Idempotency-Key: " + key + "\r\n");
    CHECK(answer.status == 422);
    CHECK(json::parse(answer.body)["detail"][0]["loc"] == json({"header", "Idempotency-Key"}));
  }
}

TEST_CASE("the caller's headers reach the handler") {
  TextContext made("GET", "/x?y=1", "X-User-Id: anna\r\nIf-Match: \"3\"\r\nIdempotency-Key: k\r\n");
  CHECK(made.context.user_id() == "anna");
  CHECK(made.context.header("If-Match") == "\"3\"");
  CHECK(made.context.idempotency_key() == "k");
  CHECK(made.context.query() == "y=1");
  CHECK(made.context.client_address() == "127.0.0.1");
  CHECK(TextContext("GET", "/x").context.user_id().empty());
}

TEST_CASE("a group's own shape of errors is used for all of its errors") {
  Router router;
  auto ddi = router.under(
      {"/ddi"},
      {.body_bytes_max = 1, .problem_writer = [](RequestContext& context, const Problem& problem) {
         context.answer_text(problem.status, "ddi", "text/plain");
       }});
  const CapturedLog log;
  ddi.add("POST", "/{id}", [](RequestContext&) { throw std::runtime_error("oops"); });
  CHECK(ask(router, "GET", "/ddi/x").body == "ddi");
  CHECK(ask(router, "POST", "/ddi/%zz").body == "ddi");
  CHECK(ask(router, "POST", "/ddi/x", "", "too large").body == "ddi");
  CHECK(ask(router, "POST", "/ddi/x").status == 500);
}

TEST_CASE("an exception becomes a 500 that tells nothing, and a line in the log that tells all") {
  const CapturedLog log;
  Router router;
  router.add("GET", "/fails/{id}", [](RequestContext& context) {
    context.set_header("X-Half", "done");
    throw std::runtime_error("secret {} of \"ours\"");
  });
  router.add("GET", "/odd", [](RequestContext&) { throw 5; });
  router.add("GET", "/silent", [](RequestContext&) {});
  const auto answer = ask(router, "GET", "/fails/7", "X-Request-Id: r-1\r\n");
  const auto odd = ask(router, "GET", "/odd");
  const auto silent = ask(router, "GET", "/silent");

  CHECK(answer.status == 500);
  CHECK(json::parse(answer.body)["error"] == "InternalError");
  CHECK(answer.body.find("secret") == std::string::npos);
  CHECK(answer.header("X-Half").empty());
  CHECK(answer.header("X-Request-Id") == "r-1");
  CHECK(odd.status == 500);
  CHECK(silent.status == 500);
  const auto line = json::parse(log.text.str().substr(0, log.text.str().find('\n')));
  CHECK(line["error"] == "secret {} of \"ours\"");
  CHECK(line["request_id"] == "r-1");
  CHECK(line["route"] == "/fails/{id}");
}

TEST_CASE("the observer sees every answer with its route") {
  Router router;
  std::vector<std::string> seen;
  router.set_observer([&](const RequestContext& context, int status, std::chrono::microseconds) {
    seen.push_back(std::string(context.method()) + " " + std::string(context.route()) + " " +
                   std::to_string(status));
  });
  router.add("GET", "/x/{id}", answers_with("x", {"id"}));
  ask(router, "GET", "/x/1");
  ask(router, "GET", "/nothing");
  CHECK(seen == std::vector<std::string>{"GET /x/{id} 200", "GET  404"});
}
