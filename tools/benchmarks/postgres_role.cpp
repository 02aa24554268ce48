// The roles "postgres" and "postgres-pipelined": device reports as a service would keep them that is built on PostgreSQL.
//
// Behind the service's own front door, whose handlers have a connection each. A report changes the row of the device's update
// and adds one to its history: two prepared statements in a transaction that is committed synchronously. The first has BEGIN and
// COMMIT around them and waits for each answer, as services do; the second sends both in a pipeline, which is one transaction
// and one round trip. That nobody looks up who the device is, is in favour of both.
#include <fmt/format.h>
#include <signal.h>

#include <array>
#include <chrono>
#include <memory>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <thread>

#include "http/front_door.hpp"
#include "http/router.hpp"
#include "tools/benchmarks/device_plans.hpp"
#include "tools/benchmarks/postgres_server.hpp"
#include "tools/benchmarks/report_load.hpp"
#include "tools/benchmarks/roles.hpp"

#ifdef OTA_BENCH_LIBPQ
#include <libpq-fe.h>
#endif

namespace ota::bench {

#ifdef OTA_BENCH_LIBPQ
namespace {

constexpr std::size_t kSpareConnections = 8;

// The update's rows leave room on their page, so that a change needs no work on the index.
constexpr const char* kSchema = R"(
CREATE TABLE updates (
  device text NOT NULL, action bigint NOT NULL, status text NOT NULL, detail text NOT NULL,
  reports bigint NOT NULL DEFAULT 0, updated_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (device, action)) WITH (fillfactor = 50);
CREATE TABLE history (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, device text NOT NULL, action bigint NOT NULL,
  at timestamptz NOT NULL DEFAULT now(), status text NOT NULL, detail text NOT NULL);
CREATE INDEX history_of_update ON history (device, action, id);
)";
constexpr const char* kChange =
    "UPDATE updates SET status = $3, detail = $4, reports = reports + 1, updated_at = now() WHERE device = $1 AND action = $2::bigint";
constexpr const char* kNote = "INSERT INTO history (device, action, status, detail) VALUES ($1, $2::bigint, $3, $4)";

using Answer = std::unique_ptr<PGresult, decltype(&PQclear)>;

class Connection {
 public:
  explicit Connection(const std::string& info) : connection_(PQconnectdb(info.c_str()), PQfinish) {
    if (PQstatus(connection_.get()) != CONNECTION_OK) fail();
  }
  void run(const std::string& text) { check(Answer(PQexec(connection_.get(), text.c_str()), PQclear)); }
  std::string ask(const std::string& text) {
    const Answer answer(PQexec(connection_.get(), text.c_str()), PQclear);
    check(answer);
    return PQgetvalue(answer.get(), 0, 0);
  }
  // For reports alone, from now on.
  void prepare(ReportTrips trips) {
    check(Answer(PQprepare(connection_.get(), "change", kChange, 0, nullptr), PQclear));
    check(Answer(PQprepare(connection_.get(), "note", kNote, 0, nullptr), PQclear));
    if (trips == ReportTrips::kOne && PQenterPipelineMode(connection_.get()) != 1) fail();
  }
  // False: there is no such update, and nothing is known of its history but this.
  bool report(const std::string& device, const std::string& action, const std::string& status, const std::string& detail) {
    const Values values{device.c_str(), action.c_str(), status.c_str(), detail.c_str()};
    return PQpipelineStatus(connection_.get()) == PQ_PIPELINE_OFF ? report_in_four(values) : report_in_one(values);
  }

 private:
  static constexpr int kValues = 4;
  using Values = std::array<const char*, kValues>;

  bool report_in_four(const Values& values) {
    run("BEGIN");
    const bool known = std::string_view(PQcmdTuples(execute("change", values).get())) == "1";
    execute("note", values);
    run("COMMIT");
    return known;
  }
  Answer execute(const char* statement, const Values& values) {
    Answer answer(PQexecPrepared(connection_.get(), statement, kValues, values.data(), nullptr, nullptr, 0), PQclear);
    check(answer);
    return answer;
  }
  bool report_in_one(const Values& values) {
    for (const char* statement : {"change", "note"}) {
      if (PQsendQueryPrepared(connection_.get(), statement, kValues, values.data(), nullptr, nullptr, 0) != 1) fail();
    }
    if (PQpipelineSync(connection_.get()) != 1) fail();
    const bool known = std::string_view(PQcmdTuples(next_answer(PGRES_COMMAND_OK).get())) == "1";
    next_answer(PGRES_COMMAND_OK);
    const Answer sync(PQgetResult(connection_.get()), PQclear);
    if (PQresultStatus(sync.get()) != PGRES_PIPELINE_SYNC) fail();
    return known;
  }
  Answer next_answer(ExecStatusType wanted) {
    Answer answer(PQgetResult(connection_.get()), PQclear);
    if (PQresultStatus(answer.get()) != wanted) fail();
    if (PQgetResult(connection_.get()) != nullptr) fail();  // what separates one from the next
    return answer;
  }
  void check(const Answer& answer) const {
    const auto status = PQresultStatus(answer.get());
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) fail();
  }
  [[noreturn]] void fail() const { throw std::runtime_error(fmt::format("PostgreSQL: {}", PQerrorMessage(connection_.get()))); }

  std::unique_ptr<PGconn, decltype(&PQfinish)> connection_;
};

// Its socket is there a little before it answers.
void wait_until_it_answers(const std::string& info) {
  constexpr std::chrono::milliseconds kLookEvery{10};
  constexpr int kLooksMax = 6'000;
  for (int look = 0; look < kLooksMax && PQping(info.c_str()) != PQPING_OK; ++look) std::this_thread::sleep_for(kLookEvery);
}

void make_tables(const std::string& info) {
  Connection connection(info);
  connection.run(kSchema);
  for (std::size_t device = 0; device < kReportingDevices; ++device) {
    connection.run(fmt::format("INSERT INTO updates (device, action, status, detail) VALUES ('{}', {}, 'in_progress', '')",
                               device_name(device), device + 1));
  }
  connection.run("VACUUM ANALYZE");
}

void take_report(http::RequestContext& context, const std::string& info, ReportTrips trips) {
  thread_local const auto connection = [&info, trips] {
    auto made = std::make_unique<Connection>(info);
    made->prepare(trips);
    return made;
  }();
  const auto body = nlohmann::json::parse(context.body());
  const auto& status = body.at("status");
  const auto detail = status.at("details").at(0).get<std::string>();
  const bool known = connection->report(context.parameter("device"), context.parameter("action"),
                                        status.at("execution").get<std::string>(), detail);
  context.answer_empty(known ? 200 : 404);
}

}  // namespace

int serve_postgres(const char* directory, ReportTrips trips, std::size_t handlers) {
  signal(SIGPIPE, SIG_IGN);
  const PostgresServer server(directory, handlers + kSpareConnections);
  const std::string info = server.connection_info();
  wait_until_it_answers(info);
  make_tables(info);
  http::Router router;
  router.add("POST", "/DEFAULT/controller/v1/{device}/deploymentBase/{action}/feedback",
             [&info, trips](http::RequestContext& context) { take_report(context, info, trips); });
  router.add("GET", "/history", [&info](http::RequestContext& context) {
    context.answer_text(200, Connection(info).ask("SELECT count(*) FROM history"), "text/plain");
  });
  http::FrontDoorOptions options;
  options.port = 0;
  options.handler_threads = handlers;
  options.body_places = handlers;
  {
    http::FrontDoor door(options, [&router](http::RequestContext& context) { router.handle(context); });
    door.start();
    announce_and_wait(door.port());
    door.stop();
  }
  return 0;
}
#else
int serve_postgres(const char*, ReportTrips, std::size_t) { throw std::runtime_error("this bench was built without libpq"); }
#endif

}  // namespace ota::bench
