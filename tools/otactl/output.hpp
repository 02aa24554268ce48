// What is printed is read by somebody, or it is known that it is not: commands print with fmt::print and need not look, main
// looks once at the end. What has no end looks with every flush.
#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <utility>

namespace ota::ctl {

// Called by main before anything else: where stdin, stdout or stderr is closed, the next file that is opened would take its place,
// and what is printed would be written into that, a log's file perhaps.
void begin_output();

// For stderr. Whoever does not read that keeps no command from its work: it never throws for it.
void put_note(std::string_view text);
template <class... Args>
void note(fmt::format_string<Args...> format, Args&&... args) {
  put_note(fmt::format(format, std::forward<Args>(args)...));
}

// Brings what was printed to its reader now. Throws std::system_error, as fmt::print does.
void flush_output();

// True: something that was printed before could not be written.
bool is_output_lost();

// Flushes stdout for the last time, called by main alone. Answers `code`, or if something that was printed is lost another one
// that is not 0, with a line on stderr; `why`: what was thrown for it, if anything was. Where it is lost because nobody reads
// it any more (`| head -1`), SIGPIPE ends the process without a word, as it ends other tools; whoever started us with that
// signal ignored gets the line instead.
int end_output(int code, std::string why);

}  // namespace ota::ctl
