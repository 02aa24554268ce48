// Owners of what the C library hands out, and its errors as sentences. The one header that includes
// nats.h.
#pragma once

#include <fmt/format.h>
#include <nats/nats.h>

#include <memory>
#include <string_view>

#include "gateways/nats/connection.hpp"
#include "gateways/nats/limits.hpp"

namespace ota::gateways::nats {

template <auto Destroy>
struct DestroyWith {
  template <class T>
  void operator()(T* handle) const noexcept {
    Destroy(handle);
  }
};
template <class T, auto Destroy>
using Owned = std::unique_ptr<T, DestroyWith<Destroy>>;

using OptionsHandle = Owned<natsOptions, natsOptions_Destroy>;
using ConnectionHandle = Owned<natsConnection, natsConnection_Destroy>;
using JetStreamHandle = Owned<jsCtx, jsCtx_Destroy>;
using SubscriptionHandle = Owned<natsSubscription, natsSubscription_Destroy>;
using MessageHandle = Owned<natsMsg, natsMsg_Destroy>;
using MetaDataHandle = Owned<jsMsgMetaData, jsMsgMetaData_Destroy>;
using StreamInfoHandle = Owned<jsStreamInfo, jsStreamInfo_Destroy>;
using StreamNamesHandle = Owned<jsStreamNamesList, jsStreamNamesList_Destroy>;
using ConsumerInfoHandle = Owned<jsConsumerInfo, jsConsumerInfo_Destroy>;
using PubAckHandle = Owned<jsPubAck, jsPubAck_Destroy>;

// "Cannot <what>: <the library's words> (JetStream error 10059)".
[[noreturn]] void fail(std::string_view what, natsStatus status, int js_error = 0);

inline void check(natsStatus status, std::string_view what, int js_error = 0) {
  if (status != NATS_OK) fail(what, status, js_error);
}

struct Connection::Impl {
  ConnectionHandle connection;
  JetStreamHandle jetstream;
};

}  // namespace ota::gateways::nats
