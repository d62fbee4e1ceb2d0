#include "journal.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <troupe/task/shield.hpp>
#include <troupe/task/stop.hpp>

namespace keyval {

namespace {

constexpr std::size_t head_bytes = 8;
constexpr std::uint32_t max_record_bytes = 0x7fffffff;

constexpr auto make_crc_table() {
  std::array<std::uint32_t, 256> made{};
  for (std::uint32_t i = 0; i < made.size(); ++i) {
    std::uint32_t value = i;
    for (int bit = 0; bit < 8; ++bit) value = (value >> 1U) ^ ((value & 1U) * 0xedb88320U);
    made[i] = value;
  }
  return made;
}
constexpr auto crc_table = make_crc_table();

std::uint32_t checksum(std::string_view text) noexcept {
  std::uint32_t value = ~0U;
  for (char each : text) {
    value = crc_table[(value ^ static_cast<unsigned char>(each)) & 0xffU] ^ (value >> 8U);
  }
  return ~value;
}

void add_number(std::uint32_t value, std::string& to) {
  for (unsigned shift = 0; shift < 32; shift += 8) to += static_cast<char>(value >> shift);
}
std::uint32_t number_at(std::string_view bytes) noexcept {
  std::uint32_t value = 0;
  for (unsigned i = 0; i < 4; ++i) {
    value |= std::uint32_t{static_cast<unsigned char>(bytes[i])} << (8 * i);
  }
  return value;
}

}  // namespace

void add_record(std::string_view requests, std::string& to) {
  while (!requests.empty()) {
    std::string_view next = requests.substr(0, max_record_bytes);
    add_number(static_cast<std::uint32_t>(next.size()), to);
    add_number(checksum(next), to);
    to += next;
    requests.remove_prefix(next.size());
  }
}

record first_record(std::string_view bytes) noexcept {
  if (bytes.size() < head_bytes) return {};
  std::uint32_t size = number_at(bytes);
  if (size == 0 || size > max_record_bytes) return {{}, 0, true};
  if (bytes.size() - head_bytes < size) return {};
  std::string_view requests = bytes.substr(head_bytes, size);
  if (checksum(requests) != number_at(bytes.substr(4))) return {{}, 0, true};
  return {requests, head_bytes + size, false};
}

troupe::ref<journal> open_journal(std::unique_ptr<disk> at) {
  troupe::actor_options options;
  options.unbounded = true;
  options.drain = true;
  return troupe::spawn<journal>(options, std::move(at));
}

void journal::on(commit m, troupe::reply<part_ptr> back) {
  add_record(m.records, records_);
  waiting_.push_back({std::move(back), std::move(m.answer), std::move(m.stored)});
  if (is_storing_) return;
  is_storing_ = true;
  self().spawn([this] { return store_all(); });
}

troupe::task<> journal::store_all() {
  while (!waiting_.empty() && !troupe::stop_requested()) co_await store_batch();
  is_storing_ = false;
}

troupe::task<> journal::on_stop() {
  while (!waiting_.empty()) co_await store_batch();
}

troupe::task<> journal::store_batch() {
  std::vector<waiting> batch = std::exchange(waiting_, {});
  std::string records = std::exchange(records_, {});
  // A stop does not come in between: what is begun to be stored is answered.
  if (!records.empty()) co_await troupe::shield(disk_->store(std::move(records)));
  for (waiting& each : batch) {
    if (each.stored) each.stored->fetch_add(1, std::memory_order_release);  // -> shard
    each.back.answer(std::move(each.answer));
  }
}

}  // namespace keyval
