#include "works.hpp"

#include <algorithm>
#include <stdexcept>

#include <troupe/task/when_all.hpp>

namespace troupe::bench {

namespace {

constexpr std::size_t window = 256, senders = 4;

task<> ask_repeatedly(ref<station> to, std::uint64_t count) {
  for (std::uint64_t i = 0; i < count; ++i) {
    answer got = co_await to.ask(question{i});
    if (got.number != i + 1) throw std::runtime_error{"a wrong answer"};
  }
}

task<> send_readings(ref<station> to, std::uint32_t sensor, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    co_await to.send(reading{sensor, static_cast<std::int64_t>(i), 0.5});
  }
}

}  // namespace

task<figures> requests(link_in_use& link) {
  std::size_t each = std::max<std::size_t>(size_or(link.given, 300'000) / window, 1);
  std::vector<task<>> all;
  auto start = real_clock::now();
  for (std::size_t i = 0; i < window; ++i) all.push_back(ask_repeatedly(link.to, each));
  co_await when_all(std::move(all));
  double rate = static_cast<double>(each * window) / seconds_since(start);
  figures found;
  found.push_back({"requests", rate, "requests/s"});
  co_return found;
}

// The last answer says that all have come, as all come in the order of the link.
task<figures> one_way(link_in_use& link) {
  std::size_t each = std::max<std::size_t>(size_or(link.given, 1'000'000) / senders, 1);
  std::uint64_t before = co_await link.to.ask(counted{});
  std::vector<task<>> all;
  auto start = real_clock::now();
  for (std::uint32_t i = 0; i < senders; ++i) all.push_back(send_readings(link.to, i, each));
  co_await when_all(std::move(all));
  std::uint64_t after = co_await link.to.ask(counted{});
  double rate = static_cast<double>(each * senders) / seconds_since(start);
  if (after - before != each * senders) throw std::runtime_error{"readings were lost"};
  figures found;
  found.push_back({"one_way", rate, "messages/s"});
  co_return found;
}

task<figures> latency(link_in_use& link) {
  std::size_t count = size_or(link.given, 20'000);
  std::vector<double> took;
  for (std::size_t i = 0; i < count; ++i) {
    auto start = real_clock::now();
    (void)co_await link.to.ask(question{i});
    took.push_back(seconds_since(start) * 1e6);
  }
  std::sort(took.begin(), took.end());
  figures found;
  found.push_back({"latency", took[count / 2], "us"});
  found.push_back({"latency_p99", took[count * 99 / 100], "us"});
  co_return found;
}

}  // namespace troupe::bench
