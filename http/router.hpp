// Finds the route of a request by a tree of path segments, reads its body within the route's limit,
// and runs it.
//
//   Router router;
//   auto api = router.under({"/api/v1/ota", "/api/v1"}, {.no_store = true});
//   api.add("GET", "/campaigns/{id}", [](RequestContext& context) { ... });
//   FrontDoor door(options, [&](RequestContext& context) { router.handle(context); });
//
// A segment that is written out wins over a {name}; where it leads nowhere (or not with this
// method) the {name} is tried, so a device may be called "bulk". Segments are percent-decoded once;
// what stands for a {name} must be 1-256 characters without control characters, else 422 (decision
// 20). One '/' at the end is overlooked. HEAD goes to GET's handler, OPTIONS is answered from the
// table, other methods 405 with Allow. Filled before the door opens, and read-only afterwards: any
// number of threads may call handle().
#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "http/limits.hpp"
#include "http/request_context.hpp"

namespace ota::http {

using RouteHandler = std::function<void(RequestContext&)>;
// What is wrong with a request, if anything.
using RouteCheck = std::function<std::optional<Problem>(const RequestContext&)>;

struct RouteOptions {
  std::size_t body_bytes_max = limits::kBodyBytes;
  std::size_t running_max = 0;        // requests of this route at once, then 503; 0: no limit
  bool streams_body = false;          // the handler reads body_stream() itself
  bool for_devices = false;           // served also where devices alone are let in
  bool takes_head = true;             // of GET: HEAD goes to its handler
  bool no_store = false;              // answers to GET carry Cache-Control: no-store
  RouteCheck check = {};              // of the head, before the body is read
  ProblemWriter problem_writer = {};  // empty: the shape of spec/api.md
};

class Router {
 public:
  // What was answered, for metrics; called on the handler's thread behind every request.
  using Observer = std::function<void(const RequestContext& context, int status,
                                      std::chrono::microseconds duration)>;

  // Several base paths with the same routes below them.
  class Group {
   public:
    void add(std::string_view method, std::string_view pattern, const RouteHandler& handler);
    void add(std::string_view method, std::string_view pattern, const RouteHandler& handler,
             const RouteOptions& options);
    const RouteOptions& defaults() const { return defaults_; }
    // The defaults of a route that looks at the whole of its head itself.
    RouteOptions unchecked() const {
      RouteOptions options = defaults_;
      options.check = {};
      return options;
    }

   private:
    friend class Router;
    Group(Router& router, std::vector<std::string> bases, RouteOptions defaults)
        : router_(router), bases_(std::move(bases)), defaults_(std::move(defaults)) {}
    Router& router_;
    std::vector<std::string> bases_;
    RouteOptions defaults_;
  };

  Router();
  ~Router();
  Router(const Router&) = delete;
  Router& operator=(const Router&) = delete;

  Group under(std::vector<std::string> bases, RouteOptions defaults = {});
  // Adds one route; a second one for the same method and path, or with other names in it, is a
  // programmer's error.
  void add(std::string_view method, std::string_view pattern, RouteHandler handler,
           RouteOptions options = {});
  void set_observer(Observer observer) { observer_ = std::move(observer); }

  // Answers the request. An exception of a handler becomes a 500 and a line in the log.
  void handle(RequestContext& context) const;

  // Every route as "GET /api/v1/ota/campaigns/{id}", in the order added.
  std::vector<std::string> describe() const;

 private:
  struct Route;
  struct Node;
  struct Segments;
  struct Match;

  void find(const Node& node, const Segments& segments, std::size_t depth, Match& match) const;
  void route_and_run(RequestContext& context) const;
  void answer_unmatched(RequestContext& context, const Match& match) const;
  void run(const Route& route, RequestContext& context) const;

  std::unique_ptr<Node> root_;
  std::deque<Route> routes_;
  Observer observer_;
};

}  // namespace ota::http
