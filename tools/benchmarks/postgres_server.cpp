#include "tools/benchmarks/postgres_server.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <fstream>
#include <optional>
#include <stdexcept>
#include <system_error>
#include <thread>
#include <vector>

namespace ota::bench {
namespace {

const std::filesystem::path kPrograms = "/usr/lib/postgresql/15/bin";
constexpr std::chrono::seconds kPostgresStartMax{60};
constexpr std::chrono::milliseconds kPostgresLookEvery{10};

struct User {
  std::string name;
  uid_t id = 0;
  gid_t group = 0;
};

// Whom it runs as; empty: as we are.
std::optional<User> unprivileged_user() {
  if (geteuid() != 0) return std::nullopt;
  for (const char* name : {"postgres", "nobody"}) {
    const passwd* const found = getpwnam(name);  // NOLINT(concurrency-mt-unsafe): one thread
    if (found != nullptr) return User{name, found->pw_uid, found->pw_gid};
  }
  throw std::runtime_error("there is no user that PostgreSQL could run as");
}

[[noreturn]] void become(const std::optional<User>& user, const std::vector<std::string>& command, const std::string& words) {
  if (user && (setgroups(0, nullptr) != 0 || setgid(user->group) != 0 || setuid(user->id) != 0)) _exit(EXIT_FAILURE);
  prctl(PR_SET_PDEATHSIG, SIGINT);  // behind setuid, which forgets it
  const int file = open(words.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  const int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
  dup2(nothing, STDIN_FILENO);
  dup2(file, STDOUT_FILENO);
  dup2(file, STDERR_FILENO);
  std::vector<char*> arguments;
  for (const std::string& argument : command) arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);
  execv(arguments.front(), arguments.data());
  _exit(EXIT_FAILURE);
}

pid_t start_as(const std::optional<User>& user, const std::vector<std::string>& command, const std::filesystem::path& directory) {
  const pid_t child = fork();
  if (child < 0) throw std::system_error(errno, std::generic_category(), "cannot start a process");
  if (child == 0) become(user, command, (directory / "words").string());
  return child;
}

std::string last_words(const std::filesystem::path& directory) {
  std::ifstream file(directory / "words");
  std::string line;
  std::string last;
  while (std::getline(file, line)) last = line;
  return last;
}

// A directory for that user alone, below others that it may walk through.
void make_reachable(const std::filesystem::path& directory, const std::optional<User>& user) {
  using std::filesystem::perms;
  std::filesystem::create_directories(directory);
  if (!user) return;
  if (chown(directory.c_str(), user->id, user->group) != 0) {
    throw std::system_error(errno, std::generic_category(), "cannot give PostgreSQL its directory");
  }
  // The row's own directory, the measurement's, and the bench's.
  constexpr int kOurs = 3;
  auto above = directory.parent_path();
  for (int i = 0; i < kOurs; ++i, above = above.parent_path()) {
    std::filesystem::permissions(above, perms::group_exec | perms::others_exec, std::filesystem::perm_options::add);
  }
}

void write_settings(const std::filesystem::path& file, const std::filesystem::path& directory, std::size_t connections_max) {
  std::ofstream text(file, std::ios::app);
  text << fmt::format(R"(
listen_addresses = ''
unix_socket_directories = '{}'
max_connections = {}
shared_buffers = 1GB
effective_cache_size = 4GB
max_wal_size = 4GB
checkpoint_timeout = 15min
wal_compression = lz4
fsync = on
synchronous_commit = on
full_page_writes = on
)",
                      directory.string(), connections_max);
  if (!text.flush()) throw std::runtime_error("cannot write " + file.string());
}

}  // namespace

PostgresServer::PostgresServer(const std::filesystem::path& directory, std::size_t connections_max) : directory_(directory) {
  if (!std::filesystem::exists(kPrograms / "postgres")) throw std::runtime_error("PostgreSQL 15 is not installed");
  const auto user = unprivileged_user();
  make_reachable(directory, user);
  const auto cluster = directory / "cluster";
  const pid_t maker = start_as(user, {(kPrograms / "initdb").string(), "-D", cluster.string(), "-U", "bench", "-A", "trust",
                                      "-E", "UTF8", "--locale=C", "--no-sync"}, directory);
  int status = 0;
  while (waitpid(maker, &status, 0) < 0 && errno == EINTR) {
  }
  if (status != 0) throw std::runtime_error("PostgreSQL's initdb fails: " + last_words(directory));
  write_settings(cluster / "postgresql.conf", directory, connections_max);
  pid_ = start_as(user, {(kPrograms / "postgres").string(), "-D", cluster.string()}, directory);
  connection_info_ = fmt::format("host={} dbname=postgres user=bench", directory.string());
  const auto deadline = std::chrono::steady_clock::now() + kPostgresStartMax;
  while (!std::filesystem::exists(directory / ".s.PGSQL.5432")) {
    if (waitpid(pid_, nullptr, WNOHANG) != 0 || std::chrono::steady_clock::now() > deadline) {
      throw std::runtime_error("PostgreSQL does not start: " + last_words(directory));
    }
    std::this_thread::sleep_for(kPostgresLookEvery);
  }
}

PostgresServer::~PostgresServer() {
  if (pid_ < 0) return;
  kill(pid_, SIGINT);  // a fast shutdown
  while (waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

}  // namespace ota::bench
