// What is measured: each function measures one piece of work beside its peer and answers its rows.
//
// The service and its HTTP peer are processes of their own (roles.hpp); other threads are joined
// before a function returns. `directory` is empty at first and may be left with anything in it. All
// throw a std::exception if something could not be measured: a figure of half the work is none.
#pragma once

#include <filesystem>
#include <vector>

#include "tools/benchmarks/options.hpp"
#include "tools/benchmarks/table.hpp"

namespace ota::bench {

using Rows = std::vector<Row>;

// Events through the journal, beside one RocksDB WriteBatch for each group.
Rows measure_journal(const std::filesystem::path& directory, const Extent& extent);
// Commands that change nothing, through the service, beside a bare CAF request.
Rows measure_asks(const std::filesystem::path& directory, const Extent& extent);
// Device polls with nothing to do, while 10,000 other connections are idle, beside a stock httplib hello world, and beside
// nginx with a file.
Rows measure_polls(const std::filesystem::path& directory, const Extent& extent);
// Durable device reports over HTTP, beside RocksDB's own synced puts; and whole device updates.
Rows measure_reports(const std::filesystem::path& directory, const Extent& extent);
// The same reports beside PostgreSQL, behind the same front door; a row without figures where it cannot be had.
Rows measure_postgres(const std::filesystem::path& directory, const Extent& extent);
// Downloads in ranges and whole, beside nginx with sendfile.
Rows measure_downloads(const std::filesystem::path& directory, const Extent& extent);
// Polls while 200 devices on thin lines download.
Rows measure_slow_downloads(const std::filesystem::path& directory, const Extent& extent);
// A campaign on a million known devices: time to its first offer, log, memory.
Rows measure_campaign(const std::filesystem::path& directory, const Extent& extent);
// Grants and their reports through the service, without HTTP; and what an abort leaves behind it.
Rows measure_grants(const std::filesystem::path& directory, const Extent& extent);
// An operator's reads over HTTP while devices are granted at half the greatest rate.
Rows measure_reads(const std::filesystem::path& directory, const Extent& extent);
// An upload of 500 MB: the memory that it takes, and its speed beside tee and the checksum tools.
Rows measure_upload(const std::filesystem::path& directory, const Extent& extent);
// A file of devices that are all new, over HTTP, until every one is durable and visible.
Rows measure_import(const std::filesystem::path& directory, const Extent& extent);
// A log of ten million events as a fleet makes them: its size, a rebuild of the views, a verification, the start of otad on it.
Rows measure_long_log(const std::filesystem::path& directory, const Extent& extent);

}  // namespace ota::bench
