// What bench is when it starts itself once more: the service, or one of its peers over HTTP.
//
// A process of its own has its own memory to be measured and cannot disturb the load generator's. A
// role listens on a free port of the loopback interface, prints the port, and ends when its stdin
// closes.
//
//   bench serve-service DIRECTORY     what otad serves, with its defaults and without a bus
//   bench serve-hello CONNECTIONS     httplib's own server, tuned, answering "Hello World!"
//   bench serve-nginx DIRECTORY       nginx, tuned, with the files in DIRECTORY/www
//   bench serve-postgres DIRECTORY HANDLERS    reports into PostgreSQL 15, a cluster in DIRECTORY, behind the service's front door
//   bench serve-postgres-pipelined DIRECTORY HANDLERS   the same in one round trip
//
// And for whoever wants to look into what is measured:
//
//   bench make-log DIRECTORY EVENTS   the data directory of a service with a log as the rows of `long-log` have it
#pragma once

#include <cstddef>
#include <optional>

#include "tools/benchmarks/process.hpp"

namespace ota::bench {

inline constexpr const char* kServiceRole = "serve-service";
inline constexpr const char* kHelloRole = "serve-hello";
inline constexpr const char* kNginxRole = "serve-nginx";
inline constexpr const char* kPostgresRole = "serve-postgres";
inline constexpr const char* kPipelinedPostgresRole = "serve-postgres-pipelined";
inline constexpr const char* kMakeLogRole = "make-log";

// Plays the role that the command line names, if it names one; answers the exit code then.
std::optional<int> play_role(int argc, char** argv);

int serve_service(const char* directory);
int serve_hello(std::size_t connections);
int serve_nginx(const char* directory);
// Round trips of a report: BEGIN, two statements and COMMIT, or all in a pipeline.
enum class ReportTrips { kFour, kOne };
int serve_postgres(const char* directory, ReportTrips trips, std::size_t handlers);

// In a role: tells the port, then waits until whoever started it wants it to end.
void announce_and_wait(int port);

// A role that plays, and the port that it listens on.
struct Role {
  Role(const char* name, std::string argument, std::string further = "")
      : process({this_program(), name, std::move(argument), std::move(further)}),
        port(std::stoi(process.read_line())) {}
  Process process;
  int port;
};

}  // namespace ota::bench
