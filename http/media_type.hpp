// What the media types of a request say about JSON. Pure.
#pragma once

#include <string_view>

namespace ota::http {

// Whether a body of this Content-Type is JSON, or CBOR; parameters such as charset are overlooked.
bool is_json(std::string_view content_type);
bool is_cbor(std::string_view content_type);

// Which form of JSON an Accept header asks for.
enum class JsonForm { kPlain, kHal, kCbor, kNone };  // kNone: it takes none of them
// Of several the one with the greatest weight, and of these the first that is named, in this order; kHal where none is named:
// no Accept, or a wildcard.
JsonForm json_form(std::string_view accept);
// The media type of that form.
std::string_view to_text(JsonForm form);

}  // namespace ota::http
