// The main job: a line service with its aggregator, coordinator and CAF transport, under load.

#include <algorithm>
#include <chrono>
#include <cstdio>

#include <fmt/core.h>
#include <sys/resource.h>

#include <troupe/runtime/run.hpp>

#include "../child.hpp"
#include "second_process.hpp"
#include "service.hpp"

namespace {

// Both ends of the load's connections are in this process. What is missing is said and lived with.
void make_room_for_descriptors(const service::options& wanted) {
  rlim_t needed = wanted.serve ? wanted.max_connections : 2 * wanted.client_count;
  needed += 32;
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= needed) return;
  limit.rlim_cur = std::min(needed, limit.rlim_max);
  if (::setrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur == needed) return;
  if (wanted.serve) return;  // The limit of connections is a bound, not a wish.
  fmt::print(stderr, "service: {} connections need {} descriptors; there are {} (ulimit -n)\n",
             wanted.client_count, needed, limit.rlim_cur);
}

}  // namespace

int main(int argc, char** argv) {
  service::options wanted = service::parse_options(argc, argv);
  std::setvbuf(stdout, nullptr, _IOLBF, 0);  // Each line is seen at once, also through a pipe.
  make_room_for_descriptors(wanted);
  troupe::runtime_config config;
  config.workers = wanted.workers;
  // A stop has time bounds of its own, which are shorter.
  config.shutdown_budget = std::chrono::seconds{30};
  if (wanted.peer_port != 0) {
    samples::be_part_of(wanted.parent);
    return troupe::run(config, service::run_second_process, wanted.peer_port);
  }
  return troupe::run(config, service::run_main_job, wanted);
}
