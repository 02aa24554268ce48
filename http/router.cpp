#include "http/router.hpp"

#include <array>
#include <atomic>
#include <cassert>
#include <map>
#include <optional>
#include <utility>

#include "http/failure_log.hpp"
#include "http/text.hpp"

namespace ota::http {

struct Router::Route {
  std::string method;
  std::string pattern;
  std::vector<std::string> names;  // of its parameters, in order
  RouteHandler handler;
  RouteOptions options;
  mutable std::atomic<std::size_t> running{0};
};

struct Router::Node {
  std::map<std::string, std::unique_ptr<Node>, std::less<>> literals;
  std::unique_ptr<Node> parameter;
  std::vector<const Route*> routes;  // that end here, one a method
};

// The path of a request, cut up and decoded. A segment that cannot be decoded stays as it was sent,
// marked.
struct Router::Segments {
  struct Segment {
    std::string_view text;  // decoded, or as sent where nothing is encoded
    bool broken = false;
  };
  std::array<Segment, limits::kPathSegments> items;
  std::size_t count = 0;
  std::deque<std::string> decoded;  // does not move what it holds
  bool too_many = false;

  explicit Segments(std::string_view path) {
    if (path.starts_with('/')) path.remove_prefix(1);
    if (path.ends_with('/')) path.remove_suffix(1);
    if (path.empty()) return;
    for (bool more = true; more;) {
      if (count == items.size()) {
        too_many = true;
        return;
      }
      const auto slash = path.find('/');
      more = slash != std::string_view::npos;
      add(path.substr(0, slash));
      if (more) path.remove_prefix(slash + 1);
    }
  }

  void add(std::string_view raw) {
    Segment& segment = items[count];
    segment.text = raw;
    if (raw.find('%') != std::string_view::npos) {
      auto text = percent_decode(raw, PlusSign::kItself);
      segment.broken = !text;
      if (text) segment.text = decoded.emplace_back(std::move(*text));
    }
    ++count;
  }
};

struct Router::Match {
  std::string_view method;
  const Route* route = nullptr;
  std::vector<std::size_t> taken;   // which segments stand for parameters, on the way down
  std::vector<std::size_t> values;  // the same for `route`, once there is one
  const Route* other = nullptr;     // a route at this path with another method
  std::string allow;                // without repeats: two templates may match one path

  // Looks at the routes that end at a node; true: found.
  bool look_at(const Node& node) {
    const Route* get = nullptr;
    for (const Route* candidate : node.routes) {
      if (candidate->method == method) {
        route = candidate;
        values = taken;
        return true;
      }
      if (candidate->method == "GET") get = candidate;
    }
    if (get && method == "HEAD" && get->options.takes_head) {
      route = get;
      values = taken;
      return true;
    }
    for (const Route* candidate : node.routes) {
      other = candidate;
      add_allowed(candidate->method);
      if (candidate->method == "GET" && candidate->options.takes_head) add_allowed("HEAD");
    }
    return false;
  }

 private:
  void add_allowed(std::string_view one) {
    if ((", " + allow + ", ").find(fmt::format(", {}, ", one)) != std::string::npos) return;
    if (!allow.empty()) allow += ", ";
    allow += one;
  }
};

namespace {

// Counts one among those that run, while it lives.
class Place {
 public:
  explicit Place(std::atomic<std::size_t>& running)
      : running_(running), number_(running.fetch_add(1) + 1) {}
  ~Place() { running_.fetch_sub(1); }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;
  std::size_t number() const { return number_; }

 private:
  std::atomic<std::size_t>& running_;
  const std::size_t number_;
};

// What is wrong with a value for a {name}; empty if nothing is.
std::optional<Problem> check_parameter(std::string_view name, std::string_view value, bool broken) {
  const auto fail = [&](std::string message, std::string_view type) {
    return Problem::invalid_field(nlohmann::json::array({"path", name}),
                                  std::string(name) + " in the path " + std::move(message), type);
  };
  if (broken) return fail("is not percent-encoded text: '" + shown(value) + "'", "url_encoding");
  const auto characters = count_characters(value);
  if (!characters || has_control_character(value)) {
    return fail("holds a control character or is not UTF-8: '" + shown(value) + "'", "string_pattern_mismatch");
  }
  if (*characters == 0) return fail("is empty", "string_too_short");
  if (value == "." || value == "..") return fail("is '" + std::string(value) + "', which clients take out of paths", "string_pattern_mismatch");
  if (*characters > limits::kPathParameterChars) {
    return fail("has " + std::to_string(*characters) + " characters, more than " +
                    std::to_string(limits::kPathParameterChars) + ": '" + shown(value) + "'",
                "string_too_long");
  }
  return std::nullopt;
}

std::optional<Problem> check_idempotency_key(const RequestContext& context) {
  const auto key = context.idempotency_key();
  if (!key) return std::nullopt;
  if (!key->empty() && key->size() <= limits::kIdempotencyKeyBytes && is_printable_ascii(*key)) {
    return std::nullopt;
  }
  return Problem::invalid_field(nlohmann::json::array({"header", "Idempotency-Key"}),
                                "Idempotency-Key must be 1 to " +
                                    std::to_string(limits::kIdempotencyKeyBytes) +
                                    " printable ASCII characters, got '" + shown(*key) + "'",
                                "string_pattern_mismatch");
}

}  // namespace

Router::Router() : root_(std::make_unique<Node>()) {}
Router::~Router() = default;

Router::Group Router::under(std::vector<std::string> bases, RouteOptions defaults) {
  return Group(*this, std::move(bases), std::move(defaults));
}

void Router::Group::add(std::string_view method, std::string_view pattern,
                        const RouteHandler& handler) {
  add(method, pattern, handler, defaults_);
}

void Router::Group::add(std::string_view method, std::string_view pattern,
                        const RouteHandler& handler, const RouteOptions& options) {
  for (const auto& base : bases_)
    router_.add(method, base + std::string(pattern), handler, options);
}

void Router::add(std::string_view method, std::string_view pattern, RouteHandler handler,
                 RouteOptions options) {
  Route& route = routes_.emplace_back();
  route.method = method;
  route.pattern = pattern;
  route.handler = std::move(handler);
  route.options = std::move(options);
  Node* node = root_.get();
  const Segments segments(route.pattern);
  assert(!segments.too_many);
  for (std::size_t i = 0; i < segments.count; ++i) {
    const std::string_view text = segments.items[i].text;
    std::unique_ptr<Node>* next = nullptr;
    if (text.starts_with('{') && text.ends_with('}')) {
      route.names.emplace_back(text.substr(1, text.size() - 2));
      next = &node->parameter;
    } else {
      next = &node->literals[std::string(text)];
    }
    if (!*next) *next = std::make_unique<Node>();
    node = next->get();
  }
  for ([[maybe_unused]] const Route* other : node->routes) {
    assert(other->method != route.method && "two routes for one method and path");
  }
  node->routes.push_back(&route);
}

void Router::find(const Node& node, const Segments& segments, std::size_t depth,
                  Match& match) const {
  if (depth == segments.count) {
    match.look_at(node);
    return;
  }
  const auto& segment = segments.items[depth];
  if (!segment.broken) {
    const auto literal = node.literals.find(segment.text);
    if (literal != node.literals.end()) find(*literal->second, segments, depth + 1, match);
  }
  if (!match.route && node.parameter) {
    match.taken.push_back(depth);
    find(*node.parameter, segments, depth + 1, match);
    match.taken.pop_back();
  }
}

void Router::handle(RequestContext& context) const {
  const auto began = std::chrono::steady_clock::now();
  try {
    route_and_run(context);
  } catch (const std::exception& error) {
    log_failure(context, error.what());
    context.reset_answer();
    context.answer(Problem::internal());
  } catch (...) {
    log_failure(context, "an exception that is no std::exception");
    context.reset_answer();
    context.answer(Problem::internal());
  }
  if (observer_) {
    observer_(context, context.response().status,
              std::chrono::duration_cast<std::chrono::microseconds>(
                  std::chrono::steady_clock::now() - began));
  }
}

void Router::route_and_run(RequestContext& context) const {
  const Segments segments(context.path());
  Match match;
  match.method = context.method();
  if (!segments.too_many) find(*root_, segments, 0, match);
  const Route* const at_path = match.route ? match.route : match.other;
  if (context.peer().devices_only && at_path && !at_path->options.for_devices) {
    return context.answer(Problem::not_found("Only devices are served here, and " + shown(context.path()) + " is not for them"));
  }
  if (!match.route) return answer_unmatched(context, match);

  const Route& route = *match.route;
  context.set_route(route.pattern);
  context.set_problem_writer(&route.options.problem_writer);
  for (std::size_t i = 0; i < route.names.size(); ++i) {
    const auto& segment = segments.items[match.values[i]];
    if (const auto problem = check_parameter(route.names[i], segment.text, segment.broken)) {
      return context.answer(*problem);
    }
    context.add_parameter(route.names[i], std::string(segment.text));
  }
  run(route, context);
}

void Router::answer_unmatched(RequestContext& context, const Match& match) const {
  if (!match.other) {
    return context.answer(
        Problem::not_found("No route " + std::string(match.method) + " " + shown(context.path())));
  }
  context.set_problem_writer(&match.other->options.problem_writer);
  if (match.method == "OPTIONS") {
    context.set_header("Allow", match.allow + ", OPTIONS");
    return context.answer_empty(204);
  }
  context.answer(Problem::method_not_allowed(match.method, match.allow));
}

void Router::run(const Route& route, RequestContext& context) const {
  const Place place(route.running);
  if (route.options.running_max > 0 && place.number() > route.options.running_max) {
    return context.answer(Problem::unavailable("The service runs " +
                                                   std::to_string(route.options.running_max) +
                                                   " requests of this kind already",
                                               5));
  }
  const bool reads_only = context.method() == "GET" || context.method() == "HEAD";
  if (reads_only && route.options.no_store) context.set_header("Cache-Control", "no-store");
  if (const auto problem = check_idempotency_key(context)) return context.answer(*problem);
  if (route.options.check) {
    if (const auto problem = route.options.check(context)) return context.answer(*problem);
  }
  if (!route.options.streams_body && context.head().has_body()) {
    const auto problem =
        read_whole_body(context.body_stream(), route.options.body_bytes_max, context.body());
    if (problem) return context.answer(*problem);
  }
  route.handler(context);
  // A handler that answers nothing is a fault of ours, not an empty 200.
  if (context.response().status == -1) {
    log_failure(context, "the handler gave no answer");
    context.answer(Problem::internal());
  }
  context.answered();
}

std::vector<std::string> Router::describe() const {
  std::vector<std::string> lines;
  for (const auto& route : routes_) lines.push_back(route.method + " " + route.pattern);
  return lines;
}

}  // namespace ota::http
