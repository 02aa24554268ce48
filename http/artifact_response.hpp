// Answers a request with an artifact's bytes: whole, one range, several ranges, or only the head.
//
// Conditions and ranges as spec/ddi.md section 5: If-Match (412), If-None-Match (304), If-Range,
// Range (206, 416). A HEAD tells of the whole. Artifacts that have a descriptor are sent by epoll
// and sendfile (Transfers) and free the handler at once; others are read by the handler in pieces.
// Memory is flat in both cases.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "actors/ports/artifact_store.hpp"
#include "http/request_context.hpp"
#include "http/time_format.hpp"

namespace ota::http {

// How a delivery ended: the numbers behind download_count (decision 15).
struct Delivery {
  int status = 200;       // 200 or 206
  bool complete = false;  // every byte of the answer has left; without a descriptor: the kernel has it
  // A 200 that completed, or a 206 that completed and held the artifact's last byte.
  bool last_byte_sent = false;
};

struct ArtifactAnswer {
  std::string etag = {};  // without quotes
  Time last_modified{};
  std::string file_name = {};  // for Content-Disposition; empty: none
  std::string content_type = "application/octet-stream";
  bool errors_have_bodies = true;  // false on DDI: clients install whatever body they get
  // Called once for each answer that carries bytes, when it has ended; on another thread than the
  // handler's, where it must not block or throw. May be empty.
  std::function<void(const Delivery&)> on_end = {};
};

void answer_artifact(RequestContext& context, std::shared_ptr<const actors::Artifact> artifact,
                     ArtifactAnswer answer);

// "attachment;filename=..." with the name cut to 78 characters, and quoted if it holds others than
// letters, digits and
// "._-"; a name that is not ASCII is given a second time in RFC 8187's form.
std::string content_disposition(std::string_view file_name);

}  // namespace ota::http
