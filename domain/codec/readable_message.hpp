// Any message of events.proto as people read it. Inside codec/ only.
#pragma once

#include <google/protobuf/message.h>

#include "domain/codec/readable.hpp"

namespace ota::domain::codec {

ReadableFields readable_message(const google::protobuf::Message& message);

}  // namespace ota::domain::codec
