// How the clients of the field behave where they differ from one another: data, for one device's
// code. What they do and why it matters to a server is known from their sources and from runs.
//
// `plain` is none of them: it reports every step, holds when it is told to, and is patient.
#pragma once

#include <string>
#include <string_view>

#include "tools/otasim/choice.hpp"
#include "tools/otasim/net/request_text.hpp"

namespace ota::sim {

enum class ClientKind { kPlain, kSwupdate, kRauc, kZephyr };
enum class ClientMix { kPlain, kSwupdate, kRauc, kZephyr, kMixed };  // mixed: of the last three

// What a client makes of `"update":"skip"`.
enum class Skip {
  kHolds,   // downloads, says so, and waits
  kWaits,   // downloads, says that it goes on, and waits
  kCloses,  // takes it for the end, and reports success at once
  kIgnores
};

struct ClientStyle {
  ClientKind kind = ClientKind::kPlain;
  std::string_view name;

  // Order of calls.
  bool config_at_start = false;        // pushes its attributes after every start, asked or not
  bool deployment_first = false;       // reads deploymentBase before it pushes them, begins later
  bool polls_after_each_step = false;  // at once, in the same run
  bool polls_while_busy = true;
  bool one_connection_a_run = false;  // for all of a poll and what follows, then closed
  bool builds_paths = false;          // of reports and attributes, from its configuration
  bool ignores_link_hosts = false;    // follows the path of a link, on the server it knows
  bool reads_cancel = true;           // before it answers it

  // What it says.
  const char* config_mode = "merge";  // null: no such member
  bool expects_continue = false;      // with PUT
  bool heads_artifacts = false;       // HEAD before GET
  bool reports_progress = true;
  bool reports_failure = true;
  const char* refusal = "rejected";  // of a cancel
  const char* refusal_finished = "none";
  bool success_before_reboot = false;
  Skip skip = Skip::kHolds;
  std::string_view started;   // details of its reports
  std::string_view verified;  // empty: reports "downloaded"

  // How often it tries a download that brings no byte; 0: leaves it to the next poll.
  unsigned download_tries_max = 60;
  bool takes_any_2xx = false;  // of 200, 201, 204, 206; else 200 alone
};

const ClientStyle& style_of(ClientKind kind);

// Answers which client a device is.
ClientKind choose_client(ClientMix mix, const Choices& choices, std::string_view device);

// Answers the header lines of a client's requests, without credentials.
CallerFields caller_fields(ClientKind kind);

}  // namespace ota::sim
